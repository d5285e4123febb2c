package backend

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"math"
	"time"

	"github.com/holdfast-go/holdfast/dialect"
	"github.com/holdfast-go/holdfast/internal/lex"
)

// Engine is what differs between databases, as far as a block needs it. Its
// methods compute and remember nothing; state lives in the block and in the
// [Wire] of its connection.
type Engine interface {
	// Wire gives access to one pooled connection: driverConn is the value that
	// (*sql.Conn).Raw hands out. The same connection yields the same Wire, so
	// that a cache of prepared statements lives as long as its connection. For
	// a connection of a driver that is not this engine's own, the Wire sends
	// each control statement in a round trip of its own.
	Wire(driverConn any) Wire

	// Begin spells the start of a transaction. It returns an error that
	// matches dialect.ErrUnsupported if the server has no such transaction.
	Begin(TxOptions) (Control, error)

	// LockWait spells a limit on waiting for a row lock: 0 means not to wait at
	// all. The limit holds from the next statement until Restore is sent.
	LockWait(d time.Duration) Control

	// Classify gives an error of the driver its kind. It returns nil for nil,
	// and for an error that it does not know an *dialect.Error without a kind. Of the
	// errors of this package it knows at most a [NotSentError], by which a ctx that ended
	// before anything was sent is told from a lost connection: the package's own Classify
	// says what they mean.
	Classify(err error) *dialect.Error

	// Inspect reads a caller's statement for what it would do to a block.
	Inspect(query string) lex.Verdict

	// Rebind turns the ? placeholders of a caller's statement into the
	// engine's own. A ? in a literal, an identifier or a comment stays, and ??
	// stands for one ?.
	Rebind(query string) string

	// Resolver finds out whether a transaction was committed whose COMMIT had
	// no answer.
	Resolver() Resolver

	// Once spells the statements on the table of atomic.Once.
	Once() OnceTexts
}

// TxOptions says which transaction to begin.
type TxOptions struct {
	Isolation  sql.IsolationLevel // LevelDefault: the server's default
	ReadOnly   bool               // enforced by the server
	Deferrable bool               // PostgreSQL: a serializable read-only transaction that cannot fail
	Name       string             // the block's name, shown by the server where it can
	Timeout    time.Duration      // limit on the whole block, a backstop on the server; 0: none
	Idle       time.Duration      // limit on the time without a statement, likewise; 0: none
}

// Control is a set of control statements. They are never sent alone: they
// travel in front of another statement or of COMMIT.
type Control struct {
	Before  []string // before the transaction begins
	Begin   string   // the statement that begins it; "" if Control begins none
	Inside  []string // as the first statements inside the transaction
	Restore []string // puts the session back as it was; sent inside the transaction, before it ends
	Commit  []string // goes in front of COMMIT
	// Transactional is true if the server itself takes the settings of Inside
	// back when the transaction, or the savepoint they came after, ends or is
	// rolled back (PostgreSQL's SET LOCAL). Restore is then needed only to take
	// them back earlier.
	Transactional bool
}

// Wire sends statements on one connection. It is used by one goroutine at a
// time. Errors are the driver's own, not yet classified, or one of the two
// wrappers [PrefixError] and [NotSentError].
type Wire interface {
	// Exec and Query send the statements of prefix and then query, in one round
	// trip where the engine can. If one of prefix fails, query does not run.
	// An element of args is any value that the driver accepts, or a
	// sql.NamedArg where it has named parameters.
	Exec(ctx context.Context, prefix []string, query string, args []any) (driver.Result, error)
	Query(ctx context.Context, prefix []string, query string, args []any) (driver.Rows, error)

	// Commit sends prefix and COMMIT. It returns nil only if the server has
	// answered that the transaction is committed; an answer that it was rolled
	// back instead (PostgreSQL) is ErrCommitRefused.
	Commit(ctx context.Context, prefix []string) error

	// Rollback sends ROLLBACK and then the statements of suffix.
	Rollback(ctx context.Context, suffix []string) error

	// Alive reports whether the connection is still open, as far as is known
	// without asking the server. After a fatal error it is false.
	Alive() bool

	// Idle reports whether the connection is alive and, as far as the driver
	// can tell without asking the server, outside any transaction.
	Idle() bool

	// Used reports whether the connection has carried a statement before: only
	// then can it be stale.
	Used() bool

	// ID is the server's number for the connection (pg_backend_pid,
	// CONNECTION_ID), or 0 where it is not known.
	ID() int64
}

