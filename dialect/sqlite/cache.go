package sqlite

import (
	"container/list"
	"context"
	"database/sql/driver"
	"fmt"
	"strings"
)

// statement is a prepared statement.
type statement struct {
	kind
	text  string
	stmt  driver.Stmt
	exec  driver.StmtExecContext
	query driver.StmtQueryContext
	kept  *list.Element // in the cache; nil: closed after use
	busy  bool          // its rows are being read
	alone bool          // it holds the queue's turn

	valued bool // it runs with values, which an error may quote
}

// cache keeps a connection's prepared statements, the most recently used first.
// Preparing costs several times what running a small statement does. A nil
// cache keeps none.
type cache struct {
	limit  int
	recent *list.List // of *statement
	byText map[string]*statement
}

func newCache(limit int) *cache {
	return &cache{limit: limit, recent: list.New(), byText: map[string]*statement{}}
}

// longest keeps bulk inserts, which hardly come twice, from driving out others.
const longest = 16 << 10

func (c *cache) kindOf(query string) (kind, error) {
	if c != nil {
		if st := c.byText[query]; st != nil {
			return st.kind, nil
		}
	}
	return inspectKind(query)
}

func (c *cache) prepare(ctx context.Context, conn rawConn, query string, k kind) (*statement, error) {
	if c != nil {
		if st := c.byText[query]; st != nil && !st.busy {
			c.recent.MoveToFront(st.kept)
			st.busy = true
			return st, nil
		}
	}
	text := query
	if k.keep {
		text = strings.TrimRight(query, " \t\r\n;") // the driver prepares what ends with them anew each time
	}
	stmt, err := conn.PrepareContext(ctx, text)
	if err != nil {
		return nil, err
	}
	st := &statement{kind: k, text: query, stmt: stmt, busy: true}
	var hasExec, hasQuery bool
	st.exec, hasExec = stmt.(driver.StmtExecContext)
	st.query, hasQuery = stmt.(driver.StmtQueryContext)
	if !hasExec || !hasQuery {
		_ = stmt.Close()
		return nil, fmt.Errorf("the driver's statement (%T) cannot run with a context", stmt)
	}
	if c != nil && k.keep && len(query) <= longest && c.limit > 0 && c.byText[query] == nil {
		st.kept = c.recent.PushFront(st)
		c.byText[query] = st
		c.shrink()
	}
	return st, nil
}

// done ends a use of st.
func (c *cache) done(st *statement) {
	st.busy = false
	if st.kept == nil {
		_ = st.stmt.Close()
	}
}

// shrink drops the statements that were not used for the longest time.
func (c *cache) shrink() {
	for e := c.recent.Back(); e != nil && c.recent.Len() > c.limit; {
		st, before := e.Value.(*statement), e.Prev()
		if !st.busy {
			c.drop(st)
			_ = st.stmt.Close()
		}
		e = before
	}
}

func (c *cache) drop(st *statement) {
	c.recent.Remove(st.kept)
	delete(c.byText, st.text)
	st.kept = nil
}

// close closes what is kept, when the connection ends.
func (c *cache) close() {
	for e := c.recent.Front(); e != nil; e = e.Next() {
		_ = e.Value.(*statement).stmt.Close()
	}
	c.recent.Init()
	clear(c.byText)
}
