package mysql

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/internal/backend"
	"github.com/holdfast-go/holdfast/internal/testserver"
)

// Each wire answers, and what fails is told as it is without a question.
func TestAQuestionGoesWithItsStatement(t *testing.T) {
	const step, insert = "SELECT @@auto_increment_increment", "INSERT INTO item (name) VALUES (?), (?)"
	each(t, func(t *testing.T, db testserver.Database) {
		admin(t, db, "CREATE TABLE item (id INT AUTO_INCREMENT PRIMARY KEY, name VARCHAR(10) UNIQUE)")
		for i, params := range []string{"", "multiStatements=false", "interpolateParams=false"} {
			w := take(t, open(t, with(db.DSN, strings.TrimPrefix(params+"&auto_increment_increment=7", "&"))))
			asking := func(ctx context.Context, prefix []string, question, query string, args ...any) (int64, int64, error) {
				res, answer, err := backend.ExecAsking(ctx, w, prefix, question, query, args)
				if err != nil {
					return 0, 0, err
				}
				id, err := res.LastInsertId()
				require.NoError(t, err)
				n, err := res.RowsAffected()
				require.NoError(t, err)
				require.EqualValues(t, 2, n)
				return id, answer, nil
			}
			name := func(s string) string { return fmt.Sprint(s, i) }
			id, n, err := asking(t.Context(), nil, step, insert, name("a"), name("b"))
			require.NoError(t, err, params)
			require.EqualValues(t, 7, n)
			require.Equal(t, []string{itoa(id), itoa(id + 7)}, ask(t, w, "SELECT MIN(id), MAX(id) FROM item WHERE name IN (?, ?)", name("a"), name("b")))
			require.True(t, w.Idle())

			_, _, err = asking(t.Context(), []string{"BEGIN", "SAVEPOINT hf_1"}, step, insert, name("c"), name("d"))
			require.NoError(t, err)
			require.False(t, w.Idle())

			_, _, err = asking(t.Context(), []string{"SAVEPOINT hf_2"}, step, insert, name("e"), name("a"))
			var prefix *backend.PrefixError
			require.NotErrorAs(t, err, &prefix, "all of the prefix took effect")
			require.Equal(t, 1062, number(err))
			require.True(t, w.Alive())
			exec(t, w, []string{"ROLLBACK TO SAVEPOINT hf_2"}, "DO 0")

			_, _, err = asking(t.Context(), []string{"RELEASE SAVEPOINT hf_9"}, step, insert, name("e"), name("f"))
			require.ErrorAs(t, err, &prefix)
			require.Equal(t, "RELEASE SAVEPOINT hf_9", prefix.Statement)
			_, _, err = asking(t.Context(), nil, "SELECT @@no_such_variable", insert, name("e"), name("f"))
			require.Equal(t, 1193, number(err))
			require.Equal(t, []string{"0"}, ask(t, w, "SELECT COUNT(*) FROM item WHERE name IN (?, ?)", name("e"), name("f")), "it did not run")
			require.NoError(t, w.Commit(t.Context(), nil))
			require.Equal(t, []string{"2"}, ask(t, w, "SELECT COUNT(*) FROM item WHERE name IN (?, ?)", name("c"), name("d")))

			var unsent *backend.NotSentError
			_, _, err = asking(t.Context(), []string{"BEGIN"}, step, insert, struct{}{}, "x")
			if params == "multiStatements=false" { // BEGIN was
				require.NotErrorAs(t, err, &unsent)
				require.NoError(t, w.Rollback(t.Context(), nil))
			} else if params == "" {
				require.ErrorAs(t, err, &unsent)
			}
			ended, cancel := context.WithCancel(t.Context())
			cancel()
			_, _, err = asking(ended, nil, step, insert, name("g"), name("h"))
			require.ErrorAs(t, err, &unsent)
			require.ErrorIs(t, err, context.Canceled)
			require.True(t, w.Alive())
		}
	})
}

// A ctx that ends while the statement waits closes the connection, with its question too.
func TestAQuestionIsGivenUpWithItsStatement(t *testing.T) {
	each(t, func(t *testing.T, db testserver.Database) {
		admin(t, db, "CREATE TABLE item (id INT PRIMARY KEY)", "INSERT INTO item VALUES (1)")
		pool := open(t, db.DSN)
		holder, w := take(t, pool), take(t, pool)
		exec(t, holder, []string{"BEGIN"}, "DELETE FROM item")
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		failed := make(chan error, 1)
		go func() {
			_, _, err := backend.ExecAsking(ctx, w, nil, "SELECT 1", "INSERT INTO item VALUES (?), (2)", []any{1})
			failed <- err
		}()
		eventually(t, "it waits", waiting(t, db, itoa(w.ID())))
		cancel()
		require.ErrorIs(t, <-failed, context.Canceled)
		require.False(t, w.Alive())
		require.NoError(t, holder.Rollback(t.Context(), nil))
	})
}
