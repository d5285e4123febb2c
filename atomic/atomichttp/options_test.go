package atomichttp_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/atomic"
	"github.com/holdfast-go/holdfast/atomic/atomichttp"
	"github.com/holdfast-go/holdfast/orm"
)

func always(*http.Request) bool { return true }

// What a When has among its options holds as well.
func TestW08_WhenInsideWhen(t *testing.T) {
	db, ran := open(t), 0
	posted := func(r *http.Request) bool { return r.Method == http.MethodPost }
	handler := atomichttp.Middleware(db, quiet, atomichttp.When(always,
		atomichttp.When(posted, atomichttp.Idempotent()),
		atomichttp.When(func(r *http.Request) bool { return !posted(r) }, atomichttp.Off()),
	))(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ran++
		assert.Equal(t, posted(r), atomic.In(r.Context(), db))
	}))
	for range 2 {
		r := httptest.NewRequest(http.MethodPost, "/pay", nil)
		r.Header.Set("Idempotency-Key", "k")
		handler.ServeHTTP(httptest.NewRecorder(), r)
	}
	assert.Equal(t, 1, ran, "the same request again")
	handler.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "/pay", nil))
	assert.Equal(t, 2, ran)

	w := httptest.NewRecorder()
	atomichttp.Middleware(db, quiet, atomichttp.When(always, atomichttp.When(nil, atomichttp.Off())))(handler).ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/", nil))
	assert.Equal(t, http.StatusInternalServerError, w.Code)
	assert.Equal(t, 2, ran)
}

// inForce is a handler that notes the options of its block, and answers with its request's body.
func inForce(t *testing.T, db *orm.DB, options *string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		var refused *atomic.BlockError
		if err := atomic.Do(r.Context(), db, func(context.Context) error { return nil }, atomic.Durable()); assert.ErrorAs(t, err, &refused) {
			*options = refused.Block.Options
		}
		_, err := io.Copy(w, r.Body)
		assert.NoError(t, err)
	}
}

// Retry(0) is no retry, whoever else has asked for one.
func TestW05_NoRetry(t *testing.T) {
	db := open(t, orm.WithBlock(atomic.Retry(3)))
	for name, opts := range map[string][]atomichttp.Option{
		"in spite of the database's":    {atomichttp.Retry(0)},
		"in spite of Block's":           {atomichttp.Block(atomic.Retry(3)), atomichttp.Retry(0)},
		"of a route":                    {atomichttp.Retry(3), atomichttp.When(always, atomichttp.Retry(0))},
		"asked for with another before": {atomichttp.Retry(3), atomichttp.Retry(0)},
	} {
		var options string
		atomichttp.Middleware(db, append(opts, quiet)...)(inForce(t, db, &options)).ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodPost, "/", nil))
		assert.NotContains(t, options, "Retry(3)", name)
	}
	var options string
	atomichttp.Middleware(db, quiet)(inForce(t, db, &options)).ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodPost, "/", nil))
	assert.Contains(t, options, "Retry(3)")
}

// A body that is too large to be kept is read once, also where nobody has said how long it
// is: as of a request that was made for a client, or whose body was replaced.
func TestW05_ABodyOfUnknownLength(t *testing.T) {
	db := open(t)
	for limit, again := range map[int64]bool{7: false, 8: true} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "/", struct{ io.Reader }{strings.NewReader("the body")})
		require.NoError(t, err)
		require.Zero(t, r.ContentLength)
		var options string
		w := httptest.NewRecorder()
		atomichttp.Middleware(db, quiet, atomichttp.Retry(3), atomichttp.KeepBody(limit))(inForce(t, db, &options)).ServeHTTP(w, r)
		assert.Equal(t, http.StatusOK, w.Code)
		assert.Equal(t, "the body", w.Body.String())
		assert.Equal(t, again, strings.Contains(options, "Retry(3)"), options)
	}
}

// A handler in NonAtomic has answered by itself, and the middleware says nothing more.
func TestW08_NonAtomicBesideRespondFirst(t *testing.T) {
	db := open(t)
	type answer struct {
		header, trailer http.Header
		encoding        []string
	}
	answers := func(write bool, opts ...atomichttp.Option) answer {
		server := httptest.NewServer(atomichttp.Middleware(db, append(opts, quiet)...)(atomichttp.NonAtomic(
			http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("X-Handler", "was here")
				w.Header().Set("Trailer", "X-Sum")
				if write {
					_, _ = io.WriteString(w, "streamed")
				}
				w.Header().Set("X-Sum", "8")
			}))))
		defer server.Close()
		res, err := server.Client().Get(server.URL)
		require.NoError(t, err)
		all, err := io.ReadAll(res.Body)
		require.NoError(t, err)
		require.NoError(t, res.Body.Close())
		res.Header.Del("Date")
		if write {
			require.Equal(t, "streamed", string(all))
		}
		return answer{res.Header, res.Trailer, res.TransferEncoding}
	}
	for _, write := range []bool{false, true} {
		want, got := answers(write), answers(write, atomichttp.RespondFirst())
		assert.Equal(t, "was here", want.header.Get("X-Handler"))
		assert.Equal(t, want, got)
	}
}
