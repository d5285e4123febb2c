package block_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/atomic"
	"github.com/holdfast-go/holdfast/dialect"
)

var lockWaits = setup{engine: watching}

// after is r, but later.
func after(d time.Duration, r reply) reply {
	r.until = make(chan struct{})
	time.AfterFunc(d, func() { close(r.until) })
	return r
}

// waitsFor is one wait that the server is certain of.
func waitsFor(waiting, holding int64) dialect.LockWait {
	return dialect.LockWait{Waiting: dialect.LockParty{ConnectionID: waiting}, Holding: dialect.LockParty{ConnectionID: holding}, Table: "audio", Certain: true}
}

func perhaps(w dialect.LockWait) dialect.LockWait {
	w.Certain = false
	return w
}

func always(s *script, n int, waits ...dialect.LockWait) {
	for range n {
		s.on("WHO WAITS", reply{says: waits})
	}
}

// ids are the holders that err tells of.
func ids(t *testing.T, err error) (all []int64, held *atomic.LockHeldError) {
	t.Helper()
	require.ErrorAs(t, err, &held)
	for _, h := range held.Holders {
		all = append(all, h.ConnectionID)
	}
	return all, held
}

// explained runs UPDATE a in a block that explains locks.
func (s *script) explained(opts ...atomic.Option) error {
	return s.do(s.t.Context(), func(ctx context.Context) error { return s.exec(ctx, "UPDATE a") }, append(opts, atomic.ExplainLocks())...)
}

func TestExplainLocks_AWait(t *testing.T) {
	play(t, func(t *testing.T, s *script) {
		always(s, 4, waitsFor(1, 7), waitsFor(8, 9))
		s.on("UPDATE a", after(time.Second, refuses(locked)))
		err := s.explained(atomic.LockTimeout(time.Second))
		require.ErrorIs(t, err, dialect.ErrLockNotAvailable)
		all, held := ids(t, err)
		require.Equal(t, []int64{7}, all)
		require.True(t, held.Certain)
		require.Equal(t, atomic.Holder{LockParty: dialect.LockParty{ConnectionID: 7}, Table: "audio"}, held.Holders[0])
		// At 40 ms, and then every 250, on another connection.
		s.sent("BEGIN; SET WAIT 1s; UPDATE a", "2: WHO WAITS", "2: WHO WAITS", "2: WHO WAITS", "2: WHO WAITS", "ROLLBACK; RESET WAIT")
	}, lockWaits)
}

// The holders of the lock, those who these wait for, and so on.
func TestExplainLocks_WhoTheHoldersWaitFor(t *testing.T) {
	many := []dialect.LockWait{waitsFor(1, 100)}
	for id := int64(100); id < 120; id++ {
		many = append(many, waitsFor(id, id+1))
	}
	for name, c := range map[string]struct {
		waits   []dialect.LockWait
		ids     []int64
		waiting []int64
		certain bool
	}{
		"one":                   {[]dialect.LockWait{waitsFor(1, 7)}, []int64{7}, nil, true},
		"two":                   {[]dialect.LockWait{waitsFor(1, 7), waitsFor(1, 8)}, []int64{7, 8}, nil, true},
		"the same twice":        {[]dialect.LockWait{waitsFor(1, 7), waitsFor(1, 7)}, []int64{7}, nil, true},
		"in a chain":            {[]dialect.LockWait{waitsFor(7, 8), waitsFor(1, 7), waitsFor(8, 9)}, []int64{7, 8, 9}, []int64{7, 8}, true},
		"the second of two":     {[]dialect.LockWait{waitsFor(1, 7), waitsFor(1, 8), waitsFor(8, 9)}, []int64{7, 8, 9}, []int64{8}, true},
		"in a circle":           {[]dialect.LockWait{waitsFor(1, 7), waitsFor(7, 1)}, []int64{7}, []int64{7}, true},
		"perhaps":               {[]dialect.LockWait{perhaps(waitsFor(1, 7))}, []int64{7}, nil, false},
		"perhaps, then surely":  {[]dialect.LockWait{perhaps(waitsFor(1, 7)), waitsFor(1, 8)}, []int64{7, 8}, nil, false},
		"surely, then perhaps":  {[]dialect.LockWait{waitsFor(1, 7), perhaps(waitsFor(7, 8))}, []int64{7, 8}, []int64{7}, false},
		"perhaps somebody else": {[]dialect.LockWait{waitsFor(1, 7), perhaps(waitsFor(8, 9))}, []int64{7}, nil, true},
		"ten at most":           {many, []int64{100, 101, 102, 103, 104, 105, 106, 107, 108, 109}, []int64{100, 101, 102, 103, 104, 105, 106, 107, 108}, true},
	} {
		t.Run(name, func(t *testing.T) {
			play(t, func(t *testing.T, s *script) {
				always(s, 1, c.waits...)
				s.on("UPDATE a", after(100*time.Millisecond, refuses(locked)))
				all, held := ids(t, s.explained(atomic.LockTimeout(100*time.Millisecond)))
				require.Equal(t, c.ids, all)
				require.Equal(t, c.certain, held.Certain)
				var waiting []int64
				for _, h := range held.Holders {
					if h.Waits {
						waiting = append(waiting, h.ConnectionID)
					}
				}
				require.Equal(t, c.waiting, waiting)
			}, lockWaits)
		})
	}
}

