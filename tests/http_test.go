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
	"github.com/holdfast-go/holdfast/dialect"
	"github.com/holdfast-go/holdfast/internal/backend"
	"github.com/holdfast-go/holdfast/tests/testdb"
)

func TestW01_TheResponseLeavesWhenItIsCommitted(t *testing.T) {
	each(t, func(t *testing.T, db *database) {
		// COMMIT is on its way: nothing of the response is.
		answered := make(chan answer, 1)
		s := db.serve(db.inserts(1, http.StatusCreated))
		db.wires.on("COMMIT", func(backend.Wire) {
			select {
			case a := <-answered:
				assert.Fail(t, "an answer before COMMIT", "%v", a)
			case <-time.After(20 * time.Millisecond):
			}
			assert.Empty(t, db.kept())
		})
		go func() { answered <- s.ask("POST", "") }()
		a := <-answered
		require.NoError(t, a.err)
		assert.Equal(t, http.StatusCreated, a.status)
		assert.Equal(t, "inserted 1", a.body)
		assert.Equal(t, []int{1}, db.kept())

		for name, does := range map[string]func(http.ResponseWriter) error{
			"Flush":  func(w http.ResponseWriter) error { return http.NewResponseController(w).Flush() },
			"Hijack": func(w http.ResponseWriter) error { _, _, err := http.NewResponseController(w).Hijack(); return err },
		} {
			s := db.serve(func(w http.ResponseWriter, _ *http.Request) {
				err := does(w)
				assert.ErrorIs(t, err, atomichttp.ErrNotHeld, name)
				assert.ErrorContains(t, err, "NonAtomic")
				_, plain := w.(http.Flusher)
				assert.False(t, plain)
				assert.NoError(t, http.NewResponseController(w).SetWriteDeadline(time.Now().Add(time.Minute)))
				assert.NoError(t, http.NewResponseController(w).SetReadDeadline(time.Now().Add(time.Minute)))
				assert.NoError(t, http.NewResponseController(w).EnableFullDuplex())
				_, _ = io.WriteString(w, "held")
			})
			assert.Equal(t, "held", s.ask("GET", "").body)
		}
		for name, c := range map[string]struct {
			kind    error
			opts    []atomichttp.Option
			handler func(http.ResponseWriter) error
		}{
			"too large": {atomichttp.ErrResponseTooLarge, []atomichttp.Option{atomichttp.MaxResponse(9)}, func(w http.ResponseWriter) error {
				_, err := io.WriteString(w, "0123456789")
				return err
			}},
			"events": {atomichttp.ErrNotHeld, nil, func(w http.ResponseWriter) error {
				w.Header().Set("Content-Type", "text/event-stream")
				_, err := io.WriteString(w, "data: x\n\n")
				return err
			}},
			"no file": {nil, []atomichttp.Option{atomichttp.MaxResponse(1), atomichttp.Spill("/does/not/exist")}, func(w http.ResponseWriter) error {
				_, err := io.WriteString(w, "ab")
				return err
			}},
		} {
			s := db.serve(func(w http.ResponseWriter, r *http.Request) {
				db.mustInsert(r.Context(), 2)
				err := c.handler(w)
				assert.Error(t, err, name)
				if c.kind != nil {
					assert.ErrorIs(t, err, c.kind, name)
				}
			}, c.opts...)
			a := s.ask("POST", "")
			assert.Equal(t, 500, a.status, name)
			a.problem(t)
			assert.Contains(t, s.log.String(), "atomichttp", name)
			assert.NotContains(t, a.body, "atomichttp", name)
		}
		assert.Equal(t, []int{1}, db.kept())
	})
}

func TestW02_TheStatusDecides(t *testing.T) {
	each(t, func(t *testing.T, db *database) {
		id := 0
		for status, opts := range map[int][]atomichttp.Option{
			200: nil, 302: nil, 400: nil, 404: nil, 500: nil,
			402: {atomichttp.CommitOn(func(status int) bool { return status == 402 })},
			201: {atomichttp.CommitOn(func(int) bool { return false })},
		} {
			id++
			db.arrange("DELETE FROM t")
			s := db.serve(db.inserts(id, status), opts...)
			s.client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
			a := s.ask("POST", "")
			require.NoError(t, a.err)
			assert.Equal(t, status, a.status)
			assert.Equal(t, fmt.Sprint("inserted ", id), a.body, "the handler's own answer, either way")
			kept := status == 200 || status == 302 || status == 402
			assert.Equal(t, kept, db.has(id), status)
			assert.Empty(t, s.log.String())
		}
		s := db.serve(func(w http.ResponseWriter, r *http.Request) {
			db.inserts(100, 200)(w, r)
			assert.NoError(t, atomic.SetRollback(r.Context(), db, true))
		})
		a := s.ask("POST", "")
		assert.Equal(t, "inserted 100", a.body)
		assert.False(t, db.has(100))
	})
}

