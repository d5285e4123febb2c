package orm

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/holdfast-go/holdfast/dialect"
)

// Explain returns the server's plan for the statement that All would send, in
// the server's own words. The statement does not run and locks nothing.
func (q QuerySet[T]) Explain(ctx context.Context) (string, error) {
	st, _, err := q.render()
	if err != nil {
		return "", q.failed("Explain", err)
	}
	verb := explainVerbs[q.db.Server().Engine]
	st.SQL = verb + " " + st.SQL
	st.Locks, st.Wait = false, nil
	var plan strings.Builder
	err = q.db.gate.Query(ctx, st, func(rows driver.Rows) error {
		plan.Reset()
		return printPlan(&plan, rows)
	})
	return plan.String(), q.failed("Explain", err)
}

// MariaDB has no FORMAT=TREE.
var explainVerbs = map[string]string{
	dialect.MySQL:    "EXPLAIN FORMAT=TREE",
	dialect.MariaDB:  "EXPLAIN FORMAT=JSON",
	dialect.Postgres: "EXPLAIN",
	dialect.SQLite:   "EXPLAIN QUERY PLAN",
}

// printPlan writes the last column of each row, which is where every engine has
// the text of its plan. SQLite's first two columns say how deep a line stands.
func printPlan(sb *strings.Builder, rows driver.Rows) error {
	columns := rows.Columns()
	values := make([]driver.Value, len(columns))
	depth := map[any]int{}
	for {
		switch err := rows.Next(values); {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		}
		if len(values) == 4 {
			depth[values[0]] = depth[values[1]] + 1
			sb.WriteString(strings.Repeat("  ", depth[values[0]]-1))
		}
		switch v := values[len(values)-1].(type) {
		case []byte:
			sb.Write(v)
		default:
			fmt.Fprint(sb, v)
		}
		sb.WriteByte('\n')
	}
}