// The lock that was waited for last may be another one than was seen: certain is
// only what was seen in the wait that has failed.
func TestExplainLocks_Certain(t *testing.T) {
	own := time.Second
	for name, c := range map[string]struct {
		server  dialect.Server
		limit   *time.Duration // of the block
		looks   []bool         // whether the holder is seen, at 40, 290, 540, … ms
		fails   time.Duration
		text    string
		certain bool
	}{
		"seen all the time":          {mysql, &own, []bool{true, true, true, true}, time.Second, "UPDATE a", true},
		"seen before that wait":      {mysql, &own, []bool{true, false, false, false, false, false}, 1400 * time.Millisecond, "UPDATE a", false},
		"seen in that wait":          {mysql, &own, []bool{false, false, true, false, false, false}, 1400 * time.Millisecond, "UPDATE a", true},
		"MySQL's least wait":         {mysql, nil, []bool{true, true, true, true}, time.Second, "UPDATE a", true},
		"PostgreSQL without a limit": {postgres, nil, []bool{true, true, true, true}, time.Second, "UPDATE a", false},
		"PostgreSQL":                 {postgres, &own, []bool{true, true, true, true}, time.Second, "UPDATE a", true},
		"MariaDB never":              {mariadb, &own, []bool{true, true, true, true}, time.Second, "UPDATE a", false},
		"not with NOWAIT":            {mysql, &own, []bool{true, true, true, true}, time.Second, "UPDATE a nowait", false},
	} {
		t.Run(name, func(t *testing.T) {
			play(t, func(t *testing.T, s *script) {
				last := 0
				for i, seen := range c.looks {
					if seen {
						always(s, 1, waitsFor(1, 7))
						last = i
					} else {
						s.on("WHO WAITS", reply{says: []dialect.LockWait{waitsFor(3, 4)}})
					}
				}
				// Long ago is not worth telling: then the server is asked again.
				if c.fails-40*time.Millisecond-time.Duration(last)*250*time.Millisecond >= 500*time.Millisecond {
					s.on("WHO HELD 1 UP", reply{})
				}
				s.on(c.text, after(c.fails, refuses(locked)))
				opts := []atomic.Option{atomic.ExplainLocks()}
				if c.limit != nil {
					opts = append(opts, atomic.LockTimeout(*c.limit))
				}
				err := s.do(t.Context(), func(ctx context.Context) error { return s.exec(ctx, c.text) }, opts...)
				all, held := ids(t, err)
				require.Equal(t, []int64{7}, all)
				require.Equal(t, c.certain, held.Certain)
			}, setup{engine: watching, server: c.server})
		})
	}
	// A statement's own limit counts before the block's.
	play(t, func(t *testing.T, s *script) {
		always(s, 1, waitsFor(1, 7))
		always(s, 1)
		s.on("SELECT a", after(400*time.Millisecond, refuses(locked)))
		err := s.do(t.Context(), func(ctx context.Context) error { return s.lock(ctx, "SELECT a", 100*time.Millisecond) },
			atomic.LockTimeout(time.Hour), atomic.ExplainLocks())
		_, held := ids(t, err)
		require.False(t, held.Certain)
	}, lockWaits)
}

