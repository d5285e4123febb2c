// Package model has the contract of a block (rules B1 to B25) as a program that
// can be asked: a small language of programs that nest blocks, fail, panic and
// use the wrong ctx (program.go), and a model in memory that says for each of
// them what must come of it. The model was written from the rules and knows
// nothing of how package atomic keeps them. It reads from spec.go over world.go
// (the functions of a program), do.go and block.go (the life of a block),
// tx.go and statement.go to hook.go, point.go and state.go.
//
// Its tests generate programs, run each on a real server and in the model, and
// compare every error, every value read, every hook and the rows at the end.
//
// # Rows
//
// Each transaction has rows of its own, which the model deals out, so that no
// statement ever waits for a lock of a transaction around it: a program runs on
// one goroutine at a time, and such a wait would never end. Two seed rows head
// the rows of a transaction. The first keeps MySQL's gap locks of neighbours
// apart, the second is there to collide with.
//
// SQLite has one writer. While a block has its write lock, a write elsewhere in
// the same program is refused at once, and the model says so (Engine.OneWriter).
//
// # Where the rules are silent
//
// What the model takes for right where no rule speaks is what a user would
// expect; each such place in the code begins with "Silent:".
package model
