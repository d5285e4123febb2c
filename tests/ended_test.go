package tests

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/atomic"
	"github.com/holdfast-go/holdfast/dialect"
	"github.com/holdfast-go/holdfast/tests/testdb"
)

// A way in which a statement may end, change or leave the transaction that it runs
// in, whether or not its text shows it.
type way struct {
	text string
	make string // the body of procedure p, if the text needs one
	// What must come of it: "refused" before anything is sent, "ended" by state, and
	// what came before may be committed, "undone" by state, and it certainly is not,
	// "failed" as a statement, "kept" because it does nothing. mariadb is for that
	// server if it differs.
	want, mariadb string
}

var ways = []way{
	// What a procedure hides.
	{text: "CALL p()", make: "COMMIT", want: "ended"},
	{text: "CALL p()", make: "ROLLBACK", want: "undone"},
	{text: "CALL p()", make: "COMMIT AND CHAIN", want: "ended"},
	{text: "CALL p()", make: "ROLLBACK AND CHAIN", want: "undone"},
	{text: "CALL p()", make: "START TRANSACTION", want: "ended"},
	{text: "CALL p()", make: "COMMIT; START TRANSACTION; INSERT INTO t VALUES (97, 97)", want: "ended"},
	{text: "CALL p()", make: "SET autocommit = 0; SET autocommit = 1", want: "ended"},
	{text: "CALL p()", make: "CREATE TABLE made (a INT)", want: "ended"},
	{text: "CALL p()", make: "ALTER TABLE other ADD b INT", want: "ended"},
	{text: "CALL p()", make: "TRUNCATE TABLE other", want: "ended"},
	{text: "CALL p()", make: "CREATE INDEX i ON other (a)", want: "ended"},
	{text: "CALL p()", make: "RENAME TABLE other TO another", want: "ended"},
	{text: "CALL p()", make: "DROP TABLE IF EXISTS nothing", want: "ended"},
	{text: "CALL p()", make: "CREATE VIEW v AS SELECT 1", want: "ended"},
	{text: "CALL p()", make: "ANALYZE TABLE other", want: "ended"},
	{text: "CALL p()", make: "FLUSH PRIVILEGES", want: "ended"},
	{text: "CALL p()", make: "PREPARE s FROM 'COMMIT'; EXECUTE s", want: "ended"},
	{text: "CALL p()", make: "CALL commits()", want: "ended"},
	{text: "CALL p()", make: "SELECT 1; COMMIT", want: "ended"},
	{text: "CALL p()", make: "COMMIT; SELECT 1", want: "ended"},
	{text: "CALL p()", make: "COMMIT; SIGNAL SQLSTATE '45000'", want: "ended"},
	{text: "CALL p()", make: "ROLLBACK; SIGNAL SQLSTATE '45000'", want: "undone"},
	{text: "CALL p()", make: "COMMIT; SELECT 1; SIGNAL SQLSTATE '45000'", want: "ended"},
	{text: "CALL p()", make: "CREATE TABLE IF NOT EXISTS made (a INT); INSERT INTO t VALUES (0, 0)", want: "ended"},
	{text: "CALL p()", make: "START TRANSACTION; INSERT INTO t VALUES (0, 0)", want: "ended"},
	{text: "CALL p()", make: "DECLARE EXIT HANDLER FOR SQLEXCEPTION BEGIN ROLLBACK; RESIGNAL; END; START TRANSACTION; INSERT INTO t VALUES (0, 0)", want: "ended"},
	{text: "CALL p()", make: "DECLARE EXIT HANDLER FOR SQLEXCEPTION BEGIN ROLLBACK; RESIGNAL; END; INSERT INTO t VALUES (0, 0)", want: "undone"},
	{text: "CALL p()", make: "DECLARE EXIT HANDLER FOR SQLEXCEPTION ROLLBACK; INSERT INTO t VALUES (0, 0)", want: "undone"},
	{text: "CALL p()", make: "DECLARE CONTINUE HANDLER FOR SQLEXCEPTION COMMIT; INSERT INTO t VALUES (0, 0)", want: "ended"},
	// What it does after its ROLLBACK is not committed by itself.
	{text: "CALL p()", make: "ROLLBACK; INSERT INTO t VALUES (97, 97)", want: "undone"},
	{text: "CALL p()", make: "ROLLBACK; INSERT INTO t VALUES (97, 97); SELECT 1", want: "undone"},
	{text: "CALL p()", make: "ROLLBACK; INSERT INTO t VALUES (97, 97); SIGNAL SQLSTATE '45000'", want: "undone"},
	{text: "CALL p()", make: "DECLARE EXIT HANDLER FOR SQLEXCEPTION BEGIN ROLLBACK; INSERT INTO t VALUES (97, 97); RESIGNAL; END; INSERT INTO t VALUES (0, 0)", want: "undone"},
	{text: "CALL p()", make: "DECLARE EXIT HANDLER FOR SQLEXCEPTION BEGIN ROLLBACK; INSERT INTO t VALUES (97, 97); END; INSERT INTO t VALUES (0, 0)", want: "undone"},
	{text: "CALL p()", make: "COMMIT; INSERT INTO t VALUES (97, 97)", want: "ended"},
	{text: "BEGIN NOT ATOMIC ROLLBACK; INSERT INTO t VALUES (97, 97); END", want: "failed", mariadb: "undone"},
	{text: "CALL p()", make: "SET autocommit = 1", want: "ended"},
	{text: "CALL p()", make: "INSERT INTO t VALUES (0, 0)", want: "failed"},
	{text: "CALL p()", make: "INSERT INTO t VALUES (96, 96)", want: "kept"},
	{text: "CALL p()", make: "SAVEPOINT hf_guard", want: "kept"},
	{text: "CALL p()", make: "RELEASE SAVEPOINT hf_guard", want: "undone"},
	{text: "CALL p()", make: "LOCK TABLES t READ", want: "absent"}, // not in a procedure
	{text: "CALL p()", make: "KILL CONNECTION_ID()", want: "ended"},
	{text: "CALL p()", make: "COMMIT; KILL CONNECTION_ID()", want: "ended"},
	// What a prepared statement hides.
	{text: "EXECUTE COMMIT", want: "ended"},
	{text: "EXECUTE ROLLBACK", want: "undone"},
	{text: "EXECUTE CREATE TABLE made (a INT)", want: "ended"},
	{text: "EXECUTE DROP TABLE IF EXISTS nothing", want: "ended"},
	{text: "EXECUTE TRUNCATE TABLE other", want: "ended"},
	{text: "EXECUTE CALL commits()", want: "ended"},
	{text: "EXECUTE IMMEDIATE 'COMMIT'", want: "failed", mariadb: "ended"},
	{text: "EXECUTE IMMEDIATE CONCAT('COM', 'MIT')", want: "failed", mariadb: "ended"},
	{text: "EXECUTE IMMEDIATE 'DROP TABLE IF EXISTS nothing'", want: "failed", mariadb: "ended"},
	// Code outside procedures, and other statements around one.
	{text: "BEGIN NOT ATOMIC COMMIT; END", want: "failed", mariadb: "ended"},
	{text: "BEGIN NOT ATOMIC START TRANSACTION; END", want: "failed", mariadb: "ended"},
	{text: "BEGIN NOT ATOMIC COMMIT; SIGNAL SQLSTATE '45000'; END", want: "failed", mariadb: "ended"},
	{text: "IF 1 THEN COMMIT; END IF", want: "refused"},
	{text: "FOR i IN 1..1 DO COMMIT; END FOR", want: "refused"},
	{text: "SET STATEMENT lock_wait_timeout = 9 FOR COMMIT", want: "refused"},
	{text: "SET STATEMENT lock_wait_timeout = 9 FOR CALL commits()", want: "failed", mariadb: "ended"},
	{text: "SET STATEMENT lock_wait_timeout = 9 FOR EXECUTE IMMEDIATE 'COMMIT'", want: "failed", mariadb: "ended"},
	{text: "SET STATEMENT lock_wait_timeout = 9 FOR DROP TABLE IF EXISTS nothing", want: "refused"},
	{text: "SELECT f()", want: "failed"},
	{text: "INSERT INTO triggers VALUES (1)", want: "failed"},
	// Comments that are code on some servers.
	{text: "/*! COMMIT */", want: "refused"},
	{text: "/*!99999 SELECT */ COMMIT", want: "refused"},
	{text: "/*M!99999 SELECT */ COMMIT", want: "refused"},
	{text: "/*!999999 SELECT 1 */ CALL commits()", want: "ended"},
	{text: "/*!99999 SELECT 1; */ CALL commits()", want: "refused"},
	{text: "/*!000000 CALL commits() */", want: "ended"},
	{text: "/*!50000 CALL */ /*!50000 commits() */", want: "ended"},
	{text: "CREATE /*!99999 TEMPORARY */ TABLE made (a INT)", want: "refused"},
	{text: "SELECT 1 /*!50000 ; COMMIT */", want: "refused"},
	// Odd white space.
	{text: "\vCOMMIT", want: "refused"},
	{text: "\f\tCOMMIT\r", want: "refused"},
	{text: "COMMIT\x00", want: "refused"},
	{text: "\x00COMMIT", want: "failed"},
	{text: "\u00a0COMMIT", want: "failed"},
	{text: "\ufeffCOMMIT", want: "failed"},
	{text: "/**/COMMIT", want: "refused"},
	{text: "/*/ */COMMIT", want: "refused"},
	{text: "#\nCOMMIT", want: "refused"},
	{text: "--\x01\nCOMMIT", want: "refused"},
	{text: ";COMMIT", want: "refused"},
	{text: "CALL\vcommits\f(\t)", want: "ended"},
	// The statements themselves.
	{text: "COMMIT RELEASE", want: "refused"},
	{text: "ROLLBACK AND CHAIN", want: "refused"},
	{text: "XA START 'a'", want: "refused"},
	{text: "LOCK TABLES t READ", want: "refused"},
	{text: "FLUSH TABLES", want: "refused"},
	{text: "KILL CONNECTION_ID()", want: "failed"},
}

