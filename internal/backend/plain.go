package backend

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"strings"

	"github.com/holdfast-go/holdfast/dialect"
)

// PlainWire returns a Wire that needs nothing of conn but what database/sql
// itself needs of a driver. It serves a pool that the application opened with a
// driver of its own choice (From): each control statement takes a round trip,
// and a failed COMMIT is only what the driver makes of it.
//
// Idle goes by the BEGIN, COMMIT and ROLLBACK that went through this Wire. Used
// is always true and ID always 0, because a Wire is made afresh whenever the
// connection is taken from its pool.
func PlainWire(conn driver.Conn) Wire { return &plainWire{conn: conn} }

type plainWire struct {
	conn  driver.Conn
	lost  bool // the driver has given the connection up
	begun bool // a transaction may be open
}

func (w *plainWire) Exec(ctx context.Context, prefix []string, query string, args []any) (driver.Result, error) {
	values, err := w.start(ctx, prefix, args)
	if err != nil {
		return nil, err
	}
	res, err := w.exec(ctx, query, values)
	return res, w.note(err)
}

func (w *plainWire) Query(ctx context.Context, prefix []string, query string, args []any) (driver.Rows, error) {
	values, err := w.start(ctx, prefix, args)
	if err != nil {
		return nil, err
	}
	rows, err := w.query(ctx, query, values)
	return rows, w.note(err)
}

func (w *plainWire) Commit(ctx context.Context, prefix []string) error {
	if _, err := w.start(ctx, prefix, nil); err != nil {
		return err
	}
	return w.end(ctx, "COMMIT")
}

func (w *plainWire) Rollback(ctx context.Context, suffix []string) error {
	if _, err := w.start(ctx, nil, nil); err != nil {
		return err
	}
	if err := w.end(ctx, "ROLLBACK"); err != nil {
		return err
	}
	for _, s := range suffix {
		if _, err := w.exec(ctx, s, nil); err != nil {
			return w.note(err)
		}
	}
	return nil
}

func (w *plainWire) Alive() bool {
	if w.lost {
		return false
	}
	v, ok := w.conn.(driver.Validator)
	return !ok || v.IsValid()
}

func (w *plainWire) Idle() bool { return !w.begun && w.Alive() }
func (w *plainWire) Used() bool { return true }
func (w *plainWire) ID() int64  { return 0 }

// start binds args, so that a value at fault is found before anything is sent,
// and sends prefix.
func (w *plainWire) start(ctx context.Context, prefix []string, args []any) ([]driver.NamedValue, error) {
	if !w.Alive() {
		return nil, &NotSentError{Closed: true, Err: errGivenUp}
	}
	if err := ctx.Err(); err != nil {
		return nil, &NotSentError{Err: err}
	}
	values, err := w.bind(args)
	if err != nil {
		return nil, &NotSentError{Err: err}
	}
	for _, s := range prefix {
		if begins(s) {
			w.begun = true
		}
		if _, err := w.exec(ctx, s, nil); err != nil {
			return nil, &PrefixError{Statement: s, Err: w.note(err)}
		}
	}
	return values, nil
}

func (w *plainWire) end(ctx context.Context, statement string) error {
	if _, err := w.exec(ctx, statement, nil); err != nil {
		return w.note(err)
	}
	w.begun = false
	return nil
}

func begins(control string) bool {
	return strings.HasPrefix(control, "BEGIN") || strings.HasPrefix(control, "START TRANSACTION")
}

// errGivenUp stands in for driver.ErrBadConn, which must not get any further:
// drivers return it for statements that may have run, and database/sql sends a
// statement again when it sees it (rule S6).
var errGivenUp error = givenUp{}

type givenUp struct{}

func (givenUp) Error() string        { return "the driver has given the connection up" }
func (givenUp) Is(target error) bool { return target == dialect.ErrConnectionLost }

func (w *plainWire) note(err error) error {
	if errors.Is(err, driver.ErrBadConn) {
		w.lost = true
		return errGivenUp
	}
	return err
}

