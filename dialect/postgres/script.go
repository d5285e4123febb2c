package postgres

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"strings"

	"github.com/holdfast-go/holdfast/dialect"
	"github.com/holdfast-go/holdfast/internal/backend"
	"github.com/holdfast-go/holdfast/internal/lex"
)

// RunsScripts implements backend.Scripter: DDL is transactional here, and what
// the server runs in one go is one transaction at least.
func (e *engine) RunsScripts() bool { return true }

var errSeveral = fmt.Errorf("a call with values, or for rows, sends one statement; the text holds several: %w", dialect.ErrUnsupported)

// holdsSeveral reports whether query is a text of several statements. One that the
// connection knows is not.
func (w *wire) holdsSeveral(query string) bool {
	i := strings.IndexByte(query, ';')
	return i >= 0 && strings.TrimRight(query[i+1:], " \t\r\n") != "" && w.statements.byText[query] == nil && inspect(query).Stacked
}

// execSeveral sends a text of several statements without values, in the simple
// protocol. Outside a transaction the server makes one of them. The result is that
// of the last.
func (w *wire) execSeveral(ctx context.Context, prefix []string, text string) (driver.Result, error) {
	if err := w.ready(ctx); err != nil {
		return nil, err
	}
	if w.gone() {
		return nil, &backend.EndedError{Err: &backend.NotSentError{Err: errors.New("nothing was sent")}}
	}
	if err := sendable(text, nil); err != nil {
		return nil, &backend.NotSentError{Err: err}
	}
	w.ran = false
	if err := w.control(ctx, prefix); err != nil {
		return nil, err
	}
	w.ran = true
	tag, err := w.simple(ctx, text)
	w.noteDemotion(err)
	switch {
	case w.gone():
		return nil, &backend.EndedError{Err: err}
	case err != nil:
		return nil, err
	case w.unreplicated:
		return nil, errUnreplicated
	}
	return driver.RowsAffected(tag.RowsAffected()), nil
}

// control sends control statements that travel in front of nothing.
func (w *wire) control(ctx context.Context, prefix []string) error {
	if len(prefix) == 0 {
		return nil
	}
	if w.alone {
		return w.controlAlone(ctx, prefix)
	}
	x := w.start(ctx)
	x.queueControl(prefix...)
	if err := x.flush(); err != nil {
		return err
	}
	return x.finish(nil, x.readPrefix(len(prefix)))
}

// eachStatement calls f for the statements of a text.
func eachStatement(text string, f func(lex.Tokens)) {
	lex.PostgresSyntax.Inspect(text, endsStatement, func(s lex.Tokens) lex.Verdict {
		f(s)
		return lex.Verdict{}
	})
}
