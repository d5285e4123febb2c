package postgres

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/dialect"
	"github.com/holdfast-go/holdfast/internal/backend"
)

func TestATextOfSeveralStatements(t *testing.T) {
	t.Parallel()
	eachWay(t, func(t *testing.T, opts ...Option) {
		db := fresh(t, items)
		opened := open(t, db.DSN, opts...)
		w := take(t, opened)
		count := func() any { return one(t, w, `SELECT count(*) FROM item`) }

		// By itself all or nothing.
		const script = "-- a script;\nCREATE TABLE made (id int); INSERT INTO item VALUES (1, 'a;b'), (2, $$;$$);\nUPDATE item SET name = name || '!'; "
		require.EqualValues(t, 2, exec(t, w, script))
		require.EqualValues(t, 2, count())
		require.Error(t, fails(w.Exec(t.Context(), nil, `DELETE FROM item; SELECT 1/0`, nil)))
		require.True(t, w.Idle())
		require.EqualValues(t, 2, count())

		// A part of its block.
		execAfter(t, w, []string{"BEGIN", "SAVEPOINT hf_1"}, `DELETE FROM item; DROP TABLE made; SELECT 1`)
		require.EqualValues(t, 0, count())
		require.NoError(t, w.Rollback(t.Context(), nil))
		require.EqualValues(t, 2, count())
		execAfter(t, w, begin, `SELECT 1`)
		err := fails(w.Exec(t.Context(), []string{"SAVEPOINT hf_1"}, `DELETE FROM item; INSERT INTO nowhere VALUES (1); SELECT 1`, nil))
		require.Equal(t, "42P01", backend.Classify(opened, err).Code)
		execAfter(t, w, []string{"ROLLBACK TO SAVEPOINT hf_1"}, `DELETE FROM item WHERE id = 1; DELETE FROM item WHERE id = 1`)
		require.NoError(t, w.Commit(t.Context(), nil))
		require.EqualValues(t, 1, count())

		// With values, or for rows, it is refused before it is sent, in one way.
		for _, refused := range []error{
			fails(w.Exec(t.Context(), begin, `DELETE FROM item WHERE id = $1; SELECT 1`, []any{2})),
			query(t, w, `SELECT 1; SELECT 2`),
			query(t, w, `SELECT $1::int; SELECT 2`, 1),
		} {
			require.Equal(t, dialect.ErrUnsupported, backend.Classify(opened, refused).Kind)
			require.ErrorAs(t, refused, new(*backend.NotSentError))
			require.True(t, w.Idle())
		}
		require.ErrorAs(t, fails(w.Exec(t.Context(), nil, `SELECT 1; COPY item FROM STDIN`, nil)), new(*backend.NotSentError))
	})
}

func query(t *testing.T, w backend.Wire, text string, args ...any) error {
	t.Helper()
	rows, err := w.Query(t.Context(), nil, text, args)
	if err == nil {
		_, err = readAll(rows)
	}
	return err
}

// R7: a server that is read-only may have been the writer when the connection was made.
func TestR07_ATextOfSeveralIsRefusedByAReader(t *testing.T) {
	t.Parallel()
	db := fresh(t, items)
	for _, text := range []string{`DELETE FROM item`, `DELETE FROM item; DELETE FROM item`} {
		opened := open(t, db.DSN+`&default_transaction_read_only=on`)
		w := take(t, opened)
		_, err := w.Exec(t.Context(), nil, text, nil)
		require.ErrorIs(t, opened.Engine.Classify(err), dialect.ErrReadOnly)
		require.True(t, w.(backend.SessionTeller).SessionChanged(), text)
	}
}
