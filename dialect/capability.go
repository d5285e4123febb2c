package dialect

import (
	"fmt"
	"slices"
)

// Capability is something that not every server can do.
type Capability uint8

// The capabilities. README has the table of what each server makes of them.
const (
	ForUpdate          Capability = iota // lock rows against others
	ForShare                             // lock rows against writers
	NoKeyUpdate                          // lock rows, but not against references to their keys
	KeyShare                             // lock only the keys of rows
	NoWait                               // fail at once if a row is locked
	SkipLocked                           // leave out rows that are locked
	WaitClause                           // limit the wait in the statement itself
	WaitSetting                          // limit the wait by a setting, put back afterwards
	Of                                   // lock the rows of some of the joined tables only
	AdvisoryLock                         // locks on names
	LockWaits                            // ask who waits for whom
	Returning                            // INSERT … RETURNING
	UpdateReturning                      // UPDATE … RETURNING
	DeleteReturning                      // DELETE … RETURNING
	Deferrable                           // a serializable read-only transaction that cannot fail
	TransactionTimeout                   // the server limits the whole transaction
	IdleTimeout                          // the server limits the time without a statement
	CommitStatus                         // ask the server whether a transaction was committed
	Savepoint                            // undo a part of a transaction: nested blocks
	WholeCommit                          // COMMIT is of all that the transaction has written, or of nothing
	DDLInBlock                           // CREATE and ALTER take part in a transaction
	With                                 // common table expressions, recursive ones too
	Window                               // functions over a window
	FrameGroups                          // frames of a window that count groups of equal rows
	Intersect                            // INTERSECT and EXCEPT
	JSONEquality                         // compare JSON values
	SeveralStatements                    // one text holds several statements
	JSONPaths                            // read and change values within JSON
	Replicas                             // read on replicas what one has written
	capabilityCount
)

// String is the capability as it is called in SQL, or in English where it has
// no name there.
func (c Capability) String() string { return capabilities[c].name }

// Can reports whether the server has the capability. Where Can is true and
// Spelling is empty (SQLite), there is nothing to write: the block gives more.
func (s Server) Can(c Capability) bool {
	sup := s.support(c)
	return !s.locksNothing(c) && !(c == Savepoint && s.SavepointsHide) && sup.has && s.Version.AtLeast(sup.since.Major, sup.since.Minor, sup.since.Patch)
}

// locksNothing reports whether c is a lock that would hold on one node only.
func (s Server) locksNothing(c Capability) bool {
	switch c {
	case AdvisoryLock:
		return s.LocalLocks != ""
	case ForUpdate, ForShare, NoKeyUpdate, KeyShare:
		return s.LocalLocks != "" && !s.WritesWhatItLocks
	}
	return false
}

// Spelling is how the server spells the capability: the clause, the setting or
// the function. It is "" if it has none.
func (s Server) Spelling(c Capability) string { return s.support(c).spelling }

// Require returns nil if the server has the capability, and else an
// *UnsupportedError that says what would help.
func (s Server) Require(c Capability) error {
	if s.Can(c) {
		return nil
	}
	err := &UnsupportedError{Server: s, Feature: c.String()}
	switch sup := s.support(c); {
	case c == Savepoint && s.SavepointsHide:
		err.Hint = "it is one node of " + s.LocalLocks + ", where another can end the transaction and a SAVEPOINT hides that; open it with " +
			"mysql.SingleWriter() if everybody writes through this node, or do without nested blocks (NoSavepoint joins), savepoints and CALL"
	case s.locksNothing(c):
		err.Hint = "it is one node of " + s.LocalLocks + ", and the others know nothing of its locks; open it with " +
			"mysql.SingleWriter() if everybody writes through this node"
		if c != AdvisoryLock {
			err.Hint += ", or with mysql.OptimisticLocks() if every row that is locked is also written"
		}
	case sup.has:
		err.Hint = "needs " + s.Product + " " + sup.since.short()
	case sup.note != "":
		err.Hint = sup.note
	default:
		for p := range firstCompatible {
			if capabilities[c].by[p].has {
				if err.Hint != "" {
					err.Hint += ", "
				}
				err.Hint += productNames[p]
			}
		}
		err.Hint += " can"
	}
	return err
}

// support finds the server's line: its product's, or that of its engine for a
// product with no lines of its own (Percona Server, Aurora).
func (s Server) support(c Capability) support {
	p := product(slices.Index(productNames[:], s.Product))
	if p < 0 {
		switch s.Engine {
		case MySQL:
			p = mysqlServer
		case MariaDB:
			p = mariadbServer
		case Postgres:
			p = postgresServer
		default:
			p = sqliteLibrary
		}
	}
	return capabilities[c].by[p]
}

// short is the version without a last zero, as one says it.
func (v Version) short() string {
	if v.Patch == 0 {
		return fmt.Sprintf("%d.%d", v.Major, v.Minor)
	}
	return v.String()
}
