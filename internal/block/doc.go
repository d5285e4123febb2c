// Package block is the machine behind package atomic: it runs blocks, and sends
// their statements and those outside any block. The words are those of package
// atomic's documentation.
//
// What a block may do and what becomes of it is decided in package state, which
// sends nothing. This package has the connections. Its files read in the order in
// which a block lives:
//
//   - do.go opens it: scope.go says which block a ctx belongs to;
//   - executor.go finds where a statement goes, send.go sends it in a block with
//     its prefix, connection.go outside any;
//   - failure.go says what a failed statement's error is;
//   - end.go commits or rolls back, retry.go runs it again, hooks.go runs what
//     waited for the end, limits.go ends it before its time.
//
// Around it stand its guests, which know the states by their verbs alone:
// sessions (session.go), code written for database/sql (sqldb.go), savepoints by
// hand (savepoint.go), advisory locks (advisory.go), and the questions of who
// holds a lock (explain.go).
package block
