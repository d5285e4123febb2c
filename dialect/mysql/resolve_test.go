package mysql

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/internal/backend"
	"github.com/holdfast-go/holdfast/internal/proxy"
	"github.com/holdfast-go/holdfast/internal/testserver"
)

// TestB12: the fate of a transaction is found out whatever it was when its
// COMMIT got no answer, and stays what it was found to be.
func TestB12_TheFateOfALostCommit(t *testing.T) {
	each(t, func(t *testing.T, db testserver.Database) {
		admin(t, db, CommitsTable, CommitsTable, "CREATE TABLE item (id INT PRIMARY KEY)")
		p := proxy.New(t, db.Addr)
		ours := open(t, db.Via(p.Addr()))
		resolver := ours.Engine.Resolver()

		// begun leaves a transaction that is ready for COMMIT, and its token.
		begun := func(t *testing.T, id int) (w backend.Wire, c *sql.Conn, token string, prefix []string) {
			w, c = takeConn(t, ours)
			exec(t, w, []string{"BEGIN"}, "INSERT INTO item VALUES (?)", id)
			token, prefix, err := resolver.Prepare(t.Context(), w, nil)
			require.NoError(t, err)
			return w, c, token, prefix
		}
		// agree asks for the outcome, twice, and compares with the table.
		agree := func(t *testing.T, token string, id int, want bool) {
			w := take(t, ours)
			before := ask(t, w, "SELECT @@SESSION.innodb_lock_wait_timeout")
			for range 2 {
				committed, err := resolver.Outcome(t.Context(), w, token)
				require.NoError(t, err)
				require.Equal(t, want, committed)
			}
			require.Equal(t, want, ask(t, w, "SELECT COUNT(*) FROM item WHERE id = ?", id)[0] == "1")
			require.Equal(t, before, ask(t, w, "SELECT @@SESSION.innodb_lock_wait_timeout"))
			require.True(t, w.Idle())
		}

		t.Run("committed", func(t *testing.T) {
			w, _, token, prefix := begun(t, 1)
			p.On("COMMIT", proxy.CutReply)
			require.Error(t, w.Commit(t.Context(), prefix))
			agree(t, token, 1, true)
		})
		t.Run("never arrived", func(t *testing.T) {
			w, _, token, prefix := begun(t, 2)
			p.On("COMMIT", proxy.CutRequest)
			require.Error(t, w.Commit(t.Context(), prefix))
			agree(t, token, 2, false)
		})
		t.Run("acknowledged", func(t *testing.T) {
			w, _, token, prefix := begun(t, 3)
			require.NoError(t, w.Commit(t.Context(), prefix))
			agree(t, token, 3, true)
		})
		t.Run("in progress, then committed", func(t *testing.T) {
			w, _, token, prefix := begun(t, 4)
			exec(t, w, prefix, "DO 0")
			outcome := make(chan bool, 1)
			failed := make(chan error, 1)
			asking := take(t, ours)
			mark, _, _ := strings.Cut(token, " ") // without the connection it ends none, however late COMMIT is
			go func() {
				committed, err := resolver.Outcome(t.Context(), asking, mark)
				outcome <- committed
				failed <- err
			}()
			eventually(t, "it waits", waiting(t, db, itoa(asking.ID())))
			require.NoError(t, w.Commit(t.Context(), nil))
			require.True(t, <-outcome)
			require.NoError(t, <-failed)
			agree(t, token, 4, true)
		})
		t.Run("in progress for good", func(t *testing.T) {
			w, _, token, prefix := begun(t, 5)
			exec(t, w, prefix, "DO 0")
			start := time.Now()
			agree(t, token, 5, false) // by ending the connection
			require.GreaterOrEqual(t, time.Since(start), patience)
			gone(t, db, w)
		})
		t.Run("the server was started again since", func(t *testing.T) {
			w, _, token, prefix := begun(t, 8)
			exec(t, w, prefix, "DO 0")
			part := strings.Fields(token)
			part[2] = "1000000000" // in 2001: the connection's number is somebody else's now
			ctx, cancel := context.WithTimeout(t.Context(), patience+time.Second)
			defer cancel()
			_, err := resolver.Outcome(ctx, take(t, ours), strings.Join(part, " "))
			require.ErrorIs(t, err, context.DeadlineExceeded)
			require.NoError(t, w.Rollback(t.Context(), nil), "it was not ended")
			agree(t, token, 8, false)
		})
		t.Run("still on its way", func(t *testing.T) {
			w, _, token, prefix := begun(t, 6)
			agree(t, token, 6, false) // the mark has not been written yet
			err := w.Commit(t.Context(), prefix)
			var refusedMark *backend.PrefixError
			require.ErrorAs(t, err, &refusedMark, "it can never commit any more")
			require.Equal(t, 1062, number(err))
			require.NoError(t, w.Rollback(t.Context(), nil))
			agree(t, token, 6, false)
		})
		t.Run("ctx ends first", func(t *testing.T) {
			w, _, token, prefix := begun(t, 7)
			exec(t, w, prefix, "DO 0")
			ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
			defer cancel()
			_, err := resolver.Outcome(ctx, take(t, ours), token)
			require.ErrorIs(t, err, context.DeadlineExceeded)
			require.NoError(t, w.Rollback(t.Context(), nil))
			agree(t, token, 7, false)
		})
	})
}