// Nobody was seen, so the server is asked who has such locks.
func TestExplainLocks_AtOnce(t *testing.T) {
	for _, certain := range []bool{true, false} {
		play(t, func(t *testing.T, s *script) {
			s.on("UPDATE a", refuses(locked))
			s.on("WHO HELD 1 UP", reply{says: holders{[]dialect.LockParty{{ConnectionID: 7}, {ConnectionID: 8}}, certain}})
			all, held := ids(t, s.explained())
			require.Equal(t, []int64{7, 8}, all)
			require.Equal(t, certain, held.Certain)
			s.sent("BEGIN; UPDATE a", "2: WHO HELD 1 UP", "ROLLBACK")
		}, lockWaits)
	}
	play(t, func(t *testing.T, s *script) {
		s.on("UPDATE a", refuses(locked))
		s.on("WHO HELD 1 UP", reply{says: holders{make([]dialect.LockParty, 12), true}})
		all, _ := ids(t, s.explained())
		require.Len(t, all, 10)
	}, lockWaits)
}

// After a deadlock the server's own report is read; whoever was seen before is
// told as it was then.
func TestExplainLocks_ADeadlock(t *testing.T) {
	victim := reply{err: deadlock, over: true}
	play(t, func(t *testing.T, s *script) {
		seen := waitsFor(1, 7)
		seen.Holding.Statement = "UPDATE b"
		always(s, 1, seen)
		s.on("UPDATE a", after(100*time.Millisecond, victim))
		s.on("WHO HELD 1 UP", reply{says: holders{[]dialect.LockParty{{ConnectionID: 9}, {ConnectionID: 7, Statement: "COMMIT"}}, true}})
		all, held := ids(t, s.explained())
		require.Equal(t, []int64{9, 7}, all)
		require.True(t, held.Certain)
		require.Equal(t, "UPDATE b", held.Holders[1].Statement)
		require.Empty(t, held.Holders[0].Statement)
	}, lockWaits)
	play(t, func(t *testing.T, s *script) {
		always(s, 1, waitsFor(1, 7))
		s.on("UPDATE a", after(100*time.Millisecond, victim))
		s.on("WHO HELD 1 UP", reply{says: holders{nil, true}})
		all, held := ids(t, s.explained())
		require.Equal(t, []int64{7}, all, "who was waited for")
		require.False(t, held.Certain, "need not be who was in it")
	}, lockWaits)
	play(t, func(t *testing.T, s *script) {
		s.on("UPDATE a", victim)
		s.on("WHO HELD 1 UP", refuses(unnamed))
		err := s.explained()
		require.ErrorIs(t, err, dialect.ErrDeadlock)
		require.NotErrorAs(t, err, new(*atomic.LockHeldError), "the error stays as it is")
	}, lockWaits)
}

func TestExplainLocks_CtxEnds(t *testing.T) {
	for name, c := range map[string]struct {
		limit time.Duration
		seen  bool
	}{"before the first look": {30 * time.Millisecond, false}, "after it": {100 * time.Millisecond, true}, "long after it": {700 * time.Millisecond, false}} {
		t.Run(name, func(t *testing.T) {
			play(t, func(t *testing.T, s *script) {
				if c.limit > 40*time.Millisecond {
					always(s, 1, waitsFor(1, 7))
				}
				s.on("UPDATE a", reply{silent: true})
				err := s.explained(atomic.Timeout(c.limit))
				require.ErrorIs(t, err, atomic.ErrTimeout)
				if !c.seen {
					require.NotErrorAs(t, err, new(*atomic.LockHeldError))
					return
				}
				all, held := ids(t, err)
				require.Equal(t, []int64{7}, all)
				require.False(t, held.Certain, "it may have obtained the lock since")
			}, lockWaits)
		})
	}
}

