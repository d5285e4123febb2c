package block_test

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"io"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/atomic"
	"github.com/holdfast-go/holdfast/dialect"
	"github.com/holdfast-go/holdfast/internal/backend"
	"github.com/holdfast-go/holdfast/internal/block"
)

// withReplicas is withReplica with so many, and what is logged.
func withReplicas(t *testing.T, number int, test func(t *testing.T, s *script, own *history, log *strings.Builder, r []*follower)) {
	t.Helper()
	own, log := &history{position: "here"}, &strings.Builder{}
	play(t, func(t *testing.T, s *script) {
		var all []*follower
		var sources []dialect.Source
		for range number {
			r := &follower{script: &script{t: t, replies: map[string][]reply{}, setup: setup{server: postgres}}, history: &history{standing: backend.Reached}}
			r.open()
			defer r.close()
			all, sources = append(all, r), append(sources, r)
		}
		require.NoError(t, s.db.Open(t.Context(), block.NewReplicas(sources, wait, func(*backend.Database) {})))
		test(t, s, own, log, all)
	}, setup{server: postgres, settings: block.Settings{Logger: slog.New(slog.NewTextHandler(log, nil))},
		engine: func(e *engine) backend.Engine { return watchingWriter{tellingEngine{e, own}, watcher{locker{e}}} }})
}

// watchingWriter leaves tokens, and tells who waits for whom.
type watchingWriter struct {
	tellingEngine
	watcher
}

// reads sends a read that may go to a replica, outside any block.
func reads(ctx context.Context, s *script) error {
	return s.db.Query(ctx, block.Statement{SQL: "SELECT a", Built: true, Replica: true}, func(driver.Rows) error { return nil })
}

// Reads take turns, in blocks and outside of them; what writes, and what must not be
// elsewhere, is the writer's.
func TestR01_WhatIsReadOnReplicas(t *testing.T) {
	withReplicas(t, 2, func(t *testing.T, s *script, own *history, log *strings.Builder, r []*follower) {
		ctx := t.Context()
		for range 4 {
			require.NoError(t, reads(ctx, s))
		}
		for _, one := range r {
			one.sent("SELECT a", "SELECT a")
		}
		s.sent()
		for _, opts := range [][]atomic.Option{
			{}, {atomic.ReadOnly(), atomic.Deferrable()}, {atomic.ReadOnly(), atomic.Isolation(sql.LevelSerializable)},
		} {
			require.NoError(t, s.do(ctx, func(ctx context.Context) error { return s.exec(ctx, "read") }, opts...))
		}
		session, inside := s.session(ctx)
		require.NoError(t, s.do(inside, func(ctx context.Context) error { return s.exec(ctx, "read") }, atomic.ReadOnly()))
		require.NoError(t, session.Close())
		require.NoError(t, s.db.Query(ctx, block.Statement{SQL: "SELECT a", Built: true}, func(driver.Rows) error { return nil }))
		for _, one := range r {
			one.sent()
		}
		s.forget()
		require.NoError(t, s.do(ctx, func(ctx context.Context) error { return s.exec(ctx, "read") }, atomic.ReadOnly(), atomic.Isolation(sql.LevelRepeatableRead)))
		s.sent()
		require.Empty(t, log.String())
	})
}

// One that is gone is left out, which is said once; the other answers meanwhile.
func TestR05_AnotherReplicaAnswers(t *testing.T) {
	withReplicas(t, 2, func(t *testing.T, s *script, own *history, log *strings.Builder, r []*follower) {
		ctx := t.Context()
		r[0].pool.SetMaxIdleConns(-1)
		r[0].refuse(farewell)
		for range 6 {
			require.NoError(t, reads(ctx, s))
		}
		s.sent()
		r[0].sent()
		for range 3 { // it is asked again, and found no better
			pass(16 * time.Second)
			require.NoError(t, errors.Join(reads(ctx, s), reads(ctx, s)))
		}
		require.Equal(t, 1, strings.Count(log.String(), "a replica is left out"), log.String())
		require.Contains(t, log.String(), "replica=1")
		r[0].refuse(nil)
		pass(16 * time.Second)
		require.NoError(t, errors.Join(reads(ctx, s), reads(ctx, s), reads(ctx, s), reads(ctx, s)))
		require.Equal(t, 1, strings.Count(log.String(), "a replica is back"), log.String())
		r[0].sent("2: SELECT 1", "2: SELECT a", "3: SELECT a")
		s.sent()
	})
}

