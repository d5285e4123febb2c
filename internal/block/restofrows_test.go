package block_test

import (
	"context"
	"database/sql/driver"
	"io"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/atomic"
	"github.com/holdfast-go/holdfast/dialect"
	"github.com/holdfast-go/holdfast/internal/backend"
	"github.com/holdfast-go/holdfast/internal/block"
)

// slow is an engine whose server takes a second for each row, and stops when its
// statement is given up.
type slow struct {
	*engine
	read *int // how many rows were sent
}

func (e slow) Wire(driverConn any) backend.Wire {
	return slowWire{e.engine.Wire(driverConn).(*conn), e.read}
}

type slowWire struct {
	*conn
	read *int
}

func (w slowWire) Query(ctx context.Context, prefix []string, query string, args []any) (driver.Rows, error) {
	got, err := w.conn.Query(ctx, prefix, query, args)
	if err != nil {
		return nil, err
	}
	return &slowRows{rows: got.(*rows), ctx: ctx, read: w.read}, nil
}

type slowRows struct {
	*rows
	ctx  context.Context
	read *int
}

func (r *slowRows) Next(dest []driver.Value) error {
	select {
	case <-time.After(time.Second):
	case <-r.ctx.Done():
		return canceled
	}
	err := r.rows.Next(dest)
	if err == nil {
		*r.read++
	}
	return err
}

// blind is slow with a driver that does not look at its ctx while it closes rows.
type blind struct{ slow }

func (blind) DrainsBlindly() {}

func takesOne(rows driver.Rows) error { return rows.Next(make([]driver.Value, 1)) }

// Outside a block a long rest is not read to its end: its reader has enough, and the
// connection goes. What comes of that is no failure.
func TestB10_TheRestOfTheRowsIsGivenUp(t *testing.T) {
	read := 0
	play(t, func(t *testing.T, s *script) {
		s.on("SELECT a", reply{rows: values(1, 2, 3)}, reply{rows: values(1, 2, 3)}, reply{rows: values(1)})
		began := time.Now()
		require.NoError(t, s.db.Query(t.Context(), block.Statement{SQL: "SELECT a"}, takesOne))
		require.Equal(t, 1100*time.Millisecond, time.Since(began))
		require.Equal(t, 1, read)

		began = time.Now()
		rows, err := s.stream(t.Context(), "SELECT a")
		require.NoError(t, err)
		_, err = next(rows)
		require.NoError(t, err)
		require.NoError(t, rows.Close())
		require.Equal(t, 1100*time.Millisecond, time.Since(began))
		require.Empty(t, s.connected())

		rows, err = s.stream(t.Context(), "SELECT a")
		require.NoError(t, err)
		_, err = next(rows)
		require.NoError(t, err)
		_, err = next(rows)
		require.ErrorIs(t, err, io.EOF)
		require.NoError(t, rows.Close())
		require.Equal(t, []int{2}, s.connected(), "what is read to its end leaves a good connection")
	}, setup{engine: func(e *engine) backend.Engine { return slow{e, &read} }})
}

// In a block, in a session and for a text of the library's own the rest is read: the
// connection is worth more than the time.
func TestB10_TheRestOfTheRowsIsRead(t *testing.T) {
	read := 0
	play(t, func(t *testing.T, s *script) {
		whole := func(ctx context.Context, st block.Statement) {
			read = 0
			s.on("SELECT a", reply{rows: values(1, 2), more: values(3, 4)})
			require.NoError(t, s.db.Query(ctx, st, takesOne))
			require.Equal(t, 4, read)
		}
		require.NoError(t, s.do(t.Context(), func(ctx context.Context) error {
			whole(ctx, block.Statement{SQL: "SELECT a"})
			return s.exec(ctx, "UPDATE b")
		}))
		session, ctx := s.session(t.Context())
		whole(ctx, block.Statement{SQL: "SELECT a"})
		require.NoError(t, session.Close())
		whole(t.Context(), block.Statement{SQL: "SELECT a", Built: true})
		require.Equal(t, []int{1}, s.connected())

		// An error in it is that of the statement.
		s.on("SELECT a", reply{rows: values(1, 2), failure: unique})
		err := s.do(t.Context(), func(ctx context.Context) error {
			return s.db.Query(ctx, block.Statement{SQL: "SELECT a"}, takesOne)
		})
		require.ErrorIs(t, err, dialect.ErrUniqueViolation)

		// Behind one that was read already there is nothing.
		s.on("SELECT a", reply{rows: values(1), failure: unique})
		began := time.Now()
		require.ErrorIs(t, s.do(t.Context(), func(ctx context.Context) error {
			_, err := s.all(ctx, "SELECT a")
			return err
		}), dialect.ErrUniqueViolation)
		require.Equal(t, 2*time.Second, time.Since(began))
	}, setup{engine: func(e *engine) backend.Engine { return blind{slow{e, &read}} }})
}

