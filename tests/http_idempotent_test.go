package tests

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	hf "github.com/holdfast-go/holdfast/atomic"
	"github.com/holdfast-go/holdfast/atomic/atomichttp"
	"github.com/holdfast-go/holdfast/internal/proxy"
	"github.com/holdfast-go/holdfast/tests/soak"
	"github.com/holdfast-go/holdfast/tests/testdb"
)

// counts is a handler that adds 1 to a row and answers with what it is then.
func (db *database) counts(id int, ran *atomic.Int64) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		ran.Add(1)
		body, err := io.ReadAll(r.Body)
		n, countErr := db.count1(id)(r.Context())
		if err := errors.Join(err, countErr); err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		w.Header().Set("Location", fmt.Sprint("/orders/", n))
		w.Header().Set("Trailer", "X-Sum")
		w.WriteHeader(http.StatusCreated)
		_, _ = fmt.Fprintf(w, "order %d: %s", n, body)
		w.Header().Set("X-Sum", "1")
	}
}

func TestW09_TheSameRequestAgain(t *testing.T) {
	eachOnce(t, func(t *testing.T, db *database) {
		var ran atomic.Int64
		s := db.serve(db.counts(1, &ran), atomichttp.Idempotent(), atomichttp.Retry(3))
		key := []string{"Idempotency-Key", `"8e03978e-40d5-43dd-bc93-6894a57f9324"`}
		first := s.ask("POST", "two seats", key...)
		require.NoError(t, first.err)
		assert.Equal(t, 201, first.status)
		assert.Equal(t, "order 1: two seats", first.body)
		for range 3 {
			again := s.ask("POST", "two seats", key...)
			again.header.Set("Date", first.header.Get("Date"))
			assert.Equal(t, first, again)
		}
		assert.Equal(t, int64(1), ran.Load())

		other := s.ask("POST", "three seats", key...)
		assert.Equal(t, 422, other.status)
		typ, _ := other.problem(t)
		assert.Equal(t, atomichttp.ProblemKeyReused, typ)
		assert.Equal(t, 422, s.ask("PUT", "two seats", key...).status)
		assert.Equal(t, int64(1), ran.Load())

		mine := s.ask("POST", "two seats", append(key, "Authorization", "Bearer somebody else")...)
		assert.Equal(t, "order 2: two seats", mine.body, "keys belong to their caller")
		assert.Equal(t, "order 3: x", s.ask("POST", "x").body, "without a key")
		assert.Equal(t, "order 4: ", s.ask("GET", "", key...).body, "a safe method has no use for one")
		for _, bad := range []string{`"open`, `"a"b`, "", `"\x"`, strings.Repeat("k", 256), "\u00e9"} {
			a := s.ask("POST", "x", "Idempotency-Key", bad)
			assert.Equal(t, 400, a.status, bad)
			typ, _ := a.problem(t)
			assert.Equal(t, atomichttp.ProblemKey, typ)
		}
		assert.Equal(t, 413, db.serve(db.counts(1, &ran), atomichttp.Idempotent(), atomichttp.KeepBody(3)).ask("POST", "four", key...).status)
		assert.Equal(t, 400, db.serve(db.counts(1, &ran), atomichttp.Idempotent(atomichttp.RequireKey())).ask("POST", "four").status)
		assert.Equal(t, 4, db.value(1))

		by := db.serve(db.counts(2, &ran), atomichttp.Idempotent(atomichttp.CallerBy(func(r *http.Request) string { return r.Header.Get("Cookie") }),
			atomichttp.KeepResponses(time.Hour), atomichttp.WaitInProgress(time.Second)))
		for i := range 4 {
			a := by.ask("POST", "", "Idempotency-Key", "bare", "Cookie", fmt.Sprint("user=", i%2), "Authorization", fmt.Sprint(i))
			assert.Equal(t, fmt.Sprintf("order %d: ", i%2+1), a.body)
		}
	})
}

// A middleware for all and one for a route: the key is taken once. Taken again inside the block
// that has it, it would be in progress for ever.
func TestW09_AMiddlewareInsideAnother(t *testing.T) {
	eachOnce(t, func(t *testing.T, db *database) {
		second := open(t, testdb.New(t, db.Engine), setup{})
		second.arrange(onceTable[db.Engine])
		for i, inner := range []*database{db, second} {
			var ran atomic.Int64
			route := atomichttp.Middleware(inner, atomichttp.Idempotent(atomichttp.RequireKey()))(db.counts(1, &ran))
			s := db.serve(route.ServeHTTP, atomichttp.Idempotent(), atomichttp.Retry(2))
			key := []string{"Idempotency-Key", fmt.Sprint("nested", i)}
			for range 2 {
				a := s.ask("POST", "two seats", key...)
				assert.Equal(t, 201, a.status)
				assert.Equal(t, fmt.Sprintf("order %d: two seats", i+1), a.body)
			}
			assert.Equal(t, 422, s.ask("POST", "three seats", key...).status)
			assert.Equal(t, int64(1), ran.Load())
			assert.Equal(t, 400, s.ask("POST", "no key").status)
		}
	})
}