// Without the table COMMIT does not happen, and the error says what is missing.
func TestAMissingCommitsTable(t *testing.T) {
	each(t, func(t *testing.T, db testserver.Database) {
		admin(t, db, "CREATE TABLE item (id INT PRIMARY KEY)")
		ours := open(t, db.DSN)
		w := take(t, ours)
		exec(t, w, []string{"BEGIN"}, "INSERT INTO item VALUES (1)")
		_, prefix, err := ours.Engine.Resolver().Prepare(t.Context(), w, nil)
		require.NoError(t, err)
		e := backend.Classify(ours, w.Commit(t.Context(), prefix))
		require.ErrorContains(t, e, "holdfast_commits")
		require.NoError(t, w.Rollback(t.Context(), nil))
		require.Equal(t, []string{"0"}, ask(t, w, "SELECT COUNT(*) FROM item"))
	})
}

// S1: what travels with COMMIT is written into its text, in a session that a procedure
// may have changed.
func TestS01_WhatTravelsWithCommitIsNoCode(t *testing.T) {
	each(t, func(t *testing.T, db testserver.Database) {
		admin(t, db, "CREATE TABLE item (id INT PRIMARY KEY, n INT, v BLOB)", "INSERT INTO item VALUES (1, 1, ''), (2, 2, '')",
			"CREATE PROCEDURE mode() BEGIN SET sql_mode = 'NO_BACKSLASH_ESCAPES'; END",
			"CREATE PROCEDURE failing() BEGIN SET sql_mode = 'NO_BACKSLASH_ESCAPES'; SIGNAL SQLSTATE '45000'; END",
			"CREATE PROCEDURE names() BEGIN SET NAMES gbk; END")
		ours := open(t, db.DSN)
		for _, procedure := range []string{"mode", "failing", "names"} {
			for _, value := range []string{`a\nb`, `\', n = 7 -- `, "\xbf' , n = 7 -- "} {
				w, c := takeConn(t, ours)
				exec(t, w, []string{"BEGIN"}, "UPDATE item SET v = '' WHERE id = 1")
				_, _ = w.Exec(t.Context(), []string{"SAVEPOINT hf_1"}, "CALL "+procedure+"()", nil)
				what := fmt.Sprintf("%s: %q", procedure, value)
				err := w.(backend.CommitCarrier).CommitWith(t.Context(), []string{"RELEASE SAVEPOINT hf_1"},
					"UPDATE item SET v = ? WHERE id = ?", []any{[]byte(value), 1})
				other := take(t, ours)
				require.Equal(t, []string{"1", "2"}, ask(t, other, "SELECT MIN(n), MAX(n) FROM item"), what)
				if err == nil { // else it is refused, which is as good
					require.Equal(t, []string{value}, ask(t, other, "SELECT v FROM item WHERE id = 1"), what)
				} else {
					require.False(t, w.Alive(), what)
					require.ErrorIs(t, c.Raw(func(any) error { return driver.ErrBadConn }), driver.ErrBadConn) // as a block does with it
				}
			}
		}
	})
}
