package tests

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/atomic"
	"github.com/holdfast-go/holdfast/atomic/atomichttp"
	"github.com/holdfast-go/holdfast/tests/testdb"
)

func TestW08_NonAtomic(t *testing.T) {
	each(t, func(t *testing.T, db *database) {
		go1, go2 := make(chan struct{}), make(chan struct{})
		stream := atomichttp.NonAtomic(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			assert.False(t, atomic.In(r.Context(), db))
			w.Header().Set("Content-Type", "text/event-stream")
			db.mustInsert(r.Context(), 1)
			_, _ = io.WriteString(w, "one\n")
			assert.NoError(t, http.NewResponseController(w).Flush())
			close(go1)
			<-go2
			_ = atomic.Do(r.Context(), db, func(ctx context.Context) error { return errors.Join(db.insert(ctx, 2), errAsked) })
			_, _ = io.WriteString(w, "two\n")
		}))
		s := db.serve(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("X-Between", "1")
			stream.ServeHTTP(w, r)
			w.WriteHeader(http.StatusInternalServerError) // nobody hears it
		}, atomichttp.Retry(2))
		res, err := s.client.Post(s.URL, "", strings.NewReader(""))
		require.NoError(t, err)
		defer res.Body.Close()
		<-go1
		lines := bufio.NewReader(res.Body)
		line, err := lines.ReadString('\n')
		require.NoError(t, err)
		assert.Equal(t, "one\n", line, "while the handler goes on")
		assert.Equal(t, []int{1}, db.kept())
		assert.Equal(t, "1", res.Header.Get("X-Between"))
		close(go2)
		rest, err := io.ReadAll(lines)
		require.NoError(t, err)
		assert.Equal(t, "two\n", string(rest))
		assert.Equal(t, []int{1}, db.kept())

		hijacks := db.serve(atomichttp.NonAtomic(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			conn, _, err := http.NewResponseController(w).Hijack()
			if assert.NoError(t, err) {
				_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi")
				_ = conn.Close()
			}
		})).ServeHTTP)
		assert.Equal(t, "hi", hijacks.ask("GET", "").body)
		plain := atomichttp.NonAtomic(db.inserts(7, 200)) // without the middleware it is nothing
		assert.NotNil(t, plain)
	})
}

// One middleware inside another, of the same database or of two: the handler is outside all
// of their blocks, and its writer is the client's.
func TestW08_NonAtomicOutOfSeveral(t *testing.T) {
	each(t, func(t *testing.T, db *database) {
		second := open(t, testdb.New(t, db.Engine), setup{})
		for name, inner := range map[string]*database{"the same": db, "two": second} {
			for limit, opts := range map[string][]atomichttp.Option{"none": nil, "of each": {atomichttp.Block(atomic.Timeout(time.Minute))}} {
				db.arrange("DELETE FROM t")
				flushed, goOn := make(chan struct{}), make(chan struct{})
				stream := atomichttp.NonAtomic(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					_, limited := r.Context().Deadline()
					assert.False(t, limited)
					assert.False(t, atomic.In(r.Context(), db) || atomic.In(r.Context(), inner), name)
					_, _ = io.WriteString(w, "one\n")
					assert.NoError(t, http.NewResponseController(w).Flush(), name)
					db.mustInsert(r.Context(), 1)
					close(flushed)
					<-goOn
				}))
				s := db.serve(atomichttp.Middleware(inner, opts...)(stream).ServeHTTP, opts...)
				res, err := s.client.Post(s.URL, "", nil)
				require.NoError(t, err)
				line, err := bufio.NewReader(res.Body).ReadString('\n')
				require.NoError(t, err)
				assert.Equal(t, "one\n", line, "while the handler goes on")
				soon(t, "the handler writes", flushed)
				assert.Equal(t, []int{1}, db.kept(), "%s, limit %s", name, limit)
				close(goOn)
				require.NoError(t, res.Body.Close())
				assert.Empty(t, s.log.String())
			}
		}
		db.arrange("DELETE FROM t", onceTable[db.Engine])
		keyed := db.serve(atomichttp.Middleware(second)(atomichttp.NonAtomic(db.inserts(1, 200))).ServeHTTP, atomichttp.Idempotent())
		assert.Equal(t, 500, keyed.ask("POST", "", "Idempotency-Key", "k").status)
		assert.Empty(t, db.kept())
	})
}