// SessionTeller is a Wire whose server says when a setting of the session changes,
// whatever has changed it.
type SessionTeller interface {
	// SessionChanged reports whether the session is another than when its
	// connection was taken (Engine.Wire): it is not for others then (rule B23).
	SessionChanged() bool
}

// PrefixTeller is a Wire that can tell how far it had come when a call of it did
// not return, because the type of an argument panicked.
type PrefixTeller interface {
	// PrefixRan reports whether the server has run the prefix of the last call.
	PrefixRan() bool
}

// Resolver finds out the fate of a transaction whose COMMIT had no answer
// (rule B12, ResolveCommit).
type Resolver interface {
	// Prepare is called on the transaction's own connection just before
	// COMMIT, in front of which before is still to be sent. It returns a token that
	// names the transaction, and all that is to be sent in front of COMMIT then: before,
	// unless that went in front of a question of its own, and what leaves a mark. An
	// empty token means that the transaction has written nothing, so that its fate does
	// not matter.
	Prepare(ctx context.Context, w Wire, before []string) (token string, prefix []string, err error)
	// Outcome is called on another connection, outside a transaction. It waits, within ctx, until the
	// transaction is no longer in progress.
	Outcome(ctx context.Context, w Wire, token string) (committed bool, err error)
}

// BulkResolver is a Resolver that asks for many transactions at once, so that a
// storm of lost connections needs no more than one to be cleared up.
type BulkResolver interface {
	Resolver
	// Fates asks once, and waits for none of the transactions. It is called as
	// Outcome is. With an error it may still return what it has found out.
	Fates(ctx context.Context, w Wire, asked []Asked) ([]Fate, error)
}

// Asked is a transaction whose fate is asked for.
type Asked struct {
	Token string
	Since time.Time // when it was asked for first
}

// Fate is what became of a transaction.
type Fate struct {
	Known     bool // false: it is still in progress, or the question has to be asked again
	Committed bool
	Err       error // *UnresolvableError
}

// Tagger is an Engine whose server shows a block's name only as a comment in
// its statements. The comment has the form of sqlcommenter
// (google.github.io/sqlcommenter), but stands before the statement and not after
// it: servers keep the first kilobyte of a statement that they show to others
// (MySQL manual, performance_schema_max_sql_text_length).
type Tagger interface {
	// Tag returns what is to stand before a statement.
	Tag(block string) string
}

// Comparer is an Engine whose server refuses to compare a text with a column that
// has no characters for it.
type Comparer interface {
	// Uncompared reports whether that is what a code says. The statement has not run.
	Uncompared(code string) bool
}

// Drainer is an Engine whose driver reads what is left of rows that are closed
// without a look at its ctx (go-sql-driver).
type Drainer interface{ DrainsBlindly() }

// Scripter is an Engine whose Wire runs a text of several statements, if it has no
// values and yields no rows, all or none of it. Another text of several is refused
// by the Wire with an error that matches dialect.ErrUnsupported.
type Scripter interface{ RunsScripts() bool }

// Splitter is an Engine whose Wire takes one statement at a time.
type Splitter interface {
	// Split returns the statements of a text. nil says that it is not sure where
	// they end, since that depends on settings or the version of the server.
	Split(text string) []string
}

// Namer is an Engine whose server shows a block's name as that of the
// transaction, from Begin on.
type Namer interface {
	// Rename returns the statements that change the name from that of one block
	// to that of another. "" stands for the session's own.
	Rename(from, to string) []string
}

// Backstop is what a server is told of a limit that the block holds by itself: a second
// more, so that it only ends what the block no longer can. However long d is, it does
// not overflow.
func Backstop(d time.Duration) time.Duration {
	return min(d, math.MaxInt64-time.Second) + time.Second
}

// Units is how many units d has, rounded up: what a server that counts in units
// is to be told of a limit. However long d is, it does not overflow.
func Units(d, unit time.Duration) int64 {
	n := int64(d / unit)
	if d%unit > 0 {
		n++
	}
	return n
}
