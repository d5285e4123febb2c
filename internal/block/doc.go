// Package block is the machine behind package atomic: it runs blocks, and sends
// their statements and those outside any block. The words are those of package
// atomic's documentation.
//
// The files read in the order in which a block lives:
//
//   - do.go opens it: scope.go says which block a ctx belongs to;
//   - executor.go finds where a statement goes, send.go sends it in a block,
//     with what pending.go puts in front of it, connection.go outside any;
//   - failure.go says what a failed statement's error is, block.go what it does
//     to the block: the states, and what leads from one to another;
//   - end.go commits or rolls back, retry.go runs it again, hooks.go runs what
//     waited for the end, limits.go ends it before its time.
//
// Around it stand its guests: sessions (session.go), code written for
// database/sql (sqldb.go), savepoints by hand (savepoint.go), advisory locks
// (advisory.go), and the questions of who holds a lock (explain.go).
package block