func TestW09_WhatIsNotKept(t *testing.T) {
	eachOnce(t, func(t *testing.T, db *database) {
		status := 500
		ran := 0
		s := db.serve(func(w http.ResponseWriter, r *http.Request) {
			ran++
			if _, err := db.count1(1)(r.Context()); err != nil {
				status = 500
			}
			w.WriteHeader(status)
			_, _ = fmt.Fprint(w, "attempt ", ran)
		}, atomichttp.Idempotent())
		key := []string{"Idempotency-Key", "k"}
		for i := range 2 {
			a := s.ask("POST", "", key...)
			assert.Equal(t, 500, a.status)
			assert.Equal(t, fmt.Sprint("attempt ", i+1), a.body)
		}
		status = 200
		for range 2 {
			assert.Equal(t, "attempt 3", s.ask("POST", "", key...).body)
		}
		assert.Equal(t, 1, db.value(1))

		stream := db.serve(atomichttp.NonAtomic(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
			assert.Fail(t, "it has run")
		})).ServeHTTP, atomichttp.Idempotent())
		assert.Equal(t, 500, stream.ask("POST", "", "Idempotency-Key", "stream").status)
		assert.Contains(t, stream.log.String(), "When and Off")
	})
}

func TestW09_InProgress(t *testing.T) {
	eachOnce(t, func(t *testing.T, db *database) {
		inside, finish := make(chan struct{}), make(chan struct{})
		s := db.serve(func(w http.ResponseWriter, r *http.Request) {
			n, err := db.count1(1)(r.Context())
			close(inside)
			<-finish
			_, _ = fmt.Fprint(w, n, err)
		}, atomichttp.Idempotent())
		first := make(chan answer, 1)
		go func() { first <- s.ask("POST", "", "Idempotency-Key", "k") }()
		<-inside
		a := s.ask("POST", "", "Idempotency-Key", "k")
		assert.Equal(t, 409, a.status)
		assert.Equal(t, "1", a.header.Get("Retry-After"))
		typ, _ := a.problem(t)
		assert.Equal(t, atomichttp.ProblemInProgress, typ)
		close(finish)
		assert.Equal(t, "1 <nil>", (<-first).body)
		assert.Equal(t, "1 <nil>", s.ask("POST", "", "Idempotency-Key", "k").body)
	})
}

// The answer is lost at COMMIT: who asks again is told what was done.
func TestW09_TheAnswerIsLost(t *testing.T) {
	eachOnce(t, func(t *testing.T, db *database) {
		n := 0
		db.eachLoss(setup{}, func(l loss, far *database) {
			n++
			var ran atomic.Int64
			s := far.serve(far.counts(n, &ran), atomichttp.Idempotent(atomichttp.WaitInProgress(10*time.Second)))
			key := []string{"Idempotency-Key", l.name}
			a := s.ask("POST", "", key...)
			assert.Equal(t, 503, a.status, l.name)
			typ, _ := a.problem(t)
			assert.Equal(t, atomichttp.ProblemCommitUnknown, typ)
			assert.Equal(t, "1", a.header.Get("Retry-After"), "who has a key may ask again")
			for range 2 {
				a = s.ask("POST", "", key...)
				assert.Equal(t, 201, a.status, "%s: %s", l.name, a.body)
				assert.Equal(t, "order 1: ", a.body)
			}
			assert.Equal(t, map[bool]int64{true: 1, false: 2}[l.done], ran.Load(), l.name)
			assert.Equal(t, 1, db.value(n), l.name)
		})
	})
}

