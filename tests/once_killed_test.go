package tests

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/atomic"
	"github.com/holdfast-go/holdfast/internal/backend"
	"github.com/holdfast-go/holdfast/internal/proxy"
	"github.com/holdfast-go/holdfast/tests/soak"
	"github.com/holdfast-go/holdfast/tests/testdb"
)

// onceKeys is how many keys are used in all.
func onceKeys() int {
	if soak.Asked() {
		return 10_000
	}
	return 400
}

// A caller is cut off at some point of each of his keys, and calls again until he has
// an answer: before anything is sent, in the claim, in fn, at COMMIT and after it.
func TestO01_KilledAtEveryPoint(t *testing.T) {
	eachOnce(t, func(t *testing.T, db *database) {
		keys := onceKeys()
		const first = 1000
		for from := 0; from < keys; from += 200 {
			rows := make([]string, min(200, keys-from))
			for i := range rows {
				rows[i] = fmt.Sprintf("(%d, 0)", first+from+i)
			}
			db.arrange("INSERT INTO t (id, v) VALUES " + strings.Join(rows, ", "))
		}
		const callers = 4
		var all sync.WaitGroup
		for caller := range callers {
			c := db.mortal()
			all.Go(func() {
				for key := caller; key < keys; key += callers {
					c.call(t, first+key)
				}
			})
		}
		all.Wait()
		assert.Equal(t, 0, db.look(fmt.Sprintf("SELECT count(*) FROM t WHERE id >= %d AND v <> 1", first)), "not done once")
		assert.Equal(t, keys, db.look("SELECT count(*) FROM holdfast_once"))
		assert.Equal(t, 0, db.look("SELECT count(*) FROM holdfast_once WHERE result IS NULL"), "in progress for ever")
		db.settled()
	})
}

// mortal is a caller that is cut off again and again.
type mortal struct {
	*database
	proxy *proxy.Proxy // nil: there is no network
}

func (db *database) mortal() *mortal {
	if db.Engine == testdb.SQLite {
		return &mortal{database: db.again(setup{})}
	}
	far, p := db.distant(setup{})
	return &mortal{far, p}
}

// call calls for the key of a row until there is an answer.
func (m *mortal) call(t *testing.T, row int) {
	opts := []atomic.Option{atomic.Wait(20 * time.Second), atomic.OnceFor(row)}
	if row%3 == 0 {
		opts = append(opts, atomic.ClaimLate())
	}
	if row%2 == 0 {
		opts = append(opts, atomic.Retry(3))
	}
	cut := m.cut()
	for attempt := 1; ; attempt++ {
		n, err := m.attempt(t, row, cut, opts)
		cut = ""
		if err == nil {
			assert.Equal(t, int64(1), n, "row %d", row)
			return
		}
		if !assert.NotErrorIs(t, err, atomic.ErrInProgress, "row %d", row) || !assert.Less(t, attempt, 10, "row %d: %v", row, err) {
			return
		}
		m.wires.take()
	}
}

func (m *mortal) attempt(t *testing.T, row int, cut string, opts []atomic.Option) (n int64, err error) {
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("%v", v)
		}
	}()
	return atomic.Once(t.Context(), m, fmt.Sprint("row ", row), func(ctx context.Context) (int64, error) {
		n, err := m.count1(row)(ctx)
		switch {
		case err != nil:
			return 0, err
		case cut == "error":
			return 0, errAsked
		case cut == "panic":
			panic("asked for")
		case cut == "end" && m.proxy != nil:
			m.proxy.Cut()
		case cut == "late error": // with the transaction in doubt
			return n, errors.Join(err, m.exec(ctx, "SELECT v FROM nothing"))
		}
		return n, nil
	}, opts...)
}

