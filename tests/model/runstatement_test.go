package model

import (
	"cmp"
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"io"
	"strconv"
	"strings"

	machine "github.com/holdfast-go/holdfast/internal/block"
)

// handle is what *sql.DB and *sql.Tx have in common.
type handle interface {
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
	PrepareContext(ctx context.Context, query string) (*sql.Stmt, error)
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

// handle is the *sql.Tx that a call is made on, or the *sql.DB.
func (r *runner) handle(c Call) (h handle, isTx bool) {
	if tx := r.txs[c.On]; tx != nil {
		return tx, true
	}
	return r.target.db, false
}

// insert sends an INSERT.
func (r *runner) insert(ctx context.Context, op *Insert) error {
	row, planned := r.plan[op.ID]
	if !planned {
		row = unplanned + op.ID
	}
	key := int64(r.base + row)
	h, isTx := r.handle(op.Call)
	switch {
	case op.Way == ByExecutor && !isTx:
		_, err := r.target.executor.Exec(ctx, machine.Statement{SQL: r.target.insert, Args: []any{key}})
		return err
	case op.Way == ByPrepared:
		st, err := h.PrepareContext(ctx, r.target.insert)
		if err != nil {
			return err
		}
		defer st.Close()
		_, err = st.ExecContext(ctx, key)
		return err
	default:
		_, err := h.ExecContext(ctx, r.target.insert, key)
		return err
	}
}

// pointText sends a text about a savepoint.
func (r *runner) pointText(ctx context.Context, op *PointText) (err error) {
	h, isTx := r.handle(op.Call)
	if op.Way == ByExecutor && !isTx {
		_, err = r.target.executor.Exec(ctx, machine.Statement{SQL: op.Text()})
	} else {
		_, err = h.ExecContext(ctx, op.Text())
	}
	return err
}

// read reads the rows of the program.
func (r *runner) read(ctx context.Context, op *Read) ([]int, error) {
	tg, from, to := r.target, int64(r.base), int64(r.base+span)
	h, isTx := r.handle(op.Call)
	switch {
	case op.Way == ByExecutor && !isTx:
		keys := []int{}
		err := tg.executor.Query(ctx, machine.Statement{SQL: tg.read, Args: []any{from, to}}, func(rows driver.Rows) error {
			dest := make([]driver.Value, 1)
			for {
				if err := rows.Next(dest); errors.Is(err, io.EOF) {
					return nil
				} else if err != nil {
					return err
				}
				keys = r.keep(keys, dest[0].(int64))
			}
		})
		return keys, err
	case op.Way == ByRow:
		var list sql.NullString
		err := h.QueryRowContext(ctx, tg.readRow, from, to).Scan(&list)
		keys := []int{}
		for word := range strings.FieldsFuncSeq(list.String, func(r rune) bool { return r == ',' }) {
			key, err := strconv.ParseInt(word, 10, 64)
			if err != nil {
				return nil, err
			}
			keys = r.keep(keys, key)
		}
		return keys, err
	case op.Way == ByPrepared:
		st, err := h.PrepareContext(ctx, tg.read)
		if err != nil {
			return nil, err
		}
		defer st.Close()
		return r.scan(st.QueryContext(ctx, from, to))
	default:
		return r.scan(h.QueryContext(ctx, tg.read, from, to))
	}
}

// scan reads rows to their end.
func (r *runner) scan(rows *sql.Rows, err error) ([]int, error) {
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	keys := []int{}
	for rows.Next() {
		var key int64
		if err := rows.Scan(&key); err != nil {
			return nil, err
		}
		keys = r.keep(keys, key)
	}
	return keys, rows.Err()
}

// keep adds a key that was read, counted from the program's first, unless it is
// one of the seeds.
func (r *runner) keep(keys []int, key int64) []int {
	if row := int(key) - r.base; !IsSeed(row) {
		return append(keys, row)
	}
	return keys
}

// rows opens rows, reads the first, which is a seed, runs the body and reads the
// rest.
func (r *runner) rows(ctx context.Context, op *Rows) error {
	next, closer, err := r.stream(ctx, op.Way)
	if err == nil {
		_, err = next()
	}
	if closer != nil {
		defer func() { _ = r.logError(op.ID, "rows closed", closer.Close()) }()
	}
	if r.logError(op.ID, "rows opened", err) != nil {
		return err
	}
	if err := r.body(op.ID, op.Body); err != nil {
		return err
	}
	keys := []int{}
	for {
		key, err := next()
		if errors.Is(err, io.EOF) {
			r.log(op.ID, "saw %v", keys)
			return nil
		}
		if err != nil {
			return r.logError(op.ID, "rows", err)
		}
		keys = r.keep(keys, key)
	}
}

// stream opens the rows of the program.
func (r *runner) stream(ctx context.Context, way Way) (next func() (int64, error), closer io.Closer, err error) {
	tg, from, to := r.target, int64(r.base), int64(r.base+span)
	if way == ByExecutor {
		rows, err := tg.executor.Stream(ctx, machine.Statement{SQL: tg.read, Args: []any{from, to}})
		if err != nil {
			return nil, nil, err
		}
		return func() (int64, error) {
			dest := make([]driver.Value, 1)
			if err := rows.Next(dest); err != nil {
				return 0, err
			}
			return dest[0].(int64), nil
		}, rows, nil
	}
	rows, err := tg.db.QueryContext(ctx, tg.read, from, to)
	if err != nil {
		return nil, nil, err
	}
	return func() (key int64, err error) {
		if rows.Next() {
			return key, rows.Scan(&key)
		}
		return 0, cmp.Or(rows.Err(), io.EOF)
	}, rows, nil
}