func TestW08_OptionsForARoute(t *testing.T) {
	each(t, func(t *testing.T, db *database) {
		path := func(p string) func(*http.Request) bool {
			return func(r *http.Request) bool { return r.Header.Get("X-Route") == p }
		}
		s := db.serve(func(w http.ResponseWriter, r *http.Request) {
			_, _ = fmt.Fprint(w, atomic.In(r.Context(), db), db.insert(r.Context(), len(db.kept())+1) == nil)
			w.WriteHeader(http.StatusInternalServerError)
		},
			atomichttp.When(path("off"), atomichttp.Off()),
			atomichttp.When(path("small"), atomichttp.MaxResponse(1)),
			atomichttp.When(path("read"), atomichttp.Block(atomic.ReadOnly())),
		)
		assert.Equal(t, "true true", s.ask("POST", "").body)
		assert.Equal(t, "false true", s.ask("POST", "", "X-Route", "off").body)
		assert.Equal(t, 500, s.ask("POST", "", "X-Route", "small").status)
		a := s.ask("POST", "", "X-Route", "read")
		assert.Equal(t, 500, a.status, "its error was swallowed")
		a.problem(t)
		assert.Equal(t, []int{1, 2}, db.kept())
		assert.Equal(t, 500, db.serve(db.inserts(9, 200), atomichttp.When(nil), atomichttp.Retry(-1)).ask("POST", "").status)
	})
}

// Two databases: that of Also is committed first, and what then goes wrong with the
// other is told as what it is.
func TestW08_SeveralDatabases(t *testing.T) {
	each(t, func(t *testing.T, db *database) {
		second := open(t, testdb.New(t, db.Engine), setup{})
		second.arrange("CREATE TABLE t (id BIGINT NOT NULL PRIMARY KEY, v BIGINT NOT NULL)")
		id := 0
		both := func(status int) http.HandlerFunc {
			return func(w http.ResponseWriter, r *http.Request) {
				id++
				db.mustInsert(r.Context(), id)
				second.mustInsert(r.Context(), id)
				w.WriteHeader(status)
			}
		}
		also := atomichttp.Also(second, atomic.Name("second"))
		assert.Equal(t, 200, db.serve(both(200), also).ask("POST", "").status)
		assert.Equal(t, 400, db.serve(both(400), also, atomichttp.Retry(2)).ask("POST", "").status)
		assert.Equal(t, []int{1}, db.kept())
		assert.Equal(t, []int{1}, second.kept())

		db.wires.loseCommit(before)
		a := db.serve(both(200), also, atomichttp.Retry(2)).ask("POST", "")
		assert.Equal(t, 500, a.status)
		typ, _ := a.problem(t)
		assert.Equal(t, atomichttp.ProblemPartlyCommitted, typ)
		assert.True(t, second.has(3))
		assert.Equal(t, 3, id, "it does not run again")

		second.wires.loseCommit(before)
		a = db.serve(both(200), also).ask("POST", "")
		typ, _ = a.problem(t)
		assert.Equal(t, atomichttp.ProblemCommitUnknown, typ, "the other was rolled back")
		db.settled()
		assert.Equal(t, []int{1}, db.kept())

		assert.Equal(t, 200, db.serve(func(w http.ResponseWriter, r *http.Request) {
			atomichttp.NonAtomic(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
				assert.False(t, atomic.In(r.Context(), db) || atomic.In(r.Context(), second))
			})).ServeHTTP(w, r)
		}, also).ask("POST", "").status)
	})
}