// Other errors are not about locks.
func TestExplainLocks_AnotherError(t *testing.T) {
	play(t, func(t *testing.T, s *script) {
		always(s, 1, waitsFor(1, 7))
		s.on("UPDATE a", after(100*time.Millisecond, refuses(unique)))
		err := s.explained()
		require.ErrorIs(t, err, dialect.ErrUniqueViolation)
		require.NotErrorAs(t, err, new(*atomic.LockHeldError))
		s.sent("BEGIN; UPDATE a", "2: WHO WAITS", "ROLLBACK")
	}, lockWaits)
}

// A wait of one statement says nothing of the next one.
func TestExplainLocks_ForgetsTheLastStatement(t *testing.T) {
	play(t, func(t *testing.T, s *script) {
		always(s, 1, waitsFor(1, 7))
		s.on("UPDATE a", after(100*time.Millisecond, reply{}))
		s.on("UPDATE b", refuses(locked))
		s.on("WHO HELD 1 UP", reply{})
		err := s.do(t.Context(), func(ctx context.Context) error {
			s.must(ctx, "UPDATE a")
			return s.exec(ctx, "UPDATE b")
		}, atomic.ExplainLocks())
		require.ErrorIs(t, err, dialect.ErrLockNotAvailable)
		require.NotErrorAs(t, err, new(*atomic.LockHeldError))
	}, lockWaits)
}

// Nested blocks explain with the outer one, and alone.
func TestExplainLocks_InANestedBlock(t *testing.T) {
	for _, asks := range []string{"outer", "inner", "nobody"} {
		play(t, func(t *testing.T, s *script) {
			option := func(who string) []atomic.Option {
				if who == asks {
					return []atomic.Option{atomic.ExplainLocks()}
				}
				return nil
			}
			s.on("UPDATE a", refuses(locked))
			if asks != "nobody" {
				s.on("WHO HELD 1 UP", reply{says: holders{[]dialect.LockParty{{ConnectionID: 7}}, true}})
			}
			err := s.do(t.Context(), func(ctx context.Context) error {
				return s.do(ctx, func(ctx context.Context) error { return s.exec(ctx, "UPDATE a") }, option("inner")...)
			}, option("outer")...)
			require.ErrorIs(t, err, dialect.ErrLockNotAvailable)
			if asks == "nobody" {
				s.sent("BEGIN; SAVEPOINT hf_1; UPDATE a", "ROLLBACK")
				require.NotErrorAs(t, err, new(*atomic.LockHeldError))
				return
			}
			require.ErrorAs(t, err, new(*atomic.LockHeldError))
		}, lockWaits)
	}
}

// Whoever cannot ask does not: the block is as it would be without.
func TestExplainLocks_NobodyCanBeAsked(t *testing.T) {
	for name, set := range map[string]setup{
		"the engine does not know": {}, "the server does not": {engine: watching, server: sqlite},
		"it knows locks on names alone": {engine: locking},
	} {
		t.Run(name, func(t *testing.T) {
			play(t, func(t *testing.T, s *script) {
				s.on("UPDATE a", after(time.Second, refuses(locked)))
				err := s.explained()
				require.ErrorIs(t, err, dialect.ErrLockNotAvailable)
				require.NotErrorAs(t, err, new(*atomic.LockHeldError))
				s.sent("BEGIN; UPDATE a", "ROLLBACK")
			}, set)
		})
	}
}

// What a replica's connection waits for, the writer does not know: there, its number is
// somebody else's.
func TestExplainLocks_OnAReplica(t *testing.T) {
	withReplicas(t, 1, func(t *testing.T, s *script, own *history, _ *strings.Builder, all []*follower) {
		r := all[0]
		r.on("read", after(time.Second, refuses(locked)))
		err := s.do(t.Context(), func(ctx context.Context) error { return s.exec(ctx, "read") }, atomic.ReadOnly(), atomic.ExplainLocks())
		require.ErrorIs(t, err, dialect.ErrLockNotAvailable)
		require.NotErrorAs(t, err, new(*atomic.LockHeldError))
		r.sent("BEGIN READ ONLY; read", "ROLLBACK")
		s.sent()
	})
}