func TestW03_APanicRollsBack(t *testing.T) {
	each(t, func(t *testing.T, db *database) {
		for _, v := range []any{http.ErrAbortHandler, "asked for"} {
			s := db.serve(func(w http.ResponseWriter, r *http.Request) {
				db.inserts(1, 200)(w, r)
				panic(v)
			})
			a := s.ask("POST", "")
			require.Error(t, a.err, "no answer")
			if v != http.ErrAbortHandler {
				eventually(t, "net/http has logged it", func() bool { return strings.Contains(s.log.String(), "asked for") })
			}
		}
		db.settled()
		assert.Empty(t, db.kept())
	})
}

func TestW04_SafeMethodsOnlyRead(t *testing.T) {
	each(t, func(t *testing.T, db *database) {
		var failed error
		s := db.serve(func(w http.ResponseWriter, r *http.Request) {
			if _, failed = db.count(r.Context()); failed == nil {
				failed = db.insert(r.Context(), 1)
			}
			if failed != nil {
				w.WriteHeader(http.StatusInternalServerError)
			}
		}, atomichttp.ReadOnlyForSafeMethods(), atomichttp.Block(atomic.Name("page")))
		for _, method := range []string{"GET", "HEAD", "OPTIONS"} {
			assert.Equal(t, 500, s.ask(method, "").status)
			require.ErrorIs(t, failed, dialect.ErrReadOnly, method)
			require.ErrorContains(t, failed, "page")
		}
		assert.Equal(t, 200, s.ask("POST", "").status)
		assert.Equal(t, []int{1}, db.kept())
	})
}

func TestW05_Retry(t *testing.T) {
	each(t, func(t *testing.T, db *database) {
		attempts := 0
		// The first attempt meets what the server says of a conflict.
		db.conflicting()
		again := func(w http.ResponseWriter, r *http.Request) {
			attempts++
			body, err := io.ReadAll(r.Body)
			assert.NoError(t, err)
			w.Header().Set(fmt.Sprint("X-Only-", attempts), "1")
			_, _ = fmt.Fprint(w, string(body), " ", atomic.Attempt(r.Context(), db))
			if attempts == 1 {
				_ = db.insert(r.Context(), 1) // and its error is swallowed
				return
			}
			assert.NoError(t, db.exec(r.Context(), "UPDATE t SET v = 1 WHERE id = 0"))
		}
		s := db.serve(again, atomichttp.Retry(3))
		a := s.ask("POST", "the body")
		require.NoError(t, a.err)
		assert.Equal(t, 200, a.status)
		assert.Equal(t, "the body 2", a.body)
		assert.Empty(t, a.header.Get("X-Only-1"))
		assert.Equal(t, "1", a.header.Get("X-Only-2"))

		// Nothing helps: the last attempt's answer is replaced as well.
		stubborn := func(w http.ResponseWriter, r *http.Request) {
			attempts++
			if err := db.insert(r.Context(), 1); err != nil {
				http.Error(w, "failed", http.StatusInternalServerError)
			}
		}
		attempts = 0
		s = db.serve(stubborn, atomichttp.Retry(2))
		a = s.ask("POST", "the body")
		assert.Equal(t, 503, a.status)
		a.problem(t)
		assert.Equal(t, "1", a.header.Get("Retry-After"))
		assert.Equal(t, 3, attempts)

		// A larger body is read as it comes, once.
		attempts = 0
		s = db.serve(func(w http.ResponseWriter, r *http.Request) {
			attempts++
			body, err := io.ReadAll(r.Body)
			assert.NoError(t, err)
			assert.Equal(t, "a larger body", string(body))
			_ = db.insert(r.Context(), 1)
		}, atomichttp.Retry(2), atomichttp.KeepBody(12))
		a = s.ask("POST", "a larger body")
		assert.Equal(t, 409, a.status, a.body)
		a.problem(t)
		assert.Equal(t, 1, attempts)
	}, testdb.Servers()...)
}

