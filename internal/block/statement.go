package block

import (
	"context"
	"database/sql/driver"
	"slices"
	"strings"
	"time"

	"github.com/holdfast-go/holdfast/internal/backend"
	"github.com/holdfast-go/holdfast/internal/lex"
)

// Statement is one statement on its way to the server.
type Statement struct {
	SQL  string // with the engine's own placeholders
	Args []any  // bound by the driver, never written into SQL
	// Built is true for text that the library's own builder has rendered. Any
	// other text is inspected first (rule B15).
	Built bool
	// Script is true for a caller's own text that may hold several statements
	// (script.go). What is put together from pieces may not: one of them could hold
	// the end of its statement.
	Script bool
	// Replica is true for a read that may go to a replica, outside any block.
	Replica bool
	// Locks is true for a locking read: it is refused outside a block (L2).
	Locks bool
	// Wait limits the wait for a row lock by this statement alone; 0 means not
	// to wait, nil the block's or the server's setting. It has a meaning only
	// in a block.
	Wait *time.Duration
	// Again writes the statement once more for a server that could not compare its
	// texts, before it ran; nil if that is of no use.
	Again func(context.Context) (text string, args []any, err error)
	// Asks is asked on the way, in front of the statement, by Exec; nil: nothing.
	Asks *Question
	// Judge looks at the result of Exec. Its error marks the block like one of
	// the server's (rule B6).
	Judge func(driver.Result) error

	holder asker // of the advisory lock that it takes
	pin    *pin  // keeps the connection of a statement outside any block
}

// onlyReads reports whether the statement writes nothing but what functions in it do: not
// so INSERT … RETURNING, also within WITH.
func (x *Executor) onlyReads(st Statement) bool {
	syntax := backend.Syntax(x.db.Server)
	l := syntax.Lexer(st.SQL)
	first := l.Next()
	for first.Text == "(" {
		first = l.Next()
	}
	switch {
	case first.Executable:
		return false
	case first.Is("WITH"):
		return changesNothing(syntax.Tokens(st.SQL))
	}
	return first.IsAny("SELECT", "VALUES", "TABLE", "SHOW")
}

// changesNothing reports whether no part of a statement with common table expressions
// is one that writes.
func changesNothing(tokens lex.Tokens) bool {
	return !slices.ContainsFunc(tokens, func(t lex.Token) bool {
		return t.Executable || t.IsAny("INSERT", "UPDATE", "DELETE", "MERGE", "REPLACE")
	})
}

// Question is one whose answer is a number that a statement's result does not tell.
type Question struct {
	Text   string
	Answer int64
}

// exec sends the statement as query.
func (st Statement) exec(ctx context.Context, w backend.Wire, prefix []string, query string) (res driver.Result, err error) {
	if st.Asks == nil {
		return w.Exec(ctx, prefix, query, st.Args)
	}
	res, st.Asks.Answer, err = backend.ExecAsking(ctx, w, prefix, st.Asks.Text, query, st.Args)
	return res, err
}

// reads reports whether the statement certainly writes nothing. A caller's own
// SELECT may call a function that does.
func (x *Executor) reads(st Statement) bool {
	switch {
	case !st.Built:
		return false
	case strings.HasPrefix(st.SQL, "SELECT"):
		return true
	case strings.HasPrefix(st.SQL, "WITH "), strings.HasPrefix(st.SQL, "SET STATEMENT "): // MariaDB: in front of a recursion
		return changesNothing(backend.Syntax(x.db.Server).Tokens(st.SQL))
	}
	return false
}
