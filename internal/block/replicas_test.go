package block_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/atomic"
	"github.com/holdfast-go/holdfast/dialect"
	"github.com/holdfast-go/holdfast/internal/backend"
	"github.com/holdfast-go/holdfast/internal/block"
)

// history is what the servers of a test say of where they stand.
type history struct {
	mu       sync.Mutex
	position string // of what is committed next
	silent   error  // instead
	standing backend.Standing
	failure  error // of the question for it
	asked    []string
	suspect  bool
	renewed  string
	renews   func(token string) string // instead
}

// tellingEngine is one whose server leaves tokens.
type tellingEngine struct {
	*engine
	*history
}

func (e tellingEngine) Wire(driverConn any) backend.Wire {
	return &tellingWire{conn: e.engine.Wire(driverConn).(*conn), history: e.history}
}
func (e tellingEngine) Leaves() error { return nil }
func (e tellingEngine) Check(token string) error {
	if token[0] == '?' {
		return errors.New("no token")
	}
	return nil
}
func (e tellingEngine) Join(token, later string) string { return token + "+" + later }
func (e tellingEngine) Suspect(string) bool             { return e.suspect }

type tellingWire struct {
	*conn
	*history
}

func (w *tellingWire) Tell(on bool) []string {
	if !on {
		return nil
	}
	return []string{"TRACK"}
}
func (w *tellingWire) Position(context.Context) (string, error) { return w.position, w.silent }
func (w *tellingWire) Renew(_ context.Context, token string) (string, error) {
	w.history.mu.Lock()
	w.asked = append(w.asked, "renew "+token)
	w.history.mu.Unlock()
	if w.renews != nil {
		return w.renews(token), w.silent
	}
	return w.renewed, w.silent
}

func (w *tellingWire) Reach(_ context.Context, token string, limit time.Duration) (backend.Standing, error) {
	w.history.mu.Lock()
	w.asked = append(w.asked, "reach "+token)
	waits := w.standing == backend.Behind && w.failure == nil
	w.history.mu.Unlock()
	if waits {
		pass(limit)
	}
	w.history.mu.Lock()
	defer w.history.mu.Unlock()
	return w.standing, w.failure
}

// stands has the server be there from now on, also for who waits already.
func (h *history) stands(at backend.Standing) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.standing = at
}

// follower is the source of a replica that a script plays.
type follower struct {
	*script
	history *history
	gone    error
}

func (f *follower) Connect(context.Context) (io.Closer, error) {
	if f.gone != nil {
		return nil, f.gone
	}
	return &backend.Database{Pool: f.pool, Server: postgres, Engine: tellingEngine{&engine{f.script}, f.history}}, nil
}

const wait = time.Second

// withReplica is play with a writer, s, and a replica of it.
func withReplica(t *testing.T, test func(t *testing.T, s *script, own *history, r *follower)) {
	t.Helper()
	own := &history{position: "here"}
	play(t, func(t *testing.T, s *script) {
		r := &follower{script: &script{t: t, replies: map[string][]reply{}, setup: setup{server: postgres}}, history: &history{standing: backend.Reached}}
		r.open()
		defer r.close()
		require.NoError(t, s.db.Open(t.Context(), block.NewReplicas([]dialect.Source{r}, wait, func(*backend.Database) {})))
		test(t, s, own, r)
	}, setup{server: postgres, settings: block.Settings{Logger: slog.New(slog.DiscardHandler)},
		engine: func(e *engine) backend.Engine { return tellingEngine{e, own} }})
}

func readsOnly(ctx context.Context, s *script) error {
	return s.do(ctx, func(ctx context.Context) error { return s.exec(ctx, "read") }, atomic.ReadOnly())
}

// Without Seen nobody is told anything.
func TestR04_NothingIsAskedWithoutSeen(t *testing.T) {
	withReplica(t, func(t *testing.T, s *script, own *history, r *follower) {
		ctx := t.Context()
		require.NoError(t, s.do(ctx, func(ctx context.Context) error { return s.exec(ctx, "write") }))
		s.must(ctx, "alone")
		require.NoError(t, readsOnly(ctx, s))
		s.sent("BEGIN; write", "COMMIT", "alone")
		r.sent("BEGIN READ ONLY; read", "COMMIT")
		assert.Empty(t, own.asked)
		assert.Empty(t, r.history.asked)
	})
}