// A middleware inside another: the outer one's COMMIT counts.
func TestW08_Inside(t *testing.T) {
	each(t, func(t *testing.T, db *database) {
		for _, opts := range [][]atomichttp.Option{nil, {atomichttp.RespondFirst()}} {
			db.arrange("DELETE FROM t")
			inner := atomichttp.Middleware(db, opts...)
			s := db.serve(func(w http.ResponseWriter, r *http.Request) {
				recorder := inner(db.inserts(1, 400))
				recorder.ServeHTTP(&discard{http.Header{}}, r) // undone alone
				inner(db.inserts(2, 201)).ServeHTTP(w, r)
			}, opts...)
			a := s.ask("POST", "")
			assert.Equal(t, 201, a.status)
			assert.Equal(t, "inserted 2", a.body)
			assert.Equal(t, []int{2}, db.kept())
		}
	})
}

// Of what is no database of its own nothing is committed before the rest, and nothing has to
// be told of it.
func TestW08_AlsoInsideItsOwnBlock(t *testing.T) {
	each(t, func(t *testing.T, db *database) {
		second := open(t, testdb.New(t, db.Engine), setup{})
		second.arrange("CREATE TABLE t (id BIGINT NOT NULL PRIMARY KEY, v BIGINT NOT NULL)")
		quiet := atomichttp.Logger(slog.New(slog.DiscardHandler))
		for name, inner := range map[string]func(http.Handler) http.Handler{
			"the same twice":        atomichttp.Middleware(db, atomichttp.Also(db), quiet),
			"the outer one's again": atomichttp.Middleware(second, atomichttp.Also(db), quiet),
		} {
			s := db.serve(inner(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				db.mustInsert(r.Context(), 1)
				_ = second.refused(r.Context())
				_ = db.refused(r.Context())
			})).ServeHTTP)
			a := s.ask("POST", "")
			assert.Equal(t, 500, a.status, name)
			typ, _ := a.problem(t)
			assert.Equal(t, "about:blank", typ, "%s: all is rolled back", name)
			assert.Empty(t, db.kept())
		}
	})
}

// discard is a writer for what nobody reads.
type discard struct{ header http.Header }

func (d *discard) Header() http.Header         { return d.header }
func (d *discard) Write(p []byte) (int, error) { return len(p), nil }
func (d *discard) WriteHeader(int)             {}

func TestW10_HooksAndTheResponse(t *testing.T) {
	each(t, func(t *testing.T, db *database) {
		for first, opts := range map[bool][]atomichttp.Option{false: nil, true: {atomichttp.RespondFirst()}} {
			db.arrange("DELETE FROM t")
			hook, goOn := make(chan struct{}), make(chan struct{})
			s := db.serve(func(w http.ResponseWriter, r *http.Request) {
				assert.NoError(t, atomic.OnCommit(r.Context(), db, func(context.Context) error {
					close(hook)
					<-goOn
					return errAsked
				}))
				db.mustInsert(r.Context(), 1)
				_, _ = io.WriteString(w, strings.Repeat("x", 8<<10)) // more than net/http collects
				w.Header().Set(http.TrailerPrefix+"X-End", "1")
			}, opts...)
			got := make(chan int, 1)
			go func() {
				res, err := s.client.Post(s.URL, "", nil)
				if !assert.NoError(t, err) {
					return
				}
				defer res.Body.Close()
				got <- res.StatusCode
				_, err = io.Copy(io.Discard, res.Body)
				assert.NoError(t, err)
			}()
			<-hook
			if first {
				assert.Equal(t, 200, <-got, "while the hook runs")
			} else {
				select {
				case <-got:
					assert.Fail(t, "an answer before the hook has run")
				default:
				}
			}
			close(goOn)
			if !first {
				assert.Equal(t, 200, <-got, "what is committed is answered, whatever the hook has met")
			}
			eventually(t, "the hook's error is logged", func() bool { return strings.Contains(s.log.String(), errAsked.Error()) })
			assert.Equal(t, []int{1}, db.kept())
		}
	})
}