// A read outside any block whose replica is lost is sent to another; not to a third,
// once its reader has gone home, and not at all if it may have written.
func TestR05_AReadIsLostOnItsReplica(t *testing.T) {
	withReplicas(t, 2, func(t *testing.T, s *script, own *history, log *strings.Builder, r []*follower) {
		ctx := t.Context()
		for _, one := range r {
			one.on("SELECT a", refuses(gone))
		}
		require.NoError(t, reads(ctx, s))
		r[0].sent("SELECT a")
		r[1].sent("SELECT a")
		s.sent("SELECT a")
		require.NoError(t, reads(ctx, s))
		s.sent("SELECT a")
		r[0].sent()
		r[1].sent()

		pass(16 * time.Second)
		require.NoError(t, errors.Join(reads(ctx, s), reads(ctx, s)))
		r[0].forget()
		r[1].forget()
		for _, one := range r {
			one.on("SELECT b()", refuses(gone))
		}
		for range 2 {
			_, err := s.db.Exec(ctx, block.Statement{SQL: "SELECT b()", Replica: true})
			require.ErrorIs(t, err, atomic.ErrOutcomeUnknown)
		}
		r[0].sent("2: SELECT b()")
		r[1].sent("2: SELECT b()")
		s.sent()
		for _, one := range r {
			one.on("SELECT a", refuses(unique))
		}
		require.ErrorIs(t, errors.Join(reads(ctx, s), reads(ctx, s)), dialect.ErrUniqueViolation, "the server has answered")
		s.sent()
	})
}

// Who gives up while a replica is asked has not found out anything about it: it is in
// use for the next, and left out no longer than it was.
func TestR05_WhoGivesUpHasFoundOutNothing(t *testing.T) {
	withReplicas(t, 1, func(t *testing.T, s *script, own *history, log *strings.Builder, all []*follower) {
		r := all[0]
		late, err := s.db.Seen(t.Context(), "late")
		require.NoError(t, err)
		r.history.standing = backend.Behind
		impatient, cancel := context.WithTimeoutCause(late, wait/2, errCaller)
		defer cancel()
		require.ErrorIs(t, readsOnly(impatient, s), errCaller)
		require.Empty(t, log.String())
		r.history.standing = backend.Reached
		require.NoError(t, readsOnly(late, s))
		r.sent("BEGIN READ ONLY; read", "COMMIT")

		// So has who is the one to find out whether it is back.
		r.on("BEGIN READ ONLY", refuses(gone), refuses(gone))
		require.NoError(t, readsOnly(t.Context(), s))
		pass(time.Second)
		answer := make(chan struct{})
		defer close(answer)
		r.on("(connect)", reply{until: answer})
		r.forget()
		impatient, cancel = context.WithTimeoutCause(t.Context(), wait/2, errCaller)
		defer cancel()
		require.ErrorIs(t, readsOnly(impatient, s), errCaller)
		require.NoError(t, readsOnly(t.Context(), s))
		r.sent("3: SELECT 1", "3: BEGIN READ ONLY; read", "3: COMMIT")
		require.Equal(t, 1, strings.Count(log.String(), "left out"))

		// And who gives up while that one is behind.
		r.on("BEGIN READ ONLY", refuses(gone), refuses(gone))
		require.NoError(t, readsOnly(t.Context(), s))
		pass(time.Second)
		r.forget()
		r.history.standing = backend.Behind
		impatient, cancel = context.WithTimeoutCause(late, wait/2, errCaller)
		defer cancel()
		require.ErrorIs(t, readsOnly(impatient, s), errCaller)
		r.history.standing = backend.Reached
		require.NoError(t, readsOnly(late, s))
		r.sent("5: BEGIN READ ONLY; read", "5: COMMIT")
		require.Equal(t, 2, strings.Count(log.String(), "left out"))
	})
}

