package tpch

import (
	"context"
	"database/sql"
	"fmt"
	"math/big"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/models"
	"github.com/holdfast-go/holdfast/orm"
)

// answer is the rows of a question, each as one line.
type answer []string

// cell is a value as text: whole numbers exactly, others to twelve digits.
func cell(v any) string {
	switch v := v.(type) {
	case []byte:
		return number(string(v))
	case string:
		return number(v)
	case time.Time:
		return v.Format(time.DateOnly)
	case models.Date:
		return v.In(time.UTC).Format(time.DateOnly)
	case float64:
		return fmt.Sprintf("%.12g", v)
	case nil:
		return "NULL"
	default:
		return fmt.Sprint(v)
	}
}

// number is a text, and one that is a decimal number, to twelve digits.
func number(s string) string {
	if r, ok := new(big.Rat).SetString(s); ok && strings.ContainsAny(s, ".eE") {
		if r.IsInt() {
			return r.Num().String()
		}
		f, _ := r.Float64()
		return fmt.Sprintf("%.12g", f)
	}
	return strings.TrimSuffix(s, "T00:00:00Z")
}

// byHand is the answer to a text.
func byHand(ctx context.Context, t *testing.T, db *sql.DB, text string) answer {
	t.Helper()
	rows, err := db.QueryContext(ctx, text)
	require.NoError(t, err)
	defer func() { _ = rows.Close() }()
	columns, err := rows.Columns()
	require.NoError(t, err)
	var all answer
	for rows.Next() {
		values, into := make([]any, len(columns)), make([]any, len(columns))
		for i := range values {
			into[i] = &values[i]
		}
		require.NoError(t, rows.Scan(into...))
		cells := make([]string, len(values))
		for i, v := range values {
			cells[i] = cell(v)
		}
		all = append(all, strings.Join(cells, " | "))
	}
	require.NoError(t, rows.Err())
	return all
}

// question is one of the functions Q1 to Q22.
type question func(context.Context, *testing.T, *orm.DB) answer

// asked is what a function returns as an answer: the fields of a row one after the
// other, in the order of the plain text.
func asked[R any](ask func(context.Context, *orm.DB) ([]R, error)) question {
	return func(ctx context.Context, t *testing.T, db *orm.DB) answer {
		t.Helper()
		rows, err := ask(ctx, db)
		require.NoError(t, err)
		var all answer
		for _, r := range rows {
			v := reflect.ValueOf(r)
			if v.Kind() != reflect.Struct {
				all = append(all, cell(r))
				continue
			}
			cells := make([]string, v.NumField())
			for i := range cells {
				cells[i] = cell(v.Field(i).Interface())
			}
			all = append(all, strings.Join(cells, " | "))
		}
		return all
	}
}
