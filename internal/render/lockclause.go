package render

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/holdfast-go/holdfast/dialect"
	"github.com/holdfast-go/holdfast/internal/ast"
	"github.com/holdfast-go/holdfast/internal/backend"
	"github.com/holdfast-go/holdfast/query"
)

// locks writes the lock clauses.
func (w *writer) locks(locks []*ast.Lock) {
	for _, l := range locks {
		w.lockable(l)
		if err := supported(w.server, l); err != nil {
			w.fail(err)
		}
		clause := w.server.Spelling(strengths[l.Strength])
		if clause == "" || w.err != nil {
			continue // SQLite: the block holds the one lock that there is
		}
		w.string(" " + clause)
		for i, name := range l.Of {
			if i == 0 {
				w.string(" OF ")
			} else {
				w.string(", ")
			}
			j, _ := w.scope.target(name)
			w.string(w.scope.lockName(j))
		}
		switch {
		case l.Waiting == ast.WaitNever:
			w.string(" NOWAIT")
		case l.Waiting == ast.WaitSkip:
			w.string(" SKIP LOCKED")
		case l.Waiting == ast.WaitLimited && w.server.Can(dialect.WaitClause):
			w.string(" WAIT " + strconv.FormatInt(min(backend.Units(l.Wait, time.Second), year), 10))
		}
	}
}

// year is in seconds, and MariaDB's limit on a limit (lock_wait_timeout).
const year = 365 * 24 * 60 * 60

var strengths = [...]dialect.Capability{
	ast.ForUpdate: dialect.ForUpdate, ast.ForNoKeyUpdate: dialect.NoKeyUpdate,
	ast.ForShare: dialect.ForShare, ast.ForKeyShare: dialect.KeyShare,
}

// supported reports what the server cannot lock (rule L3).
func supported(s dialect.Server, l *ast.Lock) error {
	if err := s.Require(strengths[l.Strength]); err != nil {
		return err
	}
	if len(l.Of) > 0 {
		if err := s.Require(dialect.Of); err != nil {
			return err
		}
	}
	switch {
	case l.Waiting == ast.WaitNever:
		return s.Require(dialect.NoWait)
	case l.Waiting == ast.WaitSkip:
		return s.Require(dialect.SkipLocked)
	case l.Waiting == ast.WaitLimited && !s.Can(dialect.WaitClause):
		return s.Require(dialect.WaitSetting)
	}
	return nil
}

// lockable checks the tables that l locks (rule L6, and S2 for the names).
func (w *writer) lockable(l *ast.Lock) {
	if len(l.Of) == 0 {
		remedy := `name the tables to lock with Of("self")`
		if !w.server.Can(dialect.Of) {
			remedy = "lock " + w.scope.name() + " in a query without it, and read it then"
		}
		if len(w.scope.beside) > 0 {
			w.fail(fmt.Errorf("%w: %s is joined with what another query puts out, which is no row to lock: %s", ErrLockOptions, w.scope.name(), remedy))
			return
		}
		for _, j := range w.scope.joins {
			if j.Nullable {
				w.fail(fmt.Errorf("%w: %s may have no %s, and a missing row cannot be locked: %s", ErrLockOptions, w.scope.name(), j.Path, remedy))
				return
			}
		}
	}
	for _, name := range l.Of {
		j, err := w.scope.target(name)
		switch {
		case err != nil:
			w.fail(err)
		case j != nil && j.Nullable:
			w.fail(fmt.Errorf("%w: %s may have no %s, and a missing row cannot be locked: leave it out of Of",
				ErrLockOptions, w.scope.name(), name))
		}
	}
}

// target finds the table that a name in Of stands for.
func (s *scope) target(name string) (*Join, error) {
	if name == "self" {
		return nil, nil
	}
	choices := []string{"self"}
	for _, j := range s.joins {
		if j.Path == name {
			return j, nil
		}
		choices = append(choices, j.Path)
	}
	e := &query.FieldError{Model: s.name(), Name: name, Choices: choices}
	if first, _, _ := strings.Cut(name, "."); s.root != nil && s.root.relation(first) != nil {
		e.Reason = fmt.Sprintf("is named by Of but not joined; join it with Related(%q)", name)
	}
	return nil, e
}

// lockName is a table's name in OF, which takes no schema in front of it.
func (s *scope) lockName(j *Join) string {
	if j != nil {
		return s.quoted(j.alias)
	}
	return s.quoted(s.rootName())
}

// StatementWait is the limit on waiting that the statement itself cannot
// express, to be set around it; nil if there is none.
func (ms *Models) StatementWait(locks []*ast.Lock) (limit *time.Duration) {
	for _, l := range locks {
		switch {
		case l.Waiting == ast.WaitNever && ms.server.Spelling(dialect.NoWait) == "":
			return new(time.Duration) // the shortest there is
		case l.Waiting == ast.WaitLimited && !ms.server.Can(dialect.WaitClause):
			limit = &l.Wait
		}
	}
	return limit
}
