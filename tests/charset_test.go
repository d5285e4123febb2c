package tests

import (
	"context"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/atomic"
	"github.com/holdfast-go/holdfast/dialect"
	"github.com/holdfast-go/holdfast/dialect/mysql"
	"github.com/holdfast-go/holdfast/internal/backend"
	"github.com/holdfast-go/holdfast/tests/testdb"
)

// Texts that are valid UTF-8 and end their own literal where the server reads it
// under another character set or in another mode: the last byte of a character
// takes the backslash in front of the quote for its own.
var hostile = []string{"縗' OR 1=1 -- ", "縗\\' OR 1=1 -- ", "¿' OR 1=1 -- ", "\\' OR 1=1 -- ", "ご' OR 1=1 -- ", "\\\\' OR 1=1 -- "}

// stays reports whether every hostile value that can still be sent is a value.
func (db *database) stays(ctx context.Context, what string) {
	db.t.Helper()
	for _, value := range hostile {
		n, err := db.number(ctx, "SELECT count(*) FROM t WHERE 'x' = ?", value)
		if err != nil {
			continue // refused, which is as good
		}
		require.Zero(db.t, n, "%s: %q was read as code", what, value)
		var back string
		err = db.executor.SQL().QueryRowContext(ctx, "SELECT CONCAT(?, '')", value).Scan(&back)
		if err == nil {
			require.Equal(db.t, value, back, what)
		}
	}
}

// S1: a bound value is never read as code, whatever character set or mode the
// session is made to have.
func TestS01_ABoundValueIsNoCode(t *testing.T) {
	for _, params := range []string{"", "multiStatements=false", "interpolateParams=false"} {
		t.Run(params, func(t *testing.T) { boundValueIsNoCode(t, params) })
	}
}

func boundValueIsNoCode(t *testing.T, params string) {
	each(t, func(t *testing.T, db *database) {
		db.arrange("INSERT INTO t VALUES (5, 5)",
			"CREATE PROCEDURE p() BEGIN SET NAMES gbk; SET sql_mode = 'NO_BACKSLASH_ESCAPES'; END",
			"CREATE PROCEDURE q() BEGIN PREPARE s FROM 'SET NAMES gbk'; EXECUTE s; END",
			"CREATE PROCEDURE r() BEGIN SET sql_mode = 'NO_BACKSLASH_ESCAPES'; SIGNAL SQLSTATE '45000'; END",
			"CREATE FUNCTION f() RETURNS INT NO SQL BEGIN SET NAMES gbk; SET sql_mode = 'NO_BACKSLASH_ESCAPES'; RETURN 1; END",
			"CREATE TABLE triggers (a INT)",
			"CREATE TRIGGER b BEFORE INSERT ON triggers FOR EACH ROW SET NAMES big5")
		var ways [][]string
		for _, charset := range []string{"gbk", "big5", "sjis", "cp932", "gb2312", "euckr", "latin1", "utf8mb3", "binary", "DEFAULT"} {
			ways = append(ways,
				[]string{"SET NAMES " + charset},
				[]string{"SET CHARACTER SET " + charset},
				[]string{"SET character_set_client = " + charset},
				[]string{"SET @@session.character_set_connection = '" + charset + "'"},
				[]string{"PREPARE s FROM 'SET NAMES " + charset + "'", "EXECUTE s"},
				[]string{"EXECUTE IMMEDIATE 'SET NAMES " + charset + "'"},
				[]string{"SET STATEMENT lock_wait_timeout = 5 FOR SET NAMES " + charset},
				[]string{"SET /*!99999 lock_wait_timeout = 5, */ /*!50000 NAMES " + charset + " */"},
				[]string{"BEGIN NOT ATOMIC SET NAMES " + charset + "; END"},
			)
		}
		ways = append(ways,
			[]string{"SET collation_connection = gbk_bin"}, []string{"CALL p()"}, []string{"CALL q()"}, []string{"CALL r()"},
			[]string{"SELECT f()"}, []string{"INSERT INTO triggers VALUES (1)"},
			[]string{"SET sql_mode = 'NO_BACKSLASH_ESCAPES'"},
			[]string{"SET SESSION sql_mode = CONCAT(@@sql_mode, ',NO_BACKSLASH_ESCAPES,ANSI_QUOTES')"},
			[]string{"PREPARE s FROM 'SET sql_mode = \"NO_BACKSLASH_ESCAPES\"'", "EXECUTE s"},
			[]string{"SET sql_mode = 'NO_BACKSLASH_ESCAPES', lock_wait_timeout = 'x'"},
			[]string{"SET sql_mode = 'NO_BACKSLASH_ESCAPES'", "SET sql_mode = ''"},
			[]string{"SET NAMES utf8mb4"}, []string{"SET NAMES utf8mb4 COLLATE utf8mb4_bin"},
		)
		ours := db.again(setup{dsn: withParams(db.DSN, params)})
		for _, w := range ways {
			what := params + " " + strings.Join(w, "; ")
			run := func(ctx context.Context) {
				for _, text := range w {
					_ = ours.exec(ctx, text)
				}
			}
			_ = atomic.Do(t.Context(), ours, func(ctx context.Context) error {
				_, err := ours.count(ctx)
				require.NoError(t, err)
				// In a nested block, so that one that fails is survived.
				_ = atomic.Do(ctx, ours, func(ctx context.Context) error {
					run(ctx)
					ours.stays(ctx, "in a block: "+what)
					return atomic.Rollback
				})
				ours.stays(ctx, "after a nested block: "+what)
				return nil
			})
			s, ctx := ours.session(t.Context())
			run(ctx)
			ours.stays(ctx, "in a session: "+what)
			_ = atomic.Do(ctx, ours, func(ctx context.Context) error { ours.stays(ctx, "in a session's block: "+what); return nil })
			_ = s.Close()
			run(t.Context())
			ours.stays(t.Context(), "outside: "+what)
			ours.idle()
		}
	}, testdb.MySQL, testdb.MariaDB)
}

