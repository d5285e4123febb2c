package block

import (
	"context"
	"database/sql/driver"
	"fmt"
	"strings"

	"github.com/holdfast-go/holdfast/atomic"
	"github.com/holdfast-go/holdfast/dialect"
	"github.com/holdfast-go/holdfast/internal/backend"
	"github.com/holdfast-go/holdfast/internal/lex"
)

// A script is a caller's own text of several statements, without values and where
// no rows are asked for: a migration, as its file holds it. Where the server does
// not run it in one go, and whole or not at all, its statements are sent one after
// the other (rule B15).

const stacked = "one call sends one statement, but for a text without values that asks for no rows; this one holds several: "

// takesSeveral reports whether a text of several statements may be sent in a block,
// or outside of any.
func (x *Executor) takesSeveral(st Statement, inBlock bool) bool {
	if !st.Script {
		return false
	}
	if e, ok := x.db.Engine.(backend.Scripter); ok && e.RunsScripts() {
		return true
	}
	e, ok := x.db.Engine.(backend.Splitter)
	return ok && (!inBlock || x.db.Server.Can(dialect.DDLInBlock)) && e.Split(st.SQL) != nil
}

// severalRefused is the one error for a text of several statements that may not be
// sent as such.
func (x *Executor) severalRefused(b *block, st Statement) error {
	err := &atomic.BlockError{Kind: dialect.ErrUnsupported, Reason: stacked + lex.Abbreviate(x.shown(st))}
	if b != nil {
		err.Block = b.Info()
	}
	return err
}

// parts are the statements of a script that are to be sent one by one; nil if it
// is none.
func (x *Executor) parts(st Statement) []string {
	if !st.Script {
		return nil
	}
	i := strings.IndexByte(st.SQL, ';')
	if i < 0 || strings.TrimRight(st.SQL[i+1:], " \t\r\n") == "" {
		return nil
	}
	e, ok := x.db.Engine.(backend.Splitter)
	if !ok {
		return nil
	}
	if parts := e.Split(st.SQL); len(parts) > 1 {
		return parts
	}
	return nil
}

// execParts sends the statements of a script. The whole is looked at before the
// first is sent. The result is that of the last.
func (x *Executor) execParts(ctx context.Context, st Statement, parts []string) (driver.Result, error) {
	b, s, err := x.admit(ctx, st)
	if err != nil {
		return nil, err
	}
	if b != nil {
		if _, err := b.tx.admit(b, st); err != nil {
			return nil, err
		}
		return each(parts, "", func(part string) (driver.Result, error) { return x.Exec(ctx, Statement{SQL: part}) })
	}
	switch {
	case s != nil:
	case st.pin != nil:
		s = st.pin.session(ctx)
	default:
		s = x.autocommitting(ctx)
		defer func() { _ = s.Close() }()
	}
	return each(parts, "; those before it are committed", func(part string) (driver.Result, error) { return s.exec(ctx, Statement{SQL: part}) })
}

// exec sends a statement on the session's connection, which commits by itself.
func (s *session) exec(ctx context.Context, st Statement) (res driver.Result, err error) {
	err = s.run(ctx, st, func(w backend.Wire, prefix []string, query string) (_ func() error, err error) {
		res, err = w.Exec(ctx, prefix, query, st.Args)
		return nil, err
	})
	return res, err
}

func each(parts []string, before string, send func(string) (driver.Result, error)) (res driver.Result, err error) {
	for i, part := range parts {
		if res, err = send(part); err != nil {
			if i == 0 {
				before = ""
			}
			return nil, fmt.Errorf("statement %d of %d%s: %w", i+1, len(parts), before, err)
		}
	}
	return res, nil
}
