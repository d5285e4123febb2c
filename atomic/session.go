package atomic

import (
	"context"

	"github.com/holdfast-go/holdfast/internal/seam"
)

// A Session pins one connection to a ctx: its statements run there, one after
// the other. With autocommit off (rule A2) they run in a transaction that its
// first statement opens, and nothing is kept without Commit. With autocommit on
// each commits by itself. Blocks opened in a session with autocommit off are
// nested in its transaction, and the commit is left to it (rule A4).
//
// A Session is closed by its Close. Its ctx carries it to statements.
type Session struct{ session seam.Session }

// OpenSession opens a session of db: with autocommit as the database's setting
// says. The ctx that it returns carries the session. Inside a block it returns
// ErrInBlock. Nothing is sent, and no connection taken, before the first
// statement.
func OpenSession(ctx context.Context, db DB) (*Session, context.Context, error) {
	s, inner, err := executor(db).OpenSession(ctx, seam.Here())
	if err != nil {
		return nil, nil, err
	}
	return &Session{s}, inner, nil
}

// Commit makes the session's work permanent and ends its transaction; the next
// statement opens another. If a statement has failed since the last commit
// everything is rolled back and Commit returns ErrRollbackRequired. Errors are
// those of Do. Inside a block, and with autocommit on, it is refused with
// ErrInBlock and ErrOption.
func (s *Session) Commit(ctx context.Context) error { return s.session.Commit(ctx) }

// Rollback undoes the session's work since its last commit.
func (s *Session) Rollback(ctx context.Context) error { return s.session.Rollback(ctx) }

// SetAutocommit switches autocommit for the rest of the session. Inside a block
// it is refused with ErrInBlock, and switching it on with uncommitted work with
// ErrUncommitted: commit or roll back first.
func (s *Session) SetAutocommit(on bool) error { return s.session.SetAutocommit(on) }

// Autocommit reports whether each statement of the session commits by itself.
func (s *Session) Autocommit() bool { return s.session.Autocommit() }

// Close ends the session and gives its connection back. Work that was not
// committed is rolled back, and Close returns ErrUncommitted if there was any:
// a transaction in which only rows were read does not count (rule A3).
func (s *Session) Close() error { return s.session.Close() }