// B8: whatever ends the transaction is known by the next answer, nothing runs
// behind it, Do says so, and the connection is closed. In any case: if Do does not
// say so, the work before is committed together with the rest, or not at all.
func TestB08_WhateverEndsTheTransaction(t *testing.T) {
	for _, after := range []string{"another statement", "nil", "an error", "Rollback", "in a nested block", "rows"} {
		t.Run(after, func(t *testing.T) { whateverEndsTheTransaction(t, after) })
	}
}

func whateverEndsTheTransaction(t *testing.T, after string) {
	own := errors.New("fn's own")
	each(t, func(t *testing.T, db *database) {
		db.arrange("CREATE PROCEDURE commits() COMMIT",
			"CREATE FUNCTION f() RETURNS INT DETERMINISTIC MODIFIES SQL DATA BEGIN CALL commits(); RETURN 1; END",
			"CREATE TABLE triggers (a INT)",
			"CREATE TRIGGER b BEFORE INSERT ON triggers FOR EACH ROW CALL commits()")
		undone := 0
		for i, w := range ways {
			want := w.want
			if db.Engine == testdb.MariaDB && w.mariadb != "" {
				want = w.mariadb
			}
			name := fmt.Sprintf("%d: %s %s, then %s", i, w.text, w.make, after)
			db.arrange("DELETE FROM t", "INSERT INTO t VALUES (0, 0)", "DROP TABLE IF EXISTS made", "DROP TABLE IF EXISTS another",
				"DROP TABLE IF EXISTS other", "CREATE TABLE other (a INT)", "DROP VIEW IF EXISTS v", "DROP PROCEDURE IF EXISTS p")
			if w.make != "" {
				_, err := db.Admin.ExecContext(t.Context(), "CREATE PROCEDURE p() BEGIN "+w.make+"; END")
				if want == "absent" {
					require.Error(t, err, name)
					continue
				}
				require.NoError(t, err, name)
			}
			var id int64
			var said, further error
			run := func(ctx context.Context) error {
				text := w.text
				if statement, ok := cutPrepared(text); ok {
					if err := db.exec(ctx, "PREPARE s FROM '"+statement+"'"); err != nil {
						return err
					}
					text = "EXECUTE s"
				}
				if after != "rows" {
					return db.exec(ctx, text)
				}
				rows, err := db.executor.SQL().QueryContext(ctx, text)
				if err != nil {
					return err
				}
				for more := true; more; more = rows.NextResultSet() {
					for rows.Next() {
					}
				}
				return errors.Join(rows.Err(), rows.Close())
			}
			err := atomic.Do(t.Context(), db, func(ctx context.Context) error {
				db.mustInsert(ctx, 1)
				id = db.id(ctx)
				if after == "in a nested block" {
					said = atomic.Do(ctx, db, run)
				} else {
					said = run(ctx)
				}
				switch after {
				case "an error":
					return own
				case "Rollback":
					return atomic.Rollback
				case "nil":
					return nil
				}
				further = db.insert(ctx, 3)
				return nil
			})
			db.idle()
			kept := db.kept()
			whole := slices.Contains(kept, 1)
			switch {
			case errors.Is(err, atomic.ErrTransactionEnded):
				require.NotContains(t, kept, 3, name)
				require.NotContains(t, kept, 97, name)
			case err == nil && after != "Rollback":
				require.True(t, whole, name)
			default:
				require.False(t, whole, "%s: committed in part: %v", name, err)
			}
			switch want {
			case "refused":
				require.True(t, errors.Is(said, atomic.ErrTransactionControl) || errors.Is(said, dialect.ErrUnsupported), "%s: %v", name, said)
				require.NoError(t, further, name)
			case "ended":
				require.ErrorIs(t, err, atomic.ErrTransactionEnded, name)
				if after == "another statement" || after == "rows" {
					require.Error(t, further, name)
				}
				db.gone(id)
			case "undone":
				if !errors.Is(err, atomic.ErrTransactionEnded) { // else FLUSH STATUS has set the counters back meanwhile
					undone++
					require.Equal(t, after == "Rollback", err == nil, "%s: %v", name, err)
				}
				db.gone(id)
			case "failed":
				require.Error(t, said, name)
				require.NotErrorIs(t, err, atomic.ErrTransactionEnded, name)
			case "kept":
				require.NoError(t, said, name)
				require.NotErrorIs(t, err, atomic.ErrTransactionEnded, name)
			}
			assert.NotContains(t, kept, 97, name)
		}
		assert.Greater(t, undone, 5, "known to be rolled back")
	}, testdb.MySQL, testdb.MariaDB)
}