// One whose pool is in use says nothing of its server: the writer answers, and nobody
// is left out.
func TestR05_AReplicaHasNoRoom(t *testing.T) {
	withReplicas(t, 1, func(t *testing.T, s *script, own *history, log *strings.Builder, all []*follower) {
		r := all[0]
		r.pool.SetMaxOpenConns(1)
		require.NoError(t, s.do(t.Context(), func(ctx context.Context) error {
			require.NoError(t, s.exec(ctx, "read"))
			began := time.Now()
			require.NoError(t, readsOnly(t.Context(), s))
			require.Equal(t, 2*wait, time.Since(began), "it might have got some")
			return nil
		}, atomic.ReadOnly()))
		s.sent("BEGIN READ ONLY; read", "COMMIT")
		r.sent("BEGIN READ ONLY; read", "COMMIT")
		require.Empty(t, log.String())
		require.NoError(t, readsOnly(t.Context(), s))
		r.sent("BEGIN READ ONLY; read", "COMMIT")
	})
}

// A server that was started again has closed what the pool has of it: that is no reason
// to leave it out.
func TestR05_AReplicaWasStartedAgain(t *testing.T) {
	withReplicas(t, 1, func(t *testing.T, s *script, own *history, log *strings.Builder, all []*follower) {
		r := all[0]
		late, err := s.db.Seen(t.Context(), "late")
		require.NoError(t, err)
		own.renewed, r.history.standing = "late", backend.Behind
		require.NoError(t, readsOnly(t.Context(), s))
		require.NoError(t, readsOnly(late, s), "it is left out")
		require.Equal(t, 1, strings.Count(log.String(), "left out"))
		pass(time.Second)
		r.forget()
		s.forget()
		r.age()
		r.history.standing = backend.Reached
		require.NoError(t, readsOnly(t.Context(), s))
		r.sent("2: SELECT 1", "2: BEGIN READ ONLY; read", "2: COMMIT")
		s.sent()
		require.Equal(t, 1, strings.Count(log.String(), "is back"))
	})
}

// What an error of the question for its place says: the replica is left out, and its
// connection closed.
func TestR05_AReplicaCannotSayWhereItStands(t *testing.T) {
	withReplicas(t, 1, func(t *testing.T, s *script, own *history, log *strings.Builder, all []*follower) {
		r := all[0]
		seen, err := s.db.Seen(t.Context(), "late")
		require.NoError(t, err)
		r.history.failure = unnamed
		require.NoError(t, readsOnly(seen, s))
		s.sent("BEGIN READ ONLY; read", "COMMIT")
		require.Contains(t, log.String(), "the driver has choked")
		require.Empty(t, r.connected())
		r.history.failure = nil
		pass(time.Second)
		require.NoError(t, readsOnly(seen, s))
		r.sent("2: BEGIN READ ONLY; read", "2: COMMIT")
	})
}

// The first of several that is behind its reader is waited for; the others are not as
// well.
func TestR05_OneIsWaitedFor(t *testing.T) {
	withReplicas(t, 2, func(t *testing.T, s *script, own *history, log *strings.Builder, r []*follower) {
		seen, err := s.db.Seen(t.Context(), "late")
		require.NoError(t, err)
		r[0].history.standing, r[1].history.standing = backend.Behind, backend.Behind
		own.renewed = "late"
		began := time.Now()
		require.NoError(t, readsOnly(seen, s))
		require.Equal(t, wait, time.Since(began))
		require.Len(t, append(r[0].history.asked, r[1].history.asked...), 1)
		require.NoError(t, readsOnly(seen, s))
		require.Equal(t, 2*wait, time.Since(began))
		require.NoError(t, readsOnly(seen, s))
		require.Equal(t, 2*wait, time.Since(began), "both are left out")
		require.Equal(t, 2, strings.Count(log.String(), errBehind))
	})
}

const errBehind = "it has not shown within the limit what its reader has written"