// cut chooses where the next call is to die.
func (m *mortal) cut() string {
	points := []string{"", "error", "panic", "end", "late error", "start", "INSERT", "UPDATE t", "SELECT v", "COMMIT", "COMMIT", "COMMIT"}
	point := points[rand.IntN(len(points))]
	switch {
	case point == "COMMIT" && m.proxy == nil:
		m.wires.loseCommit([]lostCommit{before, after, unclear}[rand.IntN(3)])
	case m.proxy == nil:
	case point == "start":
		m.proxy.Cut() // the connections of the pool are stale
	case strings.ToUpper(point) == point || strings.Contains(point, " t"), point == "SELECT v":
		action := []proxy.Action{proxy.CutRequest, proxy.CutReply, proxy.CutSent}[rand.IntN(3)]
		if point != "" {
			m.wires.once(point, func() { m.proxy.Next(action) })
		}
	}
	return point
}

// once is on for the next call alone: what it waits for may not come.
func (ws *wires) once(prefix string, act func()) {
	ws.mu.Lock()
	ws.steps = nil
	ws.mu.Unlock()
	ws.on(prefix, func(backend.Wire) { act() })
}

// With ClaimLate nothing of Once takes a round trip, and without it the claim does.
// What is there already takes three; inside a block what is stored takes one.
func TestO07_RoundTrips(t *testing.T) {
	eachCounted(t, func(t *testing.T, db *counted) {
		db.arrange(onceTable[db.Engine])
		n := 0
		once := func(ctx context.Context, opts ...atomic.Option) {
			n++
			_, err := atomic.Once(ctx, db, fmt.Sprint("key ", n), func(ctx context.Context) (int, error) {
				return 1, errors.Join(db.update(ctx, 1), db.update(ctx, 2))
			}, opts...)
			require.NoError(t, err)
		}
		block := db.turns(func() {
			require.NoError(t, atomic.Do(t.Context(), db, func(ctx context.Context) error {
				return errors.Join(db.update(ctx, 1), db.update(ctx, 2))
			}))
		})
		require.Equal(t, 3, block)
		assert.Equal(t, block+1, db.turns(func() { once(t.Context()) }), "the claim")
		assert.Equal(t, block, db.turns(func() { once(t.Context(), atomic.ClaimLate()) }), "ClaimLate: none")
		assert.Equal(t, block+1, db.turns(func() { once(t.Context(), atomic.Retry(3), atomic.Wait(time.Second), atomic.KeepFor(time.Hour)) }))
		assert.Equal(t, block+1, db.turns(func() {
			n++
			_, err := atomic.Once(t.Context(), db, fmt.Sprint("key ", n), func(ctx context.Context) (int, error) {
				return 1, errors.Join(db.update(ctx, 1), db.update(ctx, 2), errDeclined)
			}, atomic.KeepError(errDeclined))
			require.ErrorIs(t, err, errDeclined)
		}), "an error that is kept")
		assert.Equal(t, 3, db.turns(func() {
			_, err := atomic.Once(t.Context(), db, "key 1", func(context.Context) (int, error) { return 0, errAsked })
			require.NoError(t, err)
		}), "an answer that is there")
		assert.Equal(t, 2+3, db.turns(func() {
			_, err := atomic.Once(t.Context(), db, "key 1", func(ctx context.Context) (int, error) { return 0, db.update(ctx, 1) }, atomic.ClaimLate())
			require.NoError(t, err)
		}), "an answer that is there, found late: it keeps the connection")
		assert.Equal(t, 2, db.turns(func() {
			n++
			_, err := atomic.Once(t.Context(), db, fmt.Sprint("key ", n), func(context.Context) (int, error) { return 1, nil }, atomic.ClaimLate())
			require.NoError(t, err)
		}), "an fn that sends nothing")
		assert.Equal(t, block+2, db.turns(func() {
			require.NoError(t, atomic.Do(t.Context(), db, func(ctx context.Context) error { once(ctx); return nil }))
		}), "inside a block")
		assert.Equal(t, 3, db.turns(func() {
			n++
			_, err := atomic.Once(t.Context(), db, fmt.Sprint("key ", n), func(ctx context.Context) ([]byte, error) {
				return make([]byte, 100<<10), db.update(ctx, 1)
			})
			require.NoError(t, err)
		}), "a large result")
	})
}