func TestR03_WhatIsCommittedIsRemembered(t *testing.T) {
	withReplica(t, func(t *testing.T, s *script, own *history, r *follower) {
		seen, err := s.db.Seen(t.Context(), "")
		require.NoError(t, err)
		require.NoError(t, s.do(seen, func(ctx context.Context) error { return s.exec(ctx, "write") }))
		assert.Equal(t, "here", s.db.SeenToken(seen))
		s.sent("TRACK; BEGIN; write", "COMMIT")
		own.position = "there"
		s.must(seen, "alone")
		s.sent("TRACK; alone")
		assert.Equal(t, "here+there", s.db.SeenToken(seen))
		own.position = "nowhere"
		assert.Error(t, s.do(seen, func(context.Context) error { return errAsked }))
		_ = s.do(seen, func(ctx context.Context) error { s.must(ctx, "write"); return errAsked })
		require.NoError(t, readsOnly(seen, s))
		assert.Equal(t, "here+there", s.db.SeenToken(seen), "what is rolled back, or only read, is nothing")
		assert.Equal(t, []string{"reach here+there"}, r.history.asked)

		more, err := s.db.Seen(seen, "cookie")
		require.NoError(t, err)
		assert.Equal(t, "here+there+cookie", s.db.SeenToken(more))
		own.renewed = "all"
		s.must(more, "CALL p")
		assert.Equal(t, "here+there+cookie+all", s.db.SeenToken(more), "it may have committed several times")
		_, err = s.db.Seen(seen, "?")
		assert.ErrorIs(t, err, atomic.ErrToken)
	})
}

// What nobody knows the place of is read from the writer.
func TestR03_WhatIsNotToldIsReadFromTheWriter(t *testing.T) {
	for name, lose := range map[string]func(s *script, own *history, ctx context.Context){
		"the server is silent": func(s *script, own *history, ctx context.Context) {
			own.silent = errAsked
			require.NoError(s.t, s.do(ctx, func(ctx context.Context) error { return s.exec(ctx, "write") }))
		},
		"COMMIT without an answer": func(s *script, _ *history, ctx context.Context) {
			s.on("COMMIT", refuses(gone))
			assert.ErrorIs(s.t, s.do(ctx, func(ctx context.Context) error { return s.exec(ctx, "write") }), atomic.ErrCommitUnknown)
		},
		"a statement without an answer": func(s *script, _ *history, ctx context.Context) {
			s.on("alone", refuses(gone))
			assert.ErrorIs(s.t, s.exec(ctx, "alone"), atomic.ErrOutcomeUnknown)
		},
	} {
		t.Run(name, func(t *testing.T) {
			withReplica(t, func(t *testing.T, s *script, own *history, r *follower) {
				seen, err := s.db.Seen(t.Context(), "")
				require.NoError(t, err)
				lose(s, own, seen)
				assert.Equal(t, "writer", s.db.SeenToken(seen))
				require.NoError(t, readsOnly(seen, s))
				r.sent()
				other, err := s.db.Seen(t.Context(), "writer")
				require.NoError(t, err)
				require.NoError(t, readsOnly(other, s))
				r.sent()
			})
		})
	}
}

// One that is too far behind is waited for once, left out, and back when it has what
// it was left out for.
func TestR05_TooFarBehind(t *testing.T) {
	withReplica(t, func(t *testing.T, s *script, own *history, r *follower) {
		ctx := t.Context()
		seen, err := s.db.Seen(ctx, "late")
		require.NoError(t, err)
		own.renewed = "late"
		r.history.standing = backend.Behind
		began := time.Now()
		require.NoError(t, readsOnly(seen, s))
		assert.Equal(t, wait, time.Since(began))
		require.NoError(t, readsOnly(seen, s))
		require.NoError(t, readsOnly(ctx, s))
		assert.Equal(t, wait, time.Since(began), "nobody waits any more")
		for pause := 250 * time.Millisecond; pause < 2*time.Second; pause *= 2 {
			pass(pause + time.Millisecond)
			began = time.Now()
			require.NoError(t, readsOnly(ctx, s))
			assert.Zero(t, time.Since(began), "it is asked, and not waited for")
			require.NoError(t, readsOnly(ctx, s))
		}
		assert.Equal(t, []string{"reach late", "reach late", "reach late", "reach late"}, r.history.asked)
		r.sent()
		r.history.standing = backend.Reached
		pass(16 * time.Second)
		require.NoError(t, readsOnly(ctx, s))
		r.sent("SELECT 1", "BEGIN READ ONLY; read", "COMMIT")
	})
}

// Who finds out what another has found out does not make it worse.
func TestR05_ManyFindItTooFarBehind(t *testing.T) {
	withReplica(t, func(t *testing.T, s *script, own *history, r *follower) {
		seen, err := s.db.Seen(t.Context(), "late")
		require.NoError(t, err)
		own.renewed, r.history.standing = "late", backend.Behind
		var all sync.WaitGroup
		for range 16 {
			all.Go(func() { assert.NoError(t, readsOnly(seen, s)) })
		}
		all.Wait()
		asked := len(r.history.asked)
		pass(251 * time.Millisecond)
		require.NoError(t, readsOnly(seen, s))
		assert.Len(t, r.history.asked, asked+1)
	})
}