// sourceOf is what opens to a database.
type sourceOf func() (*backend.Database, error)

func (f sourceOf) Connect(context.Context) (io.Closer, error) { return f() }

// What cannot be a replica, or have one, is told at once, and what was opened for it
// is closed.
func TestR05_WhatCannotBeAReplica(t *testing.T) {
	own := &history{}
	telling := func(e *engine) backend.Engine { return tellingEngine{e, own} }
	quiet := block.Settings{Logger: slog.New(slog.DiscardHandler)}
	play(t, func(t *testing.T, s *script) {
		for _, c := range []struct {
			server dialect.Server
			engine func(*engine) backend.Engine
			want   string
		}{
			{mysql, telling, "it is a server of another kind"},
			{postgres, nil, "not supported"},
			{postgres, func(e *engine) backend.Engine { return mute{tellingEngine{e, own}} }, "does not say where its server stands"},
		} {
			other := &script{t: t, replies: map[string][]reply{}, setup: setup{server: c.server, engine: c.engine}}
			other.open()
			opened := other.db.Database()
			err := s.db.Open(t.Context(), block.NewReplicas([]dialect.Source{sourceOf(func() (*backend.Database, error) { return opened, nil })}, wait, func(*backend.Database) {}))
			assert.ErrorContains(t, err, "replica 1: ")
			assert.ErrorContains(t, err, c.want)
			assert.ErrorContains(t, other.pool.PingContext(t.Context()), "database is closed")
			other.close()
		}
	}, setup{server: postgres, settings: quiet, engine: telling})
	play(t, func(t *testing.T, s *script) {
		err := s.db.Open(t.Context(), block.NewReplicas(nil, wait, nil))
		assert.ErrorIs(t, err, dialect.ErrUnsupported)
		assert.ErrorContains(t, err, "the writer: ")
	}, setup{server: postgres, settings: quiet, engine: func(e *engine) backend.Engine { return mute{tellingEngine{e, own}} }})
	play(t, func(t *testing.T, s *script) {
		s.refuse(unnamed)
		err := s.db.Open(t.Context(), block.NewReplicas(nil, wait, nil))
		assert.ErrorIs(t, err, unnamed)
		s.refuse(nil)
	}, setup{server: postgres, settings: quiet, engine: telling})
}

// mute is tellingEngine with a driver that does not say where its server stands.
type mute struct{ tellingEngine }

func (m mute) Wire(driverConn any) backend.Wire { return m.engine.Wire(driverConn) }

// One that comes up after the database was closed is closed too, and what fails there is
// told.
func TestR05_TheDatabaseIsClosed(t *testing.T) {
	own := &history{}
	play(t, func(t *testing.T, s *script) {
		other := &script{t: t, replies: map[string][]reply{}, setup: setup{server: postgres}}
		other.open()
		defer other.close()
		up := make(chan struct{})
		first := true
		source := sourceOf(func() (*backend.Database, error) {
			if first {
				first = false
				return nil, &dialect.OpenError{Setting: "host", Err: errAsked}
			}
			<-up
			return &backend.Database{Pool: other.pool, Server: postgres, Engine: tellingEngine{&engine{other}, own}}, nil
		})
		require.NoError(t, s.db.Open(t.Context(), block.NewReplicas([]dialect.Source{source}, wait, func(*backend.Database) {})))
		pass(time.Second)
		read := aside(func() error { return reads(t.Context(), s) })
		require.NoError(t, s.db.Close())
		close(up)
		require.Error(t, read())
		require.ErrorContains(t, other.pool.PingContext(t.Context()), "database is closed")
	}, setup{server: postgres, settings: block.Settings{Logger: slog.New(slog.DiscardHandler)},
		engine: func(e *engine) backend.Engine { return tellingEngine{e, own} }})
}

// What fails while a replica is closed is told by who closes the database.
func TestClose_TellsWhatFailsOfAReplica(t *testing.T) {
	withReplica(t, func(t *testing.T, s *script, _ *history, r *follower) {
		r.setup.closing = errCaller
		require.ErrorIs(t, s.db.Close(), errCaller)
	})
}
