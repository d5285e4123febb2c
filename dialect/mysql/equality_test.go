package mysql

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	godriver "github.com/go-sql-driver/mysql"
	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/internal/backend"
	"github.com/holdfast-go/holdfast/internal/testserver"
)

// outcome is all that can be seen of a statement's answer.
type outcome struct {
	Results  []result
	Affected int64
	LastID   int64
	Err      string
}

type result struct {
	Columns []string // with everything that is known of their types
	Rows    [][]string
}

// sender sends one statement, as database/sql or atomic would.
type sender struct {
	exec  func(query string, args []any) (driver.Result, error)
	query func(query string, args []any) (driver.Rows, error)
}

// TestEquality: a statement gives the same answer whether control statements
// travel in front of it or not, and the same as from the driver alone.
func TestEquality(t *testing.T) {
	each(t, func(t *testing.T, db testserver.Database) {
		ours := open(t, db.DSN)
		apart := open(t, with(db.DSN, "multiStatements=false"))
		wire, alone, plain := take(t, ours), stock(t, ours), take(t, apart)
		ways := []struct {
			name string
			send func() sender
			end  func() error
		}{
			{"first of a block", func() sender { return through(t, wire, "BEGIN") }, rollback(t, wire)},
			{"first of a nested block", func() sender {
				exec(t, wire, []string{"BEGIN"}, "SELECT 1")
				return through(t, wire, "SAVEPOINT hf_1", "SAVEPOINT hf_2")
			}, rollback(t, wire)},
			{"later in a block", func() sender {
				exec(t, wire, []string{"BEGIN"}, "SELECT 1")
				return through(t, wire)
			}, rollback(t, wire)},
			{"first of a block, apart", func() sender { return through(t, plain, "BEGIN") }, rollback(t, plain)},
		}
		trials := equalTrials(db.Engine)
		require.GreaterOrEqual(t, len(trials), 60)
		reset(t, db)
		for _, trial := range trials {
			// Everything is rolled back but the next value of AUTO_INCREMENT.
			reset := func() {
				if strings.Contains(trial.query, "INTO counted") {
					reset(t, db)
				}
			}
			t.Run(trial.name(), func(t *testing.T) {
				reset()
				_, err := alone.ExecContext(t.Context(), "BEGIN", nil)
				require.NoError(t, err)
				want := observe(t, byDriver(t, alone), trial)
				_, err = alone.ExecContext(context.WithoutCancel(t.Context()), "ROLLBACK", nil)
				require.NoError(t, err)
				require.Equal(t, trial.fails, want.Err != "", "error of the driver alone: %s", want.Err)
				for _, way := range ways {
					reset()
					got := observe(t, way.send(), trial)
					require.NoError(t, way.end())
					require.Equal(t, want, got, way.name)
				}
			})
		}
	})
}

// through sends by a wire, the first statement with prefix in front.
func through(t *testing.T, w backend.Wire, prefix ...string) sender {
	return sender{
		exec:  func(q string, a []any) (driver.Result, error) { return w.Exec(t.Context(), prefix, q, a) },
		query: func(q string, a []any) (driver.Rows, error) { return w.Query(t.Context(), prefix, q, a) },
	}
}

func rollback(t *testing.T, w backend.Wire) func() error {
	return func() error { return w.Rollback(t.Context(), nil) }
}

// byDriver sends as database/sql does on a connection of the driver.
func byDriver(t *testing.T, c rawConn) sender {
	bind := func(args []any) (values []driver.NamedValue, _ error) {
		for i, arg := range args {
			v := driver.NamedValue{Ordinal: i + 1, Value: arg}
			if err := c.CheckNamedValue(&v); err != nil {
				return nil, err
			}
			values = append(values, v)
		}
		return values, nil
	}
	prepare := func(q string, n int) (preparedStmt, error) {
		stmt, err := c.PrepareContext(t.Context(), q)
		if err == nil && stmt.NumInput() != n {
			_ = stmt.Close()
			err = errors.New("wrong number of values")
		}
		if err != nil {
			return nil, err
		}
		return stmt.(preparedStmt), nil
	}
	return sender{
		exec: func(q string, args []any) (driver.Result, error) {
			values, err := bind(args)
			if err != nil {
				return nil, err
			}
			res, err := c.ExecContext(t.Context(), q, values)
			if err != driver.ErrSkip {
				return res, err
			}
			stmt, err := prepare(q, len(values))
			if err != nil {
				return nil, err
			}
			defer func() { require.NoError(t, stmt.Close()) }()
			return stmt.ExecContext(t.Context(), values)
		},
		query: func(q string, args []any) (driver.Rows, error) {
			values, err := bind(args)
			if err != nil {
				return nil, err
			}
			rows, err := c.QueryContext(t.Context(), q, values)
			if err != driver.ErrSkip {
				return rows, err
			}
			stmt, err := prepare(q, len(values))
			if err != nil {
				return nil, err
			}
			return stmt.QueryContext(t.Context(), values)
		},
	}
}

