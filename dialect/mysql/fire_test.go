package mysql

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/dialect"
	"github.com/holdfast-go/holdfast/internal/backend"
	"github.com/holdfast-go/holdfast/internal/testserver"
)

// TestTheFailedStatementIsFoundUnderFire: KILL QUERY hits any of the statements
// of a text. What is said to have failed has failed, and what came before it
// has not: a savepoint that is believed to be there is there.
//
// A kill between two statements makes both servers announce a result that never
// comes (see the package's comment); such a call ends with its ctx, and the
// connection with it.
func TestTheFailedStatementIsFoundUnderFire(t *testing.T) {
	each(t, func(t *testing.T, db testserver.Database) {
		admin(t, db, "CREATE TABLE item (id INT PRIMARY KEY, n INT)", "INSERT INTO item VALUES (1, 0)")
		ours := open(t, db.DSN)
		w := take(t, ours)
		prefix := []string{"BEGIN", "SAVEPOINT hf_1", "SAVEPOINT hf_2"}
		counts := make(map[string]int)
		to := func(name string) func() error {
			return func() error {
				_, err := w.(*wire).raw.ExecContext(t.Context(), "ROLLBACK TO SAVEPOINT "+name, nil)
				return err
			}
		}
		for range 400 {
			killed := make(chan error, 1)
			go func() {
				_, err := db.Admin.ExecContext(t.Context(), fmt.Sprintf("KILL QUERY %d", w.ID()))
				killed <- err
			}()
			ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
			_, err := w.Exec(ctx, prefix, "UPDATE item SET n = n + 1 WHERE id = 1", nil)
			cancel()
			require.NoError(t, <-killed)

			var failed *backend.PrefixError
			switch {
			case !w.Alive():
				require.ErrorIs(t, backend.Classify(ours, err), dialect.ErrConnectionLost)
				counts["no answer"]++
				w = take(t, ours)
				continue
			case errors.As(err, new(*backend.NotSentError)):
				counts["not sent"]++ // the limit came first
				continue
			case errors.As(err, &failed):
				counts[failed.Statement]++
				if name, ok := strings.CutPrefix(failed.Statement, "SAVEPOINT "); ok {
					require.Equal(t, 1305, number(unkilled(to(name))), "%s was said not to exist", name)
				}
			default:
				if err != nil {
					require.Equal(t, 1317, number(err))
					counts["the statement"]++
				} else {
					counts["none"]++
				}
				require.NoError(t, unkilled(to("hf_2")), "after %v", err)
			}
			require.NoError(t, unkilled(func() error { return w.Rollback(t.Context(), nil) }))
		}
		t.Log(db.Engine, counts)
		require.Less(t, counts["none"], 400, "no kill has hit")
	})
}

// unkilled repeats what a late kill has hit.
func unkilled(do func() error) error {
	for {
		if err := do(); number(err) != 1317 {
			return err
		}
	}
}