// Servers lose their databases, clients their servers, at any moment. No client reads a
// success that is not in the database, and whoever has a key and asks until there is an
// answer has his order once.
func TestW09_AStormOfCuts(t *testing.T) {
	each(t, func(t *testing.T, db *database) {
		db.arrange(onceTable[db.Engine])
		requests := 200
		if soak.Asked() {
			requests = 2000
		}
		const callers = 32
		far, toDatabase := db.distant(setup{pool: 24})
		s := far.serve(func(w http.ResponseWriter, r *http.Request) {
			var id int
			if _, err := fmt.Fscan(r.Body, &id); err != nil {
				http.Error(w, "no id", http.StatusBadRequest)
				return
			}
			// Not id itself: an order that is made twice is to be seen, and not refused.
			if err := far.exec(r.Context(), "INSERT INTO t (id, v) VALUES (?, ?)", rand.Int64N(1<<53), id); err != nil {
				http.Error(w, "failed", http.StatusInternalServerError)
				return
			}
			w.WriteHeader(http.StatusCreated)
			_, _ = fmt.Fprint(w, "order ", id)
		}, atomichttp.Idempotent(atomichttp.WaitInProgress(5*time.Second)), atomichttp.Block(hf.Timeout(20*time.Second)), atomichttp.Retry(3))
		toServer := proxy.New(t, s.Listener.Addr().String())
		s.URL = "http://" + toServer.Addr()

		ctx, cancel := context.WithCancel(t.Context())
		var trouble, all sync.WaitGroup
		through := make(chan struct{})
		trouble.Go(func() {
			for ctx.Err() == nil {
				p := []*proxy.Proxy{toDatabase, toDatabase, toServer}[rand.IntN(3)]
				if rand.IntN(8) == 0 {
					p.Cut()
				} else {
					select {
					case <-ctx.Done():
					case <-p.Next([]proxy.Action{proxy.CutRequest, proxy.CutReply, proxy.CutSent}[rand.IntN(3)]).Hit():
					case <-time.After(time.Second):
					}
				}
				// Until some have got through: by the clock none would on a slow machine.
				for range rand.IntN(4) {
					select {
					case <-ctx.Done():
					case <-through:
					case <-time.After(time.Second):
					}
				}
			}
		})
		read := make([]bool, requests)
		var next, asked atomic.Int64
		for range callers {
			all.Go(func() {
				for {
					id := int(next.Add(1)) - 1
					if id >= requests {
						return
					}
					keyed := id%2 == 0
					for attempt := 0; ; attempt++ {
						asked.Add(1)
						var a answer
						if keyed {
							a = s.ask("POST", fmt.Sprint(id), "Idempotency-Key", fmt.Sprint("order ", id))
						} else {
							a = s.ask("POST", fmt.Sprint(id))
						}
						if a.err == nil && a.status == 201 {
							assert.Equal(t, fmt.Sprint("order ", id), a.body)
							read[id] = true
							select {
							case through <- struct{}{}:
							default:
							}
							break
						}
						if a.err == nil {
							assert.Contains(t, []int{409, 500, 503}, a.status, a.body)
						}
						if !keyed {
							break
						}
						if !assert.Less(t, attempt, 200, "order %d: %v", id, a) {
							return
						}
					}
				}
			})
		}
		all.Wait()
		cancel()
		trouble.Wait()
		toDatabase.Cut()
		db.settled()
		lost, twice, done := 0, 0, 0
		for id, was := range read {
			n := db.look(fmt.Sprintf("SELECT count(*) FROM t WHERE v = %d", id))
			if was && n == 0 {
				lost++
			}
			if n > 1 {
				twice++
			}
			if id%2 == 0 && n != 1 {
				assert.Fail(t, "with a key", "order %d is there %d times", id, n)
			}
			done += n
		}
		assert.Zero(t, lost, "a success was read that is not in the database")
		assert.Zero(t, twice, "nobody without a key has asked twice")
		t.Logf("%d requests were asked %d times; %d orders", requests, asked.Load(), done)
	}, testdb.Servers()...)
}

// A header need not be UTF-8, and one that is nil keeps net/http from adding it.
func TestW09_HeadersAreKeptAsTheyAre(t *testing.T) {
	eachOnce(t, func(t *testing.T, db *database) {
		s := db.serve(func(w http.ResponseWriter, r *http.Request) {
			h := w.Header()
			h.Set("Content-Disposition", "attachment; filename=caf\xe9.pdf")
			h.Set("X-Name", "café")
			h["X-Each"] = []string{"\x80\xff", "", "<&>"}
			h["Date"] = nil
			h.Set("Trailer", "X-Late")
			_, _ = io.WriteString(w, "done")
			h.Set("X-Late", "\xfe")
		}, atomichttp.Idempotent())
		first := s.ask(http.MethodPost, "", "Idempotency-Key", "k")
		assert.Equal(t, []string{"attachment; filename=caf\xe9.pdf"}, first.header["Content-Disposition"])
		assert.NotContains(t, first.header, "Date")
		assert.Equal(t, first, s.ask(http.MethodPost, "", "Idempotency-Key", "k"))
	})
}
