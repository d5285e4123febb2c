package orm

import (
	"context"
	"database/sql/driver"
	"fmt"
	"strings"

	"github.com/holdfast-go/holdfast/dialect"
)

// Explain returns the server's plan for the statement that All would send, in
// the server's own words, which on MySQL, MariaDB and PostgreSQL have the values
// of the conditions in them. The statement does not run and locks nothing; on
// MariaDB, which would lock all the same, it is explained without its locks.
func (q QuerySet[T]) Explain(ctx context.Context) (string, error) {
	plan, err := q.set.explain(ctx)
	return plan, q.set.failed(ctx, "Explain", err)
}

func (q set[P]) explain(ctx context.Context) (string, error) {
	st, _, err := q.render()
	if err == nil && q.db.Server().Engine == dialect.MariaDB {
		// It reads a row that it finds by its key while it plans, and locks it.
		q.spec.Locks = nil
		st, _, err = q.render()
	}
	if err != nil {
		return "", err
	}
	verb := explainVerb(q.db.Server()) + " "
	st.SQL = verb + st.SQL
	if again := st.Again; again != nil { // else what is sent in its place runs, and locks
		st.Again = func(ctx context.Context) (string, []any, error) {
			text, args, err := again(ctx)
			return verb + text, args, err
		}
	}
	st.Locks, st.Wait = false, nil
	var plan strings.Builder
	err = q.db.executor.Query(ctx, st, func(rows driver.Rows) error {
		plan.Reset()
		return printPlan(&plan, rows)
	})
	return plan.String(), err
}

// explainVerb asks for a plan to be read by people.
func explainVerb(s dialect.Server) string {
	switch {
	case s.Engine == dialect.Postgres:
		return "EXPLAIN"
	case s.Engine == dialect.SQLite:
		return "EXPLAIN QUERY PLAN"
	case s.Engine == dialect.MySQL && s.Version.AtLeast(8, 0, 16): // MySQL manual, "EXPLAIN Statement"
		return "EXPLAIN FORMAT=TREE"
	}
	return "EXPLAIN FORMAT=JSON"
}

// printPlan writes the last column of each row, which is where every engine has
// the text of its plan. SQLite's first two columns say how deep a line stands.
func printPlan(sb *strings.Builder, rows driver.Rows) error {
	columns := rows.Columns()
	values := make([]driver.Value, len(columns))
	depth := map[any]int{}
	for {
		if more, err := next(rows, values); !more {
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
