package mysql

import (
	"context"
	"database/sql/driver"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/internal/backend"
	"github.com/holdfast-go/holdfast/internal/testserver"
)

const benchQuery = "SELECT id, name, n FROM item WHERE id = ? AND name <> ?"

// BenchmarkAgainstTheDriver sends the same statement by the driver alone and by
// a wire in turn, and reports the ratio of the times: wire/driver.
func BenchmarkAgainstTheDriver(b *testing.B) {
	for _, engine := range []testserver.Engine{testserver.MySQL, testserver.MariaDB} {
		b.Run(string(engine), func(b *testing.B) {
			db := testserver.New(b, engine)
			admin(b, db, "CREATE TABLE item (id INT PRIMARY KEY, name VARCHAR(20), n INT)", "INSERT INTO item VALUES (1, 'a', 1)")
			ours := open(b, db.DSN)
			w, c := take(b, ours), stock(b, ours)
			args := []any{1, "x"}
			values := []driver.NamedValue{{Ordinal: 1, Value: int64(1)}, {Ordinal: 2, Value: "x"}}
			var byDriver, byWire time.Duration
			b.ReportAllocs()
			for b.Loop() {
				start := time.Now()
				rows, err := c.QueryContext(b.Context(), benchQuery, values)
				drain(b, rows, err)
				byDriver += time.Since(start)
				start = time.Now()
				rows, err = w.Query(b.Context(), nil, benchQuery, args)
				drain(b, rows, err)
				byWire += time.Since(start)
			}
			b.ReportMetric(float64(byWire)/float64(byDriver), "wire/driver")
		})
	}
}

func drain(b *testing.B, rows driver.Rows, err error) {
	require.NoError(b, err)
	dest := make([]driver.Value, len(rows.Columns()))
	for rows.Next(dest) == nil {
	}
	require.NoError(b, rows.Close())
}

// silent is a connection that answers at once, to see what a wire costs.
type silent struct {
	rawConn
	status uint16
	result struct{ affectedRows []int64 } //nolint:unused // read by reflection
}

func (c *silent) IsValid() bool { return true }
func (c *silent) ExecContext(context.Context, string, []driver.NamedValue) (driver.Result, error) {
	return driver.RowsAffected(1), nil
}
func (c *silent) CheckNamedValue(v *driver.NamedValue) (err error) {
	v.Value, err = driver.DefaultParameterConverter.ConvertValue(v.Value)
	return err
}

// BenchmarkOverhead is what a wire adds to a statement, with a prefix and
// without, without a server.
func BenchmarkOverhead(b *testing.B) {
	args := []any{int64(1), "x"}
	conn := &silent{status: statusAutocommit}
	r, ok := repliesOf(conn)
	require.True(b, ok)
	var w backend.Wire = &wire{raw: conn, replies: r}
	run := func(name string, prefix []string) {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := w.Exec(b.Context(), prefix, benchQuery, args); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	run("alone", nil)
	run("with a prefix", []string{"RELEASE SAVEPOINT hf_1", "SAVEPOINT hf_1"})
}