// bind converts args as database/sql does for this driver.
func (w *plainWire) bind(args []any) ([]driver.NamedValue, error) {
	if len(args) == 0 {
		return nil, nil
	}
	checker, _ := w.conn.(driver.NamedValueChecker)
	values := make([]driver.NamedValue, 0, len(args))
	for i, arg := range args {
		v := driver.NamedValue{Ordinal: len(values) + 1, Value: arg}
		if named, ok := arg.(sql.NamedArg); ok {
			v.Name, v.Value = named.Name, named.Value
		}
		err := driver.ErrSkip
		if checker != nil {
			err = checker.CheckNamedValue(&v)
		}
		switch err {
		case driver.ErrSkip:
			v.Value, err = driver.DefaultParameterConverter.ConvertValue(v.Value)
		case driver.ErrRemoveArgument:
			continue
		}
		if err != nil {
			return nil, &argumentError{i + 1, arg, err}
		}
		values = append(values, v)
	}
	return values, nil
}

// argumentError says which value cannot be bound, and never which value it is:
// what its Value method says, or the driver, may quote it.
type argumentError struct {
	index int // from 1
	value any
	err   error
}

func (e *argumentError) Error() string {
	value := e.value
	if named, ok := value.(sql.NamedArg); ok {
		value = named.Value
	}
	if _, speaks := value.(driver.Valuer); speaks {
		return fmt.Sprintf("argument %d: this %T cannot be bound: its Value method returns an error, or what the driver does not take", e.index, value)
	}
	return fmt.Sprintf("argument %d: a %T cannot be bound; give the type a Value method", e.index, value)
}

func (e *argumentError) Unwrap() error { return e.err }

func (w *plainWire) exec(ctx context.Context, query string, values []driver.NamedValue) (driver.Result, error) {
	if e, ok := w.conn.(driver.ExecerContext); ok {
		res, err := e.ExecContext(ctx, query, values)
		if err != driver.ErrSkip {
			return res, err
		}
	}
	stmt, err := w.prepare(ctx, query, values)
	if err != nil {
		return nil, err
	}
	defer func() { _ = stmt.Close() }()
	if s, ok := stmt.(driver.StmtExecContext); ok {
		return s.ExecContext(ctx, values)
	}
	positional, err := unnamed(values)
	if err != nil {
		return nil, err
	}
	return stmt.Exec(positional) //nolint:staticcheck // all that such a driver has
}

func (w *plainWire) query(ctx context.Context, query string, values []driver.NamedValue) (driver.Rows, error) {
	if q, ok := w.conn.(driver.QueryerContext); ok {
		rows, err := q.QueryContext(ctx, query, values)
		if err != driver.ErrSkip {
			return rows, err
		}
	}
	stmt, err := w.prepare(ctx, query, values)
	if err != nil {
		return nil, err
	}
	var rows driver.Rows
	if s, ok := stmt.(driver.StmtQueryContext); ok {
		rows, err = s.QueryContext(ctx, values)
	} else {
		var positional []driver.Value
		if positional, err = unnamed(values); err == nil {
			rows, err = stmt.Query(positional) //nolint:staticcheck // all that such a driver has
		}
	}
	if err != nil {
		_ = stmt.Close()
		return nil, err
	}
	return &preparedRows{Rows: Rows{rows}, stmt: stmt}, nil
}

func (w *plainWire) prepare(ctx context.Context, query string, values []driver.NamedValue) (stmt driver.Stmt, err error) {
	if p, ok := w.conn.(driver.ConnPrepareContext); ok {
		stmt, err = p.PrepareContext(ctx, query)
	} else {
		stmt, err = w.conn.Prepare(query)
	}
	if err != nil {
		return nil, err
	}
	if n := stmt.NumInput(); n >= 0 && n != len(values) {
		_ = stmt.Close()
		return nil, fmt.Errorf("expected %d arguments, got %d", n, len(values))
	}
	return stmt, nil
}

func unnamed(values []driver.NamedValue) ([]driver.Value, error) {
	positional := make([]driver.Value, len(values))
	for i, v := range values {
		if v.Name != "" {
			return nil, fmt.Errorf("argument %d: the driver has no named parameters", i+1)
		}
		positional[i] = v.Value
	}
	return positional, nil
}
