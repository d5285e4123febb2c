package mysql

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"unicode/utf8"

	godriver "github.com/go-sql-driver/mysql"

	"github.com/holdfast-go/holdfast/internal/backend"
)

// preparedStmt is what the driver's statements can do.
type preparedStmt interface {
	driver.Stmt
	driver.StmtExecContext
	driver.StmtQueryContext
}

// unpreparable is the server's answer to PREPARE of a statement that it cannot
// prepare (ER_UNSUPPORTED_PS), such as CREATE PROCEDURE. It has then read the
// whole text and found one statement: a second one is a syntax error (1064).
const unpreparable = 1295

// judge lets the server decide that query, which has a semicolon somewhere, is
// a single statement. Nothing has run when it is not.
func (w *wire) judge(ctx context.Context, query string, values []driver.NamedValue) error {
	stmt, err := w.prepare(ctx, query, values)
	if err == nil {
		_ = stmt.Close() // sent without waiting for an answer
		return nil
	}
	var refused *godriver.MySQLError
	if errors.As(err, &refused) && refused.Number == unpreparable {
		return nil
	}
	return &backend.NotSentError{Closed: !w.Alive(), Err: err}
}

// bound prepares query on the server and runs it. Nothing can travel with
// PREPARE, so prefix goes before it, in a round trip of its own.
func (w *wire) bound(ctx context.Context, prefix []string, query string, values []driver.NamedValue, run func(preparedStmt) error) error {
	if err := wellFormed(values); err != nil {
		return &backend.NotSentError{Err: err}
	}
	if len(prefix) > 0 {
		if err := w.control(ctx, prefix); err != nil {
			return err
		}
	}
	stmt, err := w.prepare(ctx, query, values)
	if err != nil {
		if len(prefix) == 0 && !w.Alive() {
			return &backend.NotSentError{Closed: true, Err: err}
		}
		return err
	}
	// From here on the prefix is on the server: no error may say that nothing
	// was sent.
	err = run(stmt)
	var refused *godriver.MySQLError
	switch {
	case err == nil:
		w.doubt = false
	case errors.As(err, &refused):
		w.doubt = opaque(query)
		w.failed(query)
		return w.refused(refused)
	case errors.Is(err, driver.ErrBadConn):
		w.lost = true
		return errClosed
	case errors.Is(err, godriver.ErrPktTooLarge):
		return errTooLarge
	}
	return err
}

func (w *wire) prepare(ctx context.Context, query string, values []driver.NamedValue) (preparedStmt, error) {
	w.used = true
	stmt, err := w.raw.PrepareContext(ctx, query)
	switch {
	case errors.Is(err, driver.ErrBadConn):
		w.lost = true
		return nil, errClosed
	case errors.Is(err, godriver.ErrPktTooLarge):
		return nil, errTooLarge
	case err != nil:
		return nil, err
	}
	if n := stmt.NumInput(); n != len(values) {
		_ = stmt.Close()
		return nil, fmt.Errorf("the statement has %d placeholders, and %d values were given", n, len(values))
	}
	return stmt.(preparedStmt), nil
}

// wellFormed refuses a text that is no UTF-8. Bound on the server, MySQL cuts
// it off at the first wrong byte where the column has another character set,
// without an error (rule S1); in a literal it is an error, or kept as it is.
func wellFormed(values []driver.NamedValue) error {
	for _, v := range values {
		if s, ok := v.Value.(string); ok && !utf8.ValidString(s) {
			return fmt.Errorf("argument %d: the text is not valid UTF-8; bind a []byte", v.Ordinal)
		}
	}
	return nil
}
