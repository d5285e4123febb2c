package tests

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/atomic"
	"github.com/holdfast-go/holdfast/atomic/atomichttp"
	"github.com/holdfast-go/holdfast/internal/block"
	"github.com/holdfast-go/holdfast/internal/seam"
	"github.com/holdfast-go/holdfast/tests/testdb"
)

// Retry may be asked for in several places, and is the same wherever that was.
func TestW05_WhoeverAsksForIt(t *testing.T) {
	policy := atomic.RetryPolicy{Max: 2, Base: time.Millisecond, Cap: time.Millisecond}
	each(t, func(t *testing.T, plain *database) {
		plain.conflicting()
		byDefault := open(t, plain.Database, setup{Settings: block.Settings{Block: *atomic.Collect([]atomic.Option{policy})}})
		matches := func(*http.Request) bool { return true }
		for name, c := range map[string]struct {
			db   *database
			opts []atomichttp.Option
		}{
			"Retry":          {plain, []atomichttp.Option{atomichttp.Retry(2)}},
			"Block":          {plain, []atomichttp.Option{atomichttp.Block(policy)}},
			"Block, a route": {plain, []atomichttp.Option{atomichttp.When(matches, atomichttp.Block(policy))}},
			"the database":   {byDefault, nil},
			"both":           {byDefault, []atomichttp.Option{atomichttp.Retry(2), atomichttp.Block(atomic.Name("both"))}},
		} {
			t.Run(name, func(t *testing.T) {
				db, attempts := c.db, 0
				handler := func(until int) http.HandlerFunc {
					return func(w http.ResponseWriter, r *http.Request) {
						attempts++
						body, err := io.ReadAll(r.Body)
						assert.NoError(t, err)
						w.Header().Set(fmt.Sprint("X-Only-", attempts), "1")
						_, _ = fmt.Fprint(w, string(body), " ", attempts)
						if attempts < until {
							assert.Error(t, db.insert(r.Context(), 1))
							w.WriteHeader(http.StatusInternalServerError)
						}
					}
				}
				s := db.serve(handler(3), c.opts...)
				a := s.ask("POST", "the body")
				require.NoError(t, a.err)
				assert.Equal(t, 200, a.status)
				assert.Equal(t, "the body 3", a.body)
				assert.Empty(t, a.header.Get("X-Only-1")+a.header.Get("X-Only-2"))
				assert.Equal(t, "1", a.header.Get("X-Only-3"))

				attempts = 0 // nobody knows how long it is, before it is read
				res, err := s.client.Post(s.URL, "text/plain", struct{ io.Reader }{strings.NewReader("in chunks")})
				require.NoError(t, err)
				all, err := io.ReadAll(res.Body)
				require.NoError(t, err)
				require.NoError(t, res.Body.Close())
				assert.Equal(t, "in chunks 3", string(all))

				attempts = 0
				assert.Equal(t, " 3", s.ask("GET", "").body)

				attempts = 0
				a = db.serve(handler(9), c.opts...).ask("POST", "the body")
				assert.Equal(t, 503, a.status)
				a.problem(t)
				assert.Equal(t, "1", a.header.Get("Retry-After"))
				assert.Equal(t, 3, attempts)

				for _, limit := range []int64{0, 7} { // a larger one is read as it comes, once
					attempts = 0
					a = db.serve(handler(9), append(c.opts, atomichttp.KeepBody(limit))...).ask("POST", "the body")
					assert.Equal(t, 409, a.status, a.body)
					a.problem(t)
					assert.Equal(t, 1, attempts)
				}
				attempts = 0
				a = db.serve(handler(1), append(c.opts, atomichttp.KeepBody(7))...).ask("POST", "the body")
				assert.Equal(t, "the body 1", a.body, "it is there to its end")
			})
		}
		t.Run("nobody", func(t *testing.T) {
			attempts := 0
			a := byDefault.serve(func(w http.ResponseWriter, r *http.Request) {
				attempts++
				_ = byDefault.insert(r.Context(), 1)
			}, atomichttp.Block(atomic.NoDefaults())).ask("POST", "the body")
			assert.Equal(t, 409, a.status)
			assert.Equal(t, 1, attempts)
		})
	}, testdb.Servers()...)
}

// A conflict in one of several databases does not run the handler again while the blocks
// of the others go on, whatever the database's defaults say.
func TestW05_SeveralDatabases(t *testing.T) {
	each(t, func(t *testing.T, first *database) {
		first.arrange("DELETE FROM t")
		second := open(t, testdb.New(t, first.Engine), setup{Settings: block.Settings{Block: seam.Options{Retry: &seam.Retry{Max: 3}}}})
		second.arrange("CREATE TABLE t (id BIGINT NOT NULL PRIMARY KEY, v BIGINT NOT NULL)")
		second.conflicting()
		attempts := 0
		handler := func(w http.ResponseWriter, r *http.Request) {
			attempts++
			first.mustInsert(r.Context(), attempts)
			_ = second.insert(r.Context(), 1)
		}
		a := first.serve(handler, atomichttp.Also(second)).ask("POST", "the body")
		assert.Equal(t, 409, a.status)
		assert.Equal(t, 1, attempts)
		assert.Empty(t, first.kept())

		s := first.serve(handler, atomichttp.Also(second, atomic.Retry(2)))
		assert.Equal(t, 500, s.ask("POST", "").status)
		assert.Contains(t, s.log.String(), "Retry")
		assert.Equal(t, 1, attempts, "nothing ran")
	}, testdb.Servers()...)
}

// Inside another middleware's block the outer one runs again, with the body.
func TestW05_Inside(t *testing.T) {
	each(t, func(t *testing.T, plain *database) {
		plain.conflicting()
		db := open(t, plain.Database, setup{Settings: block.Settings{Block: seam.Options{Retry: &seam.Retry{Max: 3}}}})
		attempts := 0
		inner := atomichttp.Middleware(db, atomichttp.KeepBody(1))(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			attempts++
			body, err := io.ReadAll(r.Body)
			assert.NoError(t, err)
			if attempts == 1 {
				_ = atomic.Do(r.Context(), db, func(ctx context.Context) error { return errors.Join(db.insert(ctx, 1), errAsked) })
			}
			_, _ = fmt.Fprint(w, string(body), " ", attempts)
		}))
		a := db.serve(inner.ServeHTTP, atomichttp.Retry(2)).ask("POST", "the body")
		require.NoError(t, a.err)
		assert.Equal(t, "the body 2", a.body)
		assert.Equal(t, 200, a.status)
	}, testdb.Servers()...)
}