func TestW06_WhatGoesWrongAfterwards(t *testing.T) {
	each(t, func(t *testing.T, db *database) {
		id := 0
		db.eachLoss(setup{}, func(l loss, far *database) {
			id++
			a := far.serve(far.inserts(id, 201)).ask("POST", "")
			assert.Equal(t, 503, a.status, l.name)
			typ, detail := a.problem(t)
			assert.Equal(t, atomichttp.ProblemCommitUnknown, typ, l.name)
			assert.NotEmpty(t, detail)
			assert.Empty(t, a.header.Get("Retry-After"), "who asks again may have it done twice")
			assert.Equal(t, "no-store", a.header.Get("Cache-Control"))
			far.settled()
			assert.Equal(t, l.done, db.has(id), l.name)
		})
		s := db.serve(func(w http.ResponseWriter, r *http.Request) { // the failure is swallowed
			w.Header().Set("Content-Encoding", "br")
			w.Header().Set("X-Mine", "1")
			_ = db.refused(r.Context())
		})
		a := s.ask("POST", "")
		assert.Equal(t, 500, a.status)
		a.problem(t)
		assert.NotContains(t, a.body, "NULL")
		assert.Empty(t, a.header.Get("X-Mine"))
		assert.Contains(t, s.log.String(), "rollback required")

		s = db.serve(func(w http.ResponseWriter, r *http.Request) {
			_, _ = db.count(r.Context())
			<-r.Context().Done()
		}, atomichttp.Block(atomic.Timeout(100*time.Millisecond)))
		a = s.ask("POST", "")
		assert.Equal(t, 503, a.status)
		assert.Equal(t, "1", a.header.Get("Retry-After"))

		s = db.serve(func(w http.ResponseWriter, r *http.Request) { _ = db.refused(r.Context()) },
			atomichttp.ErrorHandler(func(w http.ResponseWriter, _ *http.Request, err error) {
				assert.ErrorIs(t, err, dialect.ErrNotNullViolation)
				p := atomichttp.ProblemOf(err)
				p.Status, p.Title = 418, "I'm a teapot"
				p.Write(w)
			}))
		assert.Equal(t, 418, s.ask("POST", "").status)
		assert.Equal(t, 500, db.serve(db.inserts(50, 200), nil).ask("POST", "").status, "an option is nil")
	})
}

func TestW06_LocksAndConflicts(t *testing.T) {
	each(t, func(t *testing.T, db *database) {
		db.mustInsert(t.Context(), 1)
		r := db.rival()
		r.exec("UPDATE t SET v = 5 WHERE id = 1")
		s := db.serve(func(w http.ResponseWriter, r *http.Request) {
			_ = db.exec(r.Context(), "UPDATE t SET v = 6 WHERE id = 1")
		}, atomichttp.Block(atomic.LockTimeout(time.Millisecond)))
		a := s.ask("POST", "")
		assert.Equal(t, 503, a.status)
		assert.Equal(t, "1", a.header.Get("Retry-After"))
		r.exec("ROLLBACK")
		db.conflicting()
		a = db.serve(func(w http.ResponseWriter, r *http.Request) { _ = db.insert(r.Context(), 2) }).ask("POST", "")
		assert.Equal(t, 409, a.status)
		a.problem(t)
	}, testdb.Servers()...)
}

func TestW07_AClientThatHangsUp(t *testing.T) {
	each(t, func(t *testing.T, db *database) {
		ctx, cancel := context.WithCancelCause(t.Context())
		over := make(chan error, 1)
		s := db.serve(func(w http.ResponseWriter, r *http.Request) {
			db.mustInsert(r.Context(), 1)
			cancel(errCaller)
			<-r.Context().Done()
			over <- db.insert(r.Context(), 2)
		})
		a := s.askIn(ctx, "POST", "")
		require.Error(t, a.err)
		require.Error(t, <-over)
		db.settled()
		assert.Empty(t, db.kept())
	})
}

var errCaller = errors.New("the caller has gone home")
