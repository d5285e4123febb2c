package mysql

import (
	"fmt"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/internal/backend"
	"github.com/holdfast-go/holdfast/internal/testserver"
)

// modes are the sql_modes that change how a text is read.
var modes = []string{"", "NO_BACKSLASH_ESCAPES", "ANSI_QUOTES", "ANSI_QUOTES,NO_BACKSLASH_ESCAPES", "ANSI", "PIPES_AS_CONCAT,IGNORE_SPACE"}

func inMode(dsn, mode string) string {
	return with(dsn, "sql_mode="+url.QueryEscape(fmt.Sprintf("CONCAT_WS(',', @@sql_mode, '%s')", mode)))
}

// TestAStackedStatementIsRefused: whatever the sql_mode, whatever travels in
// front, and however the second statement is hidden.
func TestAStackedStatementIsRefused(t *testing.T) {
	each(t, func(t *testing.T, db testserver.Database) {
		texts := []struct {
			query string
			args  []any
		}{
			{"UPDATE item SET n = 1; DELETE FROM item", nil},
			{"UPDATE item SET n = ?; DELETE FROM item", []any{1}},
			{"SELECT 1; DELETE FROM item", nil},
			{"SELECT 1;;DELETE FROM item", nil},
			{"SELECT 1; DELETE FROM item;", nil},
			{"SELECT 1;\n-- comment\nDELETE FROM item", nil},
			{"SELECT 1;/* comment */DELETE FROM item", nil},
			{"SELECT 1/*! ; DELETE FROM item */", nil},
			{"SELECT 1 /*!50000 ; DELETE FROM item */ ;", nil},
			{"SELECT 'a\\'; DELETE FROM item; -- '", nil},
			{"SELECT \"a\\\"; DELETE FROM item; -- \"", nil},
			{"SELECT \"a\\\"; DELETE FROM item WHERE 1 = ?; -- \"", []any{1}},
			{"SELECT 'a\\'; DELETE FROM item WHERE 1 = ?; -- '", []any{1}},
			{"SELECT 1 -- x\n; DELETE FROM item", nil},
			{"SELECT 1 --\v; DELETE FROM item", nil},
			{"LOCK TABLES item WRITE; DELETE FROM item", nil},
			{"CREATE PROCEDURE p1() SELECT 1; DELETE FROM item", nil},
			{"CREATE PROCEDURE p2() BEGIN SELECT 1; END; DELETE FROM item", nil},
			{"PREPARE p FROM 'SELECT 1'; DELETE FROM item", nil},
			{"COMMIT; DELETE FROM item", nil},
		}
		admin(t, db, "CREATE TABLE item (n INT)", "INSERT INTO item VALUES (7)")
		for _, mode := range modes {
			w := take(t, open(t, inMode(db.DSN, mode)))
			for _, prefix := range [][]string{nil, {"BEGIN"}, {"BEGIN", "SAVEPOINT hf_1"}} {
				for _, text := range texts {
					_, err := w.Exec(t.Context(), prefix, text.query, text.args)
					rows, queryErr := readAll(w.Query(t.Context(), nil, text.query, text.args))
					_ = w.Rollback(t.Context(), nil)
					var n int
					require.NoError(t, db.Admin.QueryRow("SELECT COUNT(*) FROM item WHERE n = 7").Scan(&n))
					require.Equal(t, 1, n, "in mode %q, %q has reached the table (%v, %v, %v)", mode, text.query, err, queryErr, rows)
				}
			}
		}
	})
}