func observe(t *testing.T, s sender, trial trial) (o outcome) {
	t.Helper()
	if trial.exec {
		res, err := s.exec(trial.query, trial.args)
		if err != nil {
			return outcome{Err: describe(err)}
		}
		o.Affected, err = res.RowsAffected()
		require.NoError(t, err)
		o.LastID, err = res.LastInsertId()
		require.NoError(t, err)
		return o
	}
	rows, err := s.query(trial.query, trial.args)
	if err != nil {
		return outcome{Err: describe(err)}
	}
	for {
		r, err := readTyped(rows)
		o.Results = append(o.Results, r)
		if err != nil {
			o.Err = describe(err)
			break
		}
		more, ok := rows.(driver.RowsNextResultSet)
		if !ok || !more.HasNextResultSet() {
			break
		}
		if err := more.NextResultSet(); err == io.EOF {
			break
		} else if err != nil {
			o.Err = describe(err)
			break
		}
	}
	if err := rows.Close(); err != nil && o.Err == "" {
		o.Err = describe(err)
	}
	return o
}

// readTyped reads one result set, with the Go type of every value.
func readTyped(rows driver.Rows) (r result, err error) {
	types := rows.(driverRows)
	for i, name := range rows.Columns() {
		null, nullOK := types.ColumnTypeNullable(i)
		precision, scale, decimalOK := types.ColumnTypePrecisionScale(i)
		r.Columns = append(r.Columns, fmt.Sprint(name, " ", types.ColumnTypeDatabaseTypeName(i), " ",
			types.ColumnTypeScanType(i), null, nullOK, precision, scale, decimalOK))
	}
	dest := make([]driver.Value, len(r.Columns))
	for {
		if err := rows.Next(dest); err == io.EOF {
			return r, nil
		} else if err != nil {
			return r, err
		}
		row := make([]string, len(dest))
		for i, v := range dest {
			row[i] = fmt.Sprintf("%T %#v", v, v)
			if b, ok := v.([]byte); ok {
				row[i] = fmt.Sprintf("[]byte %q", b)
			}
		}
		r.Rows = append(r.Rows, row)
	}
}

// describe is an error without what tells the ways apart on purpose: who
// counted placeholders.
func describe(err error) string {
	var refused *godriver.MySQLError
	if errors.As(err, &refused) {
		return refused.Error()
	}
	return "not an answer of the server"
}

// TestTextAndPreparedAreTheSame: a value has the same Go type and the same
// value whether its statement travelled as text or was prepared.
func TestTextAndPreparedAreTheSame(t *testing.T) {
	each(t, func(t *testing.T, db testserver.Database) {
		reset(t, db)
		text := take(t, open(t, db.DSN))
		bound := take(t, open(t, with(db.DSN, "interpolateParams=false")))
		for i, typ := range columnTypes {
			for _, id := range []int{1, 2, 3} {
				query := fmt.Sprintf("SELECT c%d FROM every WHERE id = ?", i)
				var seen [2]result
				for j, w := range []backend.Wire{text, bound} {
					rows, err := w.Query(t.Context(), nil, query, []any{id})
					require.NoError(t, err)
					seen[j], err = readTyped(rows)
					require.NoError(t, err)
					require.NoError(t, rows.Close())
				}
				require.Equal(t, seen[0], seen[1], "%s, row %d", typ, id)
			}
		}
	})
}
