// Package block is the machine behind package atomic: it runs blocks, and sends
// their statements and those outside any block. The words are those of package
// atomic's documentation.
//
// What a block may do and what becomes of it is decided in package state, which
// sends nothing. This package has the connections. Its files read in the order in
// which a block lives:
//
//   - block.go has the two types that all the others are about: a block, and the
//     transaction that the blocks of one outermost block share;
//   - do.go opens it: scope.go says which block a ctx belongs to, and current.go
//     tells an application;
//   - executor.go finds where a statement goes, send.go sends it in a block with
//     its prefix, connection.go outside any; room.go says whether a connection is
//     worth waiting for, mutex.go who has it, rows.go when its rows are read;
//   - failure.go says what a failed statement's error is;
//   - end.go commits or rolls back, resolve.go finds out what became of a COMMIT
//     without an answer, retry.go runs the block again, hooks.go runs what waited
//     for the end, limits.go ends it before its time.
//
// Around it stand its guests, which know the states by their verbs alone: keys that
// run once (once.go, onceread.go, oncepurge.go, keys.go, and commit.go for what
// travels with others), sessions (session.go, sessionsend.go, sessionend.go), code written for
// database/sql (sqldb.go), savepoints by hand (savepoint.go, savepointtext.go),
// advisory locks (advisory.go), and the questions of who holds a lock (explain.go).
//
// A few words are of this package alone. A statement is opaque if nobody can tell
// from its text whether it ends the transaction (CALL); a guard is the savepoint
// in front of one, which is gone if it did. A transaction is set aside while an
// Independent or Suspended block of its ctx runs. What package atomic and this
// one have in common stands between them in package seam.
package block
