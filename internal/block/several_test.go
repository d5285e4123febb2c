package block_test

import (
	"context"
	"database/sql/driver"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/atomic"
	"github.com/holdfast-go/holdfast/dialect"
	"github.com/holdfast-go/holdfast/internal/backend"
	"github.com/holdfast-go/holdfast/internal/block"
)

// splitting is an engine that takes one statement at a time, and knows where they end
// unless there is a quote.
type splitting struct{ *engine }

func (splitting) Split(text string) (parts []string) {
	if strings.Contains(text, "'") {
		return nil
	}
	for part := range strings.SplitSeq(strings.TrimRight(text, "; \n"), ";") {
		parts = append(parts, strings.TrimSpace(part))
	}
	return parts
}

// running is an engine whose server runs a text of several, or does not.
type running struct {
	*engine
	runs bool
}

func (r running) RunsScripts() bool { return r.runs }

func splits(server dialect.Server) setup {
	return setup{server: server, engine: func(e *engine) backend.Engine { return splitting{e} }}
}

func runs(yes bool) setup {
	return setup{server: postgres, engine: func(e *engine) backend.Engine { return running{e, yes} }}
}

// script sends a text that may hold several statements.
func (s *script) script(ctx context.Context, text string) (driver.Result, error) {
	return s.db.Exec(ctx, block.Statement{SQL: text, Script: true})
}

// Where the server takes one statement at a time a script is sent in parts, on one
// connection. Its result is that of the last.
func TestB15_AScriptIsSentInParts(t *testing.T) {
	play(t, func(t *testing.T, s *script) {
		s.on("UPDATE b", reply{affected: 3})
		res, err := s.script(t.Context(), "SET x; UPDATE b;\n")
		require.NoError(t, err)
		n, err := res.RowsAffected()
		require.NoError(t, err)
		require.EqualValues(t, 3, n)
		s.sent("SET x", "UPDATE b")
		require.Empty(t, s.connected(), "the setting is nobody else's")

		s.on("UPDATE b", refuses(unique))
		_, err = s.script(t.Context(), "UPDATE a; UPDATE b; UPDATE c")
		require.ErrorIs(t, err, dialect.ErrUniqueViolation)
		require.ErrorContains(t, err, "statement 2 of 3; those before it are committed: ")
		s.on("UPDATE a", refuses(unique))
		_, err = s.script(t.Context(), "UPDATE a; UPDATE b; UPDATE c")
		require.ErrorContains(t, err, "statement 1 of 3: ")
		s.forget()

		_, err = s.script(t.Context(), "UPDATE a;\n \t")
		require.NoError(t, err)
		s.sent("2: UPDATE a;\n \t")
		_, err = s.script(t.Context(), "UPDATE a; UPDATE 'b'")
		require.ErrorIs(t, err, dialect.ErrUnsupported, "nobody is sure where its statements end")
		_, err = s.script(t.Context(), "COMMIT; UPDATE a")
		require.ErrorIs(t, err, atomic.ErrTransactionControl)
		s.sent()
	}, splits(sqlite))
}

// In a block, in a session and on a connection of database/sql the parts are theirs.
func TestB15_PartsBelongToWhatIsAround(t *testing.T) {
	play(t, func(t *testing.T, s *script) {
		require.NoError(t, s.do(t.Context(), func(ctx context.Context) error {
			_, err := s.script(ctx, "UPDATE a; UPDATE b")
			return err
		}))
		s.sent("BEGIN; UPDATE a", "UPDATE b", "COMMIT")
		session, ctx := s.session(t.Context())
		_, err := s.script(ctx, "UPDATE a; UPDATE b")
		require.NoError(t, err)
		require.NoError(t, session.Close())
		s.sent("UPDATE a", "UPDATE b")

		c, err := s.db.SQL().Conn(t.Context())
		require.NoError(t, err)
		_, err = c.ExecContext(t.Context(), "SET x; UPDATE a")
		require.NoError(t, err)
		_, err = c.ExecContext(t.Context(), "UPDATE b")
		require.NoError(t, err)
		require.Equal(t, 1, s.pool.Stats().InUse, "it has its connection until it is closed")
		require.NoError(t, c.Close())
		s.sent("SET x", "UPDATE a", "UPDATE b")

		failed := s.do(t.Context(), func(ctx context.Context) error {
			s.on("UPDATE a", refuses(unique))
			_, err := s.script(ctx, "UPDATE a; UPDATE b")
			require.ErrorContains(t, err, "statement 1 of 2: ")
			_, again := s.script(ctx, "UPDATE a; UPDATE b")
			require.ErrorIs(t, again, atomic.ErrRollbackRequired)
			return err
		})
		require.ErrorIs(t, failed, dialect.ErrUniqueViolation)
		s.sent("2: BEGIN; UPDATE a", "2: ROLLBACK")
	}, splits(sqlite))
}

// A server that commits at CREATE TABLE takes no script in a block: half of it could be
// committed. Values, and rows that are asked for, make of no text a script.
func TestB15_WhereAScriptIsRefused(t *testing.T) {
	play(t, func(t *testing.T, s *script) {
		require.ErrorIs(t, s.do(t.Context(), func(ctx context.Context) error {
			_, err := s.script(ctx, "UPDATE a; UPDATE b")
			return err
		}), dialect.ErrUnsupported)
		s.sent()
		_, err := s.script(t.Context(), "UPDATE a; UPDATE b")
		require.NoError(t, err)
		s.sent("UPDATE a", "UPDATE b")

		ctx := t.Context()
		require.ErrorIs(t, s.exec(ctx, "UPDATE a; UPDATE b"), dialect.ErrUnsupported, "it was put together from pieces")
		_, err = s.db.SQL().ExecContext(ctx, "UPDATE a; UPDATE b", 1)
		require.ErrorIs(t, err, dialect.ErrUnsupported)
		_, err = s.db.SQL().QueryContext(ctx, "SELECT a; SELECT b")
		require.ErrorIs(t, err, dialect.ErrUnsupported)
		s.sent()
	}, splits(mysql))
}

// A server that runs a script whole gets it in one go.
func TestB15_AScriptInOneGo(t *testing.T) {
	play(t, func(t *testing.T, s *script) {
		_, err := s.script(t.Context(), "UPDATE a; UPDATE b")
		require.NoError(t, err)
		require.NoError(t, s.do(t.Context(), func(ctx context.Context) error {
			_, err := s.script(ctx, "UPDATE a; UPDATE b")
			return err
		}))
		s.sent("UPDATE a; UPDATE b", "BEGIN; UPDATE a; UPDATE b", "COMMIT")
	}, runs(true))
	for _, setup := range []setup{runs(false), {}} {
		play(t, func(t *testing.T, s *script) {
			_, err := s.script(t.Context(), "UPDATE a; UPDATE b")
			require.ErrorIs(t, err, dialect.ErrUnsupported)
			require.ErrorContains(t, err, "one call sends one statement")
			_, err = s.db.SQL().ExecContext(t.Context(), "UPDATE a; UPDATE b")
			require.ErrorIs(t, err, dialect.ErrUnsupported)
			s.sent()
		}, setup)
	}
}