// A ctx that ends while the rest is read ends the reading.
func TestB11_CancelledWhileTheRestIsRead(t *testing.T) {
	read := 0
	play(t, func(t *testing.T, s *script) {
		s.on("SELECT a", reply{rows: values(1, 2, 3, 4)})
		began := time.Now()
		require.ErrorIs(t, s.do(t.Context(), func(ctx context.Context) error {
			ctx, cancel := context.WithTimeoutCause(ctx, 1500*time.Millisecond, errCaller)
			defer cancel()
			return s.db.Query(ctx, block.Statement{SQL: "SELECT a"}, takesOne)
		}), errCaller)
		require.Equal(t, 1500*time.Millisecond, time.Since(began))
	}, setup{engine: func(e *engine) backend.Engine { return blind{slow{e, &read}} }})
}

// Who comes with a Commit while another's is under way is told what became of the work,
// which is his too; for a Rollback there is nothing left, and nobody waits longer than he wants.
func TestA02_TwoEndASession(t *testing.T) {
	play(t, func(t *testing.T, s *script) {
		session, ctx := s.session(t.Context())
		for _, fault := range []error{nil, unique} {
			s.must(ctx, "UPDATE a")
			answer := make(chan struct{})
			s.on("COMMIT", reply{until: answer, err: fault})
			first := aside(func() error { return session.Commit(ctx) })
			second := aside(func() error { return session.Commit(ctx) })
			third := aside(func() error { return session.Rollback(ctx) })
			impatient, cancel := context.WithTimeoutCause(ctx, time.Second, errCaller)
			require.ErrorIs(t, session.Commit(impatient), errCaller)
			cancel()
			close(answer)
			if fault == nil {
				require.NoError(t, first())
				require.NoError(t, second())
			} else {
				require.ErrorIs(t, first(), fault)
				require.ErrorIs(t, second(), fault)
			}
			require.NoError(t, third())
			require.NoError(t, session.Commit(ctx), "there is nothing to end")
		}
		s.forget()
		require.NoError(t, session.Close())
	}, manual)
}

// With autocommit off a hook has to belong to a block or a session, and one that waits
// keeps autocommit off.
func TestB16_AHookBelongsToSomething(t *testing.T) {
	play(t, func(t *testing.T, s *script) {
		hook := func(context.Context) error { return nil }
		require.ErrorIs(t, atomic.OnCommit(t.Context(), s.db, hook), atomic.ErrNoSession)
		session, ctx := s.session(t.Context())
		require.NoError(t, atomic.OnCommit(ctx, s.db, hook))
		require.ErrorIs(t, session.SetAutocommit(true), atomic.ErrUncommitted)
		require.ErrorContains(t, session.SetAutocommit(true), "hooks wait")
		require.NoError(t, session.Commit(ctx))
		require.NoError(t, session.SetAutocommit(true))
		s.on("SELECT a", reply{rows: values(1)})
		rows, err := s.stream(ctx, "SELECT a")
		require.NoError(t, err)
		require.ErrorIs(t, session.SetAutocommit(false), atomic.ErrRowsOpen)
		require.NoError(t, session.SetAutocommit(true))
		require.NoError(t, rows.Close())
		require.NoError(t, session.Close())
		require.ErrorIs(t, session.SetAutocommit(true), atomic.ErrSessionClosed)
		require.ErrorIs(t, s.do(ctx, never(t)), atomic.ErrSessionClosed)
	}, manual)
}