// The handler takes its work for undone, and answers so; a procedure has committed it.
func TestW06_ARollbackThatWasNone(t *testing.T) {
	each(t, func(t *testing.T, db *database) {
		db.arrange("CREATE PROCEDURE commits() COMMIT", onceTable[db.Engine])
		s := db.serve(func(w http.ResponseWriter, r *http.Request) {
			db.mustInsert(r.Context(), len(r.Header.Get("Idempotency-Key"))) // 0, or 1
			assert.Error(t, db.exec(r.Context(), "CALL commits()"))
			http.Error(w, "nothing was done", http.StatusConflict)
		}, atomichttp.Idempotent())
		for _, headers := range [][]string{nil, {"Idempotency-Key", "k"}, {"Idempotency-Key", "k"}} {
			a := s.ask(http.MethodPost, "", headers...)
			typ, _ := a.problem(t)
			assert.Equal(t, atomichttp.ProblemCommitUnknown, typ)
			assert.Equal(t, http.StatusServiceUnavailable, a.status)
			assert.Empty(t, a.header.Get("Retry-After"))
		}
		assert.Equal(t, []int{0, 1}, db.kept())
		assert.Contains(t, s.log.String(), "ended")
	}, testdb.MySQL, testdb.MariaDB)
}

// net/http holds a short response back to the end of its handler, in which the hooks run.
func TestW10_AShortResponseLeavesFirst(t *testing.T) {
	each(t, func(t *testing.T, db *database) {
		read := make(chan struct{})
		for i, status := range []int{http.StatusOK, http.StatusCreated, http.StatusNoContent} {
			s := db.serve(func(w http.ResponseWriter, r *http.Request) {
				db.mustInsert(r.Context(), i)
				assert.NoError(t, atomic.OnCommit(r.Context(), db, func(context.Context) error {
					soon(t, "the client has it", read)
					return nil
				}))
				if status != http.StatusOK {
					w.WriteHeader(status)
				}
				if status == http.StatusCreated {
					_, _ = io.WriteString(w, "made")
				}
			}, atomichttp.RespondFirst())
			a := s.ask("POST", "")
			read <- struct{}{}
			assert.Equal(t, status, a.status)
			if status == http.StatusCreated {
				assert.Equal(t, []string{"4"}, a.header["Content-Length"])
			}
		}
		assert.Equal(t, []int{0, 1, 2}, db.kept())
	}, testdb.SQLite)
}

// What is committed is answered. Without an answer the client would ask for it again.
func TestW10_AHookThatPanics(t *testing.T) {
	each(t, func(t *testing.T, db *database) {
		db.arrange(onceTable[db.Engine])
		for i, opts := range [][]atomichttp.Option{nil, {atomichttp.RespondFirst()}, {atomichttp.Idempotent()}} {
			for body, status := range map[string]int{"": 200, "made": 201, strings.Repeat("x", 8<<10): 202} {
				id := 1000*i + status
				s := db.serve(func(w http.ResponseWriter, r *http.Request) {
					db.mustInsert(r.Context(), id)
					assert.NoError(t, atomic.OnCommit(r.Context(), db, func(context.Context) error { panic("a hook's") }))
					if body != "" {
						w.WriteHeader(status)
						_, _ = io.WriteString(w, body)
					}
				}, opts...)
				a := s.ask("POST", "", "Idempotency-Key", body[:min(4, len(body))]+"k")
				require.NoError(t, a.err)
				assert.Equal(t, status, a.status)
				assert.Equal(t, body, a.body)
				assert.True(t, db.has(id))
				eventually(t, "the panic goes on", func() bool { return strings.Contains(s.log.String(), "a hook's") })
			}
		}
		s := db.serve(func(w http.ResponseWriter, r *http.Request) {
			db.mustInsert(r.Context(), 1)
			assert.NoError(t, atomic.OnRollback(r.Context(), db, func(context.Context) error { panic("a hook's") }))
			w.WriteHeader(http.StatusConflict)
		})
		assert.Error(t, s.ask("POST", "").err, "as any panic")
		assert.False(t, db.has(1))
	})
}

// A hook that fails is logged, whatever the response.
func TestW10_AHookOfARollbackFails(t *testing.T) {
	each(t, func(t *testing.T, db *database) {
		s := db.serve(func(w http.ResponseWriter, r *http.Request) {
			assert.NoError(t, atomic.OnRollback(r.Context(), db, func(context.Context) error { return errAsked }))
			w.WriteHeader(http.StatusConflict)
		})
		assert.Equal(t, http.StatusConflict, s.ask(http.MethodPost, "").status)
		assert.Contains(t, s.log.String(), errAsked.Error())
	})
}