func withParams(dsn, params string) string {
	if params == "" {
		return dsn
	}
	if strings.Contains(dsn, "?") {
		return dsn + "&" + params
	}
	return dsn + "?" + params
}

// SET NAMES is refused in every place, with its reason and before anything is sent.
func TestS01_AnotherCharacterSetIsRefused(t *testing.T) {
	each(t, func(t *testing.T, db *database) {
		require.ErrorIs(t, db.exec(t.Context(), "SET NAMES gbk"), dialect.ErrUnsupported)
		s, ctx := db.session(t.Context())
		require.ErrorIs(t, db.exec(ctx, "SET NAMES gbk"), dialect.ErrUnsupported)
		require.NoError(t, s.Close())
		require.NoError(t, atomic.Do(t.Context(), db, func(ctx context.Context) error {
			err := db.exec(ctx, "SET character_set_client = big5")
			require.ErrorIs(t, err, dialect.ErrUnsupported)
			require.ErrorContains(t, err, "utf8mb4")
			return db.insert(ctx, 1) // it is no failure of the block
		}))
		// What hides it closes the connection, and says why.
		err := atomic.Do(t.Context(), db, func(ctx context.Context) error {
			require.NoError(t, db.exec(ctx, "PREPARE s FROM 'SET NAMES gbk'"))
			require.NoError(t, db.exec(ctx, "EXECUTE s"))
			err := db.insert(ctx, 2)
			require.ErrorContains(t, err, "character set")
			return nil
		})
		require.ErrorIs(t, err, atomic.ErrRollbackRequired)
		assert.Equal(t, []int{1}, db.kept())
	}, testdb.MySQL, testdb.MariaDB)
}

// Nor can a DSN make connections have another one.
func TestS01_AnotherCharacterSetByDSN(t *testing.T) {
	each(t, func(t *testing.T, db *database) {
		for _, params := range []string{
			"charset=gbk", "charset=gbk,utf8mb4", "collation=gbk_chinese_ci", "character_set_client=gbk", "character_set_client='big5'",
			"character_set_connection=sjis", "character_set_results=NULL", "collation_connection=gbk_bin", "names=gbk",
			"lock_wait_timeout=" + url.QueryEscape("5, character_set_client = gbk"),
			"lock_wait_timeout=" + url.QueryEscape("5, names gbk"),
			"lock_wait_timeout=" + url.QueryEscape("5, names gbk #"),
			"lock_wait_timeout=" + url.QueryEscape("5, character_set_client = gbk -- "),
			url.QueryEscape("@@session.character_set_client") + "=gbk",
			"sql_mode=" + url.QueryEscape("'', '')), character_set_client = gbk #"),
		} {
			opened, err := backend.Connect(t.Context(), mysql.Open(withParams(db.DSN, params)))
			if err != nil {
				continue
			}
			require.NoError(t, opened.Close())
			ours := db.again(setup{dsn: withParams(db.DSN, params)})
			ours.stays(t.Context(), params)
			n, err := ours.number(t.Context(), "SELECT @@character_set_client = 'utf8mb4' AND @@character_set_connection = 'utf8mb4'")
			require.NoError(t, err)
			require.EqualValues(t, 1, n, params)
		}
	}, testdb.MySQL, testdb.MariaDB)
}
