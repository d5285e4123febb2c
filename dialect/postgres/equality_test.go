package postgres

import (
	"database/sql/driver"
	"errors"
	"math"
	"strconv"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/internal/backend"
)

// outcome is all that a caller can see of a statement.
type outcome struct {
	Columns  []string
	Types    []columnType
	Rows     [][]driver.Value
	Affected int64
	Refused  *pgconn.PgError
	Failed   bool
	Status   string // of the transaction, as the server sees it
}

type columnType struct {
	Name             string
	Length           int64
	HasLength        bool
	Precision, Scale int64
	HasScale         bool
	Scan             string
}

// session is one connection in one of the two ways of using it.
type session interface {
	exec(prefix []string, query string, args []any) (driver.Result, error)
	query(prefix []string, query string, args []any) (driver.Rows, error)
	status() byte
	undo()
}

// TestEqualToStdlib runs each statement as pgx's stdlib would and through the
// Wire: behind nothing, as the first statement of a block and as the first of a
// nested block; seen for the first time and for the second; with prepared
// statements and without.
func TestEqualToStdlib(t *testing.T) {
	t.Parallel()
	require.GreaterOrEqual(t, len(equalities), 60)
	for _, way := range []struct {
		name string
		opts []Option
	}{{"prepared", nil}, {"unprepared", []Option{WithoutStatementCache()}}} {
		for _, prefix := range [][]string{nil, {"BEGIN"}, {"BEGIN", "SAVEPOINT hf_1"}} {
			name := way.name
			for _, p := range prefix {
				name += " " + p
			}
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				// Two databases, so that both see the same rows and numbers.
				db := open(t, fresh(t, equalitySchema...).DSN, way.opts...)
				ours := &viaWire{t: t, wire: take(t, db).(*wire)}
				theirs := &viaStdlib{t: t, conn: stock(t, fresh(t, equalitySchema...).DSN)}
				for _, s := range equalities {
					if s.bare && len(prefix) > 0 || !db.Server.Version.AtLeast(s.since, 0, 0) {
						continue
					}
					for _, time := range []string{"first", "again"} {
						want, got := run(theirs, prefix, s), run(ours, prefix, s)
						assert.Equal(t, want, got, "%s, %s time", s.query, time)
						require.True(t, ours.wire.Alive(), s.query)
					}
				}
			})
		}
	}
}

func run(s session, prefix []string, st equality) (o outcome) {
	var err error
	if st.exec {
		var res driver.Result
		if res, err = s.exec(prefix, st.query, st.args); err == nil {
			o.Affected, err = res.RowsAffected()
		}
	} else {
		var rows driver.Rows
		if rows, err = s.query(prefix, st.query, st.args); err == nil {
			o.Columns = rows.Columns()
			for i := range o.Columns {
				o.Types = append(o.Types, typeOf(rows, i))
			}
			o.Rows, err = readAll(rows)
			level(o.Rows)
		}
	}
	o.Failed = err != nil
	if errors.As(err, &o.Refused) {
		copied := *o.Refused
		o.Refused = &copied
		o.Refused.Line, o.Refused.File = 0, ""
	}
	if !o.Failed || o.Refused != nil {
		// A value that cannot be encoded may be found before BEGIN has left.
		o.Status = string(s.status())
	}
	if len(prefix) > 0 {
		s.undo()
	}
	return o
}

func typeOf(rows driver.Rows, i int) (c columnType) {
	c.Name = rows.(driver.RowsColumnTypeDatabaseTypeName).ColumnTypeDatabaseTypeName(i)
	if _, err := strconv.Atoi(c.Name); err == nil {
		c.Name = "made here" // its number is another in each database
	}
	c.Length, c.HasLength = rows.(driver.RowsColumnTypeLength).ColumnTypeLength(i)
	c.Precision, c.Scale, c.HasScale = rows.(driver.RowsColumnTypePrecisionScale).ColumnTypePrecisionScale(i)
	c.Scan = rows.(driver.RowsColumnTypeScanType).ColumnTypeScanType(i).String()
	return c
}

// level levels the one intended difference, that pgx hands instants out in the
// process's zone, and makes NaN equal to itself.
func level(rows [][]driver.Value) {
	for _, row := range rows {
		for i, v := range row {
			switch v := v.(type) {
			case time.Time:
				row[i] = v.UTC()
			case float64:
				if math.IsNaN(v) {
					row[i] = "not a number"
				}
			}
		}
	}
}

type viaWire struct {
	t    *testing.T
	wire *wire
}

func (s *viaWire) exec(prefix []string, query string, args []any) (driver.Result, error) {
	return s.wire.Exec(s.t.Context(), prefix, query, args)
}

func (s *viaWire) query(prefix []string, query string, args []any) (driver.Rows, error) {
	return s.wire.Query(s.t.Context(), prefix, query, args)
}

func (s *viaWire) status() byte { return s.wire.conn.TxStatus() }

func (s *viaWire) undo() {
	require.NoError(s.t, s.wire.Rollback(s.t.Context(), nil))
	require.True(s.t, s.wire.Idle())
}

type viaStdlib struct {
	t    *testing.T
	conn *stdlib.Conn
}

func (s *viaStdlib) begin(prefix []string) {
	for _, p := range prefix {
		_, err := s.conn.ExecContext(s.t.Context(), p, nil)
		require.NoError(s.t, err)
	}
}

func (s *viaStdlib) exec(prefix []string, query string, args []any) (driver.Result, error) {
	s.begin(prefix)
	return s.conn.ExecContext(s.t.Context(), query, namedValues(args))
}

func (s *viaStdlib) query(prefix []string, query string, args []any) (driver.Rows, error) {
	s.begin(prefix)
	return s.conn.QueryContext(s.t.Context(), query, namedValues(args))
}

func (s *viaStdlib) status() byte { return s.conn.Conn().PgConn().TxStatus() }
func (s *viaStdlib) undo()        { s.begin([]string{"ROLLBACK"}) }

func namedValues(args []any) []driver.NamedValue {
	values := make([]driver.NamedValue, len(args))
	for i, a := range args {
		values[i] = driver.NamedValue{Ordinal: i + 1, Value: a}
	}
	return values
}

var _ backend.Wire = (*wire)(nil)
