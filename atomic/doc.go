// Package atomic runs functions in blocks: everything that a block does is
// committed together or not at all.
//
//	err := atomic.Do(ctx, db, func(ctx context.Context) error {
//		if err := withdraw(ctx, from, amount); err != nil {
//			return err // rolled back
//		}
//		return deposit(ctx, to, amount) // nil: committed
//	})
//
// The ctx that fn gets carries the block. Whatever is sent with it belongs to
// the block, also through code that knows nothing of Holdfast and was handed
// the *sql.DB of orm.DB.SQL; there is no transaction variable to pass on, and none
// to forget.
//
// # The contract
//
// The rules have numbers: B1 to B25 for blocks, A1 to A5 for autocommit, O1 to O8 for
// Once, R1 to R8 for reads on replicas (Seen). docs/contract.md,
// https://github.com/holdfast-go/holdfast/blob/main/docs/contract.md, has each with the
// trap that it closes.
//
// A block ends well only in one way: fn returns nil, no statement of the block
// has failed, ctx is not cancelled, and the server acknowledges COMMIT. Then Do
// returns nil. In every other case the block is rolled back: when fn returns an
// error, panics or calls runtime.Goexit, and also when fn returns nil although
// a statement of the block has failed before. That last rule (B6) is the one
// that database/sql, and what is built on it, does not keep: a program that
// ignores the error of one statement commits the others. Here the block is
// marked, its further statements return ErrRollbackRequired without reaching
// the server, and so does Do.
//
// A statement that may fail goes into a block of its own inside the other:
//
//	err := atomic.Do(ctx, db, func(ctx context.Context) error {
//		err := atomic.Do(ctx, db, func(ctx context.Context) error { // a savepoint
//			return create(ctx, user)
//		})
//		if errors.Is(err, dialect.ErrUniqueViolation) {
//			return update(ctx, user) // the outer block is clean
//		}
//		return err
//	})
//
// Some errors end the whole transaction on the server: a deadlock, a
// serialization failure, a lost connection. They mark every enclosing block
// (B8), and Retry, on the outermost one, runs the whole again.
//
// # What a block costs
//
// Nothing is sent before the first statement, BEGIN and SAVEPOINT travel with
// it, and a RELEASE or ROLLBACK TO with the statement after. A block costs its
// statements and one COMMIT in round trips, however deep its nesting.
//
// # When it is committed
//
// Work that must not happen unless the data is there (a message, a file, a
// cache) goes into OnCommit; what has to be cleaned up otherwise into
// OnRollback. They run after the outermost block has ended, outside it.
//
// # Words
//
//   - block: one Do in progress. The outermost owns a transaction; one inside it
//     is nested, as a savepoint, or has joined it.
//   - session: a connection pinned to a ctx (Session). With autocommit off it is
//     itself the outermost block.
//   - point: a place that a transaction can be rolled back to: a nested block's
//     savepoint, or one set by hand (Point).
//   - engine: MySQL, MariaDB, PostgreSQL or SQLite. What differs between them is
//     in package dialect.
//   - control statement: BEGIN, SAVEPOINT, SET and their like. One that waits for
//     a statement to travel with is pending; those that travel in front of a
//     statement are its prefix.
//   - claim: the row of a key (Once) that a block writes before anything else, so that
//     nobody else runs for that key.
//   - to mark a block: to note that it can only be rolled back.
//   - lost: a transaction that the server has ended, or of which nobody knows
//     whether it still exists.
//   - kind: what an error is, whatever the engine (dialect.ErrDeadlock and its
//     like).
//   - round trip: a question to the server, and its answer.
//   - writer: the server that is written to. A replica follows it, and may show
//     what was a while ago.
//   - token: where a commit stands in the history of a database (SeenToken).
//
// README has the same list. This package is what an application types; the machine
// behind it is in internal/block.
package atomic