func cutPrepared(text string) (statement string, ok bool) {
	const mark = "EXECUTE "
	if len(text) > len(mark) && text[:len(mark)] == mark && text[len(mark):len(mark)+3] != "IMM" {
		return text[len(mark):], true
	}
	return "", false
}

// A deadlock inside a procedure has rolled everything back, and Retry cures it; not
// so if the procedure has begun a transaction of its own before, which has committed
// the block's. What its handler writes after the deadlock goes with the rest.
func TestB17_ADeadlockInAProcedure(t *testing.T) {
	each(t, func(t *testing.T, db *database) {
		db.arrange(fmt.Sprintf("CREATE PROCEDURE plain() UPDATE duel SET v = 2 WHERE id = %d", lastRow),
			fmt.Sprintf("CREATE PROCEDURE notes() BEGIN DECLARE EXIT HANDLER FOR SQLEXCEPTION BEGIN INSERT INTO t VALUES (97, 97); RESIGNAL; END; "+
				"UPDATE duel SET v = 2 WHERE id = %d; END", lastRow),
			"CREATE PROCEDURE steers() BEGIN START TRANSACTION; ROLLBACK; SIGNAL SQLSTATE '40001' SET MYSQL_ERRNO = 1213; END")
		attempts := 0
		for _, procedure := range []string{"plain", "notes"} {
			db.arrange("DELETE FROM t", "DROP TABLE IF EXISTS duel", "DROP TABLE IF EXISTS heavy")
			attempts = 0
			d := armDuel(db)
			require.NoError(t, atomic.Do(t.Context(), db, func(ctx context.Context) error {
				attempts++
				db.mustInsert(ctx, attempts)
				if attempts > 1 {
					return nil
				}
				require.NoError(t, db.exec(ctx, "UPDATE duel SET v = 2 WHERE id = 1"))
				d.wait()
				defer d.finish()
				return db.exec(ctx, "CALL "+procedure+"()")
			}, atomic.Retry(2)), procedure)
			assert.Equal(t, 2, attempts, procedure)
			assert.Equal(t, []int{2}, db.kept(), procedure)
		}

		attempts = 0
		err := atomic.Do(t.Context(), db, func(ctx context.Context) error {
			attempts++
			db.mustInsert(ctx, 10+attempts)
			return db.exec(ctx, "CALL steers()")
		}, atomic.Retry(2))
		require.ErrorIs(t, err, atomic.ErrTransactionEnded)
		require.NotErrorIs(t, err, dialect.ErrDeadlock)
		assert.Equal(t, 1, attempts)
		assert.Equal(t, []int{2, 11}, db.kept(), "the procedure has committed it")
	}, testdb.MySQL, testdb.MariaDB)
}