func TestR05_Gone(t *testing.T) {
	withReplica(t, func(t *testing.T, s *script, _ *history, r *follower) {
		ctx := t.Context()
		r.on("BEGIN READ ONLY", refuses(gone))
		require.NoError(t, readsOnly(ctx, s), "another answers")
		s.sent("BEGIN READ ONLY; read", "COMMIT")
		r.forget()
		require.NoError(t, readsOnly(ctx, s))
		r.sent()
		s.forget()
		pass(time.Second)
		r.refuse(farewell)
		require.NoError(t, readsOnly(ctx, s))
		r.refuse(nil)
		pass(time.Second)
		require.NoError(t, readsOnly(ctx, s))
		r.sent("2: SELECT 1", "2: BEGIN READ ONLY; read", "2: COMMIT")
	})
}

// What another history says is not waited for, and the writer is asked what is left.
func TestR06_AnotherHistoryIsNotWaitedFor(t *testing.T) {
	withReplica(t, func(t *testing.T, s *script, own *history, r *follower) {
		seen, err := s.db.Seen(t.Context(), "old")
		require.NoError(t, err)
		own.renewed, r.history.standing = "new", backend.Elsewhere
		began := time.Now()
		require.NoError(t, readsOnly(seen, s))
		assert.Zero(t, time.Since(began))
		r.sent()
		assert.Equal(t, "new", s.db.SeenToken(seen))
		r.history.standing = backend.Reached
		require.NoError(t, readsOnly(seen, s))
		assert.Equal(t, []string{"reach old", "reach new"}, r.history.asked)
		r.sent("BEGIN READ ONLY; read", "COMMIT")

		own.suspect = true
		seen, err = s.db.Seen(t.Context(), "older")
		require.NoError(t, err)
		for range 3 {
			require.NoError(t, readsOnly(seen, s))
		}
		assert.Equal(t, []string{"renew old", "renew older"}, own.asked, "once")
		assert.Equal(t, []string{"reach old", "reach new", "reach new", "reach new", "reach new"}, r.history.asked)
	})
}

func TestR05_WhatIsWrongWithAReplica(t *testing.T) {
	play(t, func(t *testing.T, s *script) {
		assert.ErrorIs(t, s.db.Open(t.Context(), block.NewReplicas(nil, wait, nil)), dialect.ErrUnsupported)
	}, setup{server: sqlite})
	own := &history{}
	play(t, func(t *testing.T, s *script) {
		for _, c := range []struct {
			gone error
			want bool
		}{
			{&dialect.OpenError{Setting: "host", Err: errAsked}, true},
			{&dialect.OpenError{Setting: "port", Err: errAsked}, true},
			{&dialect.OpenError{Setting: "server", Err: errAsked}, true},
			{&dialect.OpenError{Setting: "max_connections", Err: errAsked}, true},
			{&dialect.Error{Kind: dialect.ErrConnectionLost}, true},
			{&dialect.OpenError{Setting: "port"}, false},
			{&dialect.OpenError{Setting: "password", Err: errAsked}, false},
		} {
			source := &follower{gone: c.gone}
			err := s.db.Open(t.Context(), block.NewReplicas([]dialect.Source{source}, wait, nil))
			assert.Equal(t, c.want, err == nil, "%v", err)
		}
	}, setup{server: postgres, settings: block.Settings{Logger: slog.New(slog.DiscardHandler)},
		engine: func(e *engine) backend.Engine { return tellingEngine{e, own} }})
}

// A procedure in a ReadOnly block that is lost with its replica is not called again: it
// may have committed a part of itself.
func TestR05_AProcedureIsNotCalledAgain(t *testing.T) {
	withReplica(t, func(t *testing.T, s *script, own *history, r *follower) {
		r.on("CALL p", refuses(gone))
		err := s.do(t.Context(), func(ctx context.Context) error { return s.exec(ctx, "CALL p") }, atomic.ReadOnly())
		require.ErrorIs(t, err, dialect.ErrConnectionLost)
		s.sent()
	})
}

// A block that has read on a replica, and loses it, is run again elsewhere if there is a
// Retry: nothing was written.
func TestR05_ABlockIsRunAgainElsewhere(t *testing.T) {
	withReplica(t, func(t *testing.T, s *script, _ *history, r *follower) {
		r.on("read b", refuses(gone))
		require.NoError(t, s.do(t.Context(), func(ctx context.Context) error {
			return errors.Join(s.exec(ctx, "read a"), s.exec(ctx, "read b"))
		}, atomic.ReadOnly(), atomic.Retry(1)))
		r.sent("BEGIN READ ONLY; read a", "read b", "2: BEGIN READ ONLY; read a", "2: read b", "2: COMMIT")
		s.on("read b", refuses(gone))
		require.ErrorIs(t, s.do(t.Context(), func(ctx context.Context) error {
			return errors.Join(s.exec(ctx, "read a"), s.exec(ctx, "read b"))
		}, atomic.Retry(1)), dialect.ErrConnectionLost, "on the writer only if it is asked for")
	})
}