// TestAValueIsNeverCode: what a value holds stays in it, in every sql_mode and
// whatever the text around its placeholder looks like.
func TestAValueIsNeverCode(t *testing.T) {
	each(t, func(t *testing.T, db testserver.Database) {
		admin(t, db, "CREATE TABLE item (n INT)", "INSERT INTO item VALUES (7)")
		values := []string{
			"'", "''", "\\'", "\\\\'", "\"", "`", "'; DELETE FROM item; -- ", "\\'; DELETE FROM item; -- ", "*/ DELETE FROM item; /*",
			"\x00'", "\n; DELETE FROM item", "?", "a' OR 1=1 -- ", "\\", "\xbf'; DELETE FROM item; -- ", "\xc2'; DELETE FROM item; -- ",
		}
		texts := []string{ // each yields its one placeholder
			"SELECT ?",
			"SELECT '' 'a' IS NULL, ?",
			"SELECT 'it''s ?', ?",
			"SELECT 'a\"b', ?",
			"SELECT 'back\\\\slash', ?",
			"SELECT /* ' ? */ ?",
			"SELECT /* \" */ 'x', ? -- ' ?",
			"SELECT 'a;b', ?",
			"SELECT ';\\\\', ?",
			"SELECT \"a\\\\\" 'x', ?",
			"SELECT /*/ ? ' */ ?",               // the driver sees the first one
			"SELECT /*!50000 ? */ --\v ?\n",     // the driver sees the second one
			"SELECT /*M!100000 1, */ /*/ */ ? ", // and here none
			"SELECT 1 --\t?\n, ?",
			"SELECT /*!50000 1, */ ?",
			"SELECT 1 # ' ?\n, ?",
		}
		for _, mode := range modes {
			w := take(t, open(t, inMode(db.DSN, mode)))
			for _, text := range texts {
				if strings.Contains(mode, "ANSI") && strings.Contains(text, `"a`) {
					continue // there it is the name of a column
				}
				for _, value := range values {
					rows, err := readAll(w.Query(t.Context(), []string{"BEGIN"}, text, []any{[]byte(value)}))
					require.NoError(t, err, "mode %q, %q with %q", mode, text, value)
					last := rows[0][len(rows[0])-1]
					require.Equal(t, value, last, "mode %q, %q", mode, text)
					require.NoError(t, w.Rollback(t.Context(), nil))
				}
			}
			require.Equal(t, []string{"1"}, ask(t, w, "SELECT COUNT(*) FROM item"))
		}
	})
}

// A name with a backslash in double quotes ends at the next quote under
// ANSI_QUOTES, and the driver thinks that it does not.
func TestANameWithABackslashUnderANSIQuotes(t *testing.T) {
	each(t, func(t *testing.T, db testserver.Database) {
		admin(t, db, "CREATE TABLE item (`a\\` VARCHAR(100), b VARCHAR(100))", "INSERT INTO item VALUES ('x', 'y')")
		w := take(t, open(t, inMode(db.DSN, "ANSI_QUOTES")))
		const attack = `, b = 'z' -- `
		// The driver takes the second question mark for the placeholder.
		exec(t, w, []string{"BEGIN"}, `UPDATE item SET "a\" = ?, b = '" , ? , '`, attack)
		require.NoError(t, w.Commit(t.Context(), nil))
		require.Equal(t, []string{attack, `" , ? , `}, ask(t, w, "SELECT * FROM item"))
	})
}

func TestATextWithASemicolonStillWorks(t *testing.T) {
	each(t, func(t *testing.T, db testserver.Database) {
		admin(t, db, "CREATE TABLE item (s VARCHAR(20))")
		w0 := take(t, open(t, db.DSN))
		_ = refused(t, w0, nil, "INSERT INTO item VALUES ('x');\u00a0") // no white space to the server
		require.Equal(t, []string{"0"}, ask(t, w0, "SELECT COUNT(*) FROM item"))
		w := take(t, open(t, db.DSN))
		exec(t, w, []string{"BEGIN"}, "INSERT INTO item VALUES ('a;b'), (?)", "c;d")
		require.NoError(t, w.Commit(t.Context(), nil))
		require.Equal(t, []string{"2"}, ask(t, w, "SELECT COUNT(*) FROM item WHERE s LIKE '%;%'"))

		// Not to be had by PREPARE, and a single statement all the same.
		exec(t, w, nil, "CREATE PROCEDURE two() BEGIN INSERT INTO item VALUES ('1'); INSERT INTO item VALUES ('2'); END")
		exec(t, w, nil, "CREATE TRIGGER upper_case BEFORE INSERT ON item FOR EACH ROW BEGIN SET NEW.s = UPPER(NEW.s); END;")
		exec(t, w, nil, "CALL two()")
		require.Equal(t, []string{"4"}, ask(t, w, "SELECT COUNT(*) FROM item"))
	})
}

// A refused text has not begun anything: its prefix is still to be sent.
func TestARefusedStackHasNotBegun(t *testing.T) {
	each(t, func(t *testing.T, db testserver.Database) {
		w := take(t, open(t, db.DSN))
		err := refused(t, w, []string{"BEGIN", "SAVEPOINT hf_1"}, "SELECT 1; SELECT 2")
		var unsent *backend.NotSentError
		require.ErrorAs(t, err, &unsent)
		require.False(t, unsent.Closed)
		require.Equal(t, 1064, number(err))
		require.True(t, w.Idle())
	})
}
