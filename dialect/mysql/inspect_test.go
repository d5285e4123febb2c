package mysql

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/holdfast-go/holdfast/internal/lex"
)

// verdict abbreviates a verdict: the name of the control statement, and then
// "refused", "stacked", "session", "opaque".
func verdict(v lex.Verdict) string {
	s := v.Control
	for _, f := range []struct {
		set  bool
		name string
	}{{v.Refused != "", "refused"}, {v.Stacked, "stacked"}, {v.Session, "session"}, {v.Opaque, "opaque"}} {
		if f.set {
			if s != "" {
				s += ", "
			}
			s += f.name
		}
	}
	return s
}

func TestB15_Inspect(t *testing.T) {
	for text, want := range map[string]string{
		"SELECT 1":                                   "",
		"(SELECT 1) UNION (SELECT 2)":                "",
		"SELECT * FROM t INTO OUTFILE '/tmp/x'":      "",
		"SELECT 'COMMIT; BEGIN'":                     "",
		"SELECT ';'":                                 "",
		"INSERT INTO t VALUES ('it\\'s; COMMIT')":    "",
		"EXPLAIN ANALYZE SELECT 1":                   "",
		"ANALYZE FORMAT=JSON SELECT 1":               "",
		"SHOW TABLES":                                "",
		"VALUES ROW(1)":                              "",
		"DO SLEEP(0)":                                "",
		"LOAD DATA INFILE 'x' INTO TABLE t":          "opaque",
		"LOAD DATA INFILE 'x' INTO TABLE t (a, @b)":  "session, opaque",
		"UPDATE t SET begin = 1":                     "",
		"RESET PERSIST":                              "",
		"SELECT @@autocommit":                        "",
		"SELECT a FROM t WHERE mail = 'a@b.invalid'": "",

		"commit":                         "COMMIT",
		"  /* x */ Commit work":          "COMMIT",
		"# x\nCOMMIT":                    "COMMIT",
		"-- x\nCOMMIT":                   "COMMIT",
		"BEGIN":                          "BEGIN",
		"START TRANSACTION READ ONLY":    "START TRANSACTION",
		"ROLLBACK TO SAVEPOINT a":        "ROLLBACK",
		"SAVEPOINT a":                    "SAVEPOINT",
		"RELEASE SAVEPOINT a":            "RELEASE",
		"XA START 'a'":                   "XA",
		"LOCK TABLES t WRITE":            "LOCK TABLES (implicit commit)",
		"UNLOCK TABLES":                  "UNLOCK TABLES (implicit commit)",
		"/*! COMMIT */":                  "COMMIT",
		"/*!50003 COMMIT */":             "COMMIT",
		"/*M! COMMIT */":                 "COMMIT",
		"/*!99999 SELECT */ COMMIT":      "COMMIT",
		"/*!99999 SELECT 1 */ SELECT 1":  "session, opaque",
		"SELECT /*!50000 1 */ + 1":       "session",
		"SHOW /*!99999 ENGINES */":       "session, opaque",
		"SELECT 1; COMMIT":               "COMMIT, stacked",
		"SELECT 1;;":                     "",
		"SET STATEMENT a=1 FOR COMMIT":   "COMMIT, session, opaque",
		"SET STATEMENT a=1 FOR SELECT 1": "session, opaque",
		"SET STATEMENT a=(SELECT 1 FROM t LIMIT 1 FOR UPDATE) FOR COMMIT": "COMMIT, session, opaque",

		"SET autocommit=0":                              "SET autocommit",
		"set AutoCommit := 1":                           "SET autocommit",
		"SET @@autocommit=0":                            "SET autocommit",
		"SET @@session.autocommit=0":                    "SET autocommit",
		"SET @@local . autocommit = 0":                  "SET autocommit",
		"SET SESSION autocommit = 0":                    "SET autocommit",
		"SET @x = 1, autocommit = 0":                    "SET autocommit",
		"SET sql_mode = '', @@SESSION.autocommit = OFF": "SET autocommit",
		"SET `autocommit` = 0":                          "SET autocommit",
		"SET NAMES utf8mb4, autocommit = 0":             "SET autocommit",
		`SET @x = '\', autocommit = 0 -- '`:             "SET autocommit",
		"/*!40000 SET autocommit = 0 */":                "SET autocommit",
		"SET GLOBAL autocommit = 0":                     "",
		"SET @@global.autocommit = 0":                   "session",
		"SET GLOBAL a = 1, autocommit = 0":              "SET autocommit",
		"SET @autocommit = 0":                           "session",
		"SET @old = @@autocommit":                       "session",

		"SET TRANSACTION READ ONLY":                              "SET TRANSACTION",
		"SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED": "session",
		"SET GLOBAL max_connections = 10":                        "",
		"SET PASSWORD = 'x'":                                     "SET PASSWORD (implicit commit)",
		"SET DEFAULT ROLE r TO u":                                "SET DEFAULT (implicit commit)",
		"SET ROLE r":                                             "session",
		"SET NAMES utf8mb4":                                      "session",
		"USE other":                                              "session",
		"CREATE TEMPORARY TABLE t (a int)":                       "session",
		"CREATE OR REPLACE TEMPORARY TABLE t (a int)":            "session",
		"BACKUP LOCK t":                                          "BACKUP LOCK (implicit commit)",
		"CREATE TEMPORARY SEQUENCE s":                            "CREATE TEMPORARY SEQUENCE (implicit commit)",
		"DROP TEMPORARY TABLE t":                                 "session",
		"SELECT GET_LOCK('a', 1)":                                "session",
		"SELECT release_lock ('a')":                              "session",
		"DO GET_LOCK('a', 1)":                                    "session",
		"SELECT @a := 1":                                         "session",
		"SELECT 1 INTO @a":                                       "session",
		"HANDLER t OPEN":                                         "session",
		"LOCK INSTANCE FOR BACKUP":                               "session",
		"DEALLOCATE PREPARE p":                                   "session",
		"DROP PREPARE p":                                         "session",
		"PREPARE p FROM 'COMMIT'":                                "session, opaque",
		"EXECUTE p":                                              "session, opaque",
		"EXECUTE IMMEDIATE 'COMMIT'":                             "session, opaque",
		"CALL p()":                                               "session, opaque",
		"BEGIN NOT ATOMIC SELECT 1; COMMIT; END":                 "session, opaque",
		"SOMETHING NEW":                                          "session, opaque",

		"CREATE /*!99999 TEMPORARY */ TABLE t (a int)": "CREATE (implicit commit)",

		"SET NAMES gbk":                                       "refused, session",
		"SET NAMES 'big5'":                                    "refused, session",
		"set names `sjis`":                                    "refused, session",
		"SET NAMES utf8":                                      "refused, session",
		"SET NAMES DEFAULT":                                   "refused, session",
		"SET NAMES utf8mb4 COLLATE utf8mb4_bin":               "session",
		"SET NAMES utf8mb4 COLLATE gbk_bin":                   "refused, session",
		"SET @a = 1, NAMES gbk":                               "refused, session",
		"SET CHARACTER SET gbk":                               "refused, session",
		"SET CHARSET utf8mb4":                                 "refused, session",
		"SET character_set_client = gbk":                      "refused, session",
		"SET @@session.character_set_client := 'gbk'":         "refused, session",
		"SET SESSION character_set_results = NULL":            "refused, session",
		"SET `collation_connection` = cp932_bin":              "refused, session",
		"SET collation_connection = utf8mb4_bin":              "session",
		"SET character_set_client = utf8mb4":                  "session",
		"SET character_set_client = @@character_set_server":   "refused, session",
		"SET character_set_client = CONCAT('utf8mb4')":        "refused, session",
		"SET STATEMENT character_set_client=gbk FOR SELECT 1": "refused, session",
		"/*!50000 SET NAMES gbk */":                           "refused, session, opaque",
		"SET /*!50000 NAMES gbk */":                           "refused, session, opaque",
		"SET @@GLOBAL.character_set_client = gbk":             "session",
		"SET @character_set_client = 'gbk'":                   "session",
		"SET @old = @@character_set_client":                   "session",

		"SELECT get_lock/**/('a', 1)":                  "session",
		"SELECT `GET_LOCK`('a', 1)":                    "session",
		"SELECT\"GET_LOCK\"('a', 1)":                   "session",
		"SELECT get_lock\n('a', 1)":                    "session",
		"SELECT /*!get_lock('a', 1)*/":                 "session",
		"SELECT of_the_applications(1)":                "session",
		"SELECT other.f(1)":                            "session",
		"SELECT 1, 2 INTO @a, @b":                      "session",
		"SELECT CONNECTION_ID(), @@time_zone, @a":      "",
		"SELECT SETVAL(s, 5)":                          "session",
		"INSERT INTO t (a) VALUES (LAST_INSERT_ID(5))": "session",
		"INSERT INTO `d`.`t` (a, b) SELECT COUNT(*), MAX (x) FROM u WHERE a IN (1) AND (b) ON DUPLICATE KEY UPDATE b = VALUES(b)": "",
		"WITH x AS (SELECT 1) SELECT CAST(a AS DECIMAL(10, 2)), ROW_NUMBER() OVER (PARTITION BY a) FROM x":                        "",
		"EXPLAIN FORMAT=JSON INTO @v SELECT 1": "session",

		"CREATE TABLE t (a int)":                   "CREATE TABLE (implicit commit)",
		"create unique index i on t (a)":           "CREATE INDEX (implicit commit)",
		"CREATE OR REPLACE VIEW v AS SELECT 1":     "CREATE VIEW (implicit commit)",
		"DROP TABLE IF EXISTS t":                   "DROP TABLE (implicit commit)",
		"TRUNCATE t":                               "TRUNCATE TABLE (implicit commit)",
		"ALTER TABLE t ADD b int":                  "ALTER TABLE (implicit commit)",
		"GRANT SELECT ON *.* TO u":                 "GRANT (implicit commit)",
		"CREATE PROCEDURE p() BEGIN SELECT 1; END": "CREATE PROCEDURE (implicit commit)",
		"CREATE DEFINER=`a`@`b` TRIGGER t BEFORE INSERT ON x FOR EACH ROW BEGIN IF 1 THEN SET @a = CASE 1 WHEN 1 THEN 2 END; END IF; END;": "CREATE TRIGGER (implicit commit)",
		"CREATE PROCEDURE p() SELECT 1; DROP TABLE t": "CREATE PROCEDURE (implicit commit), stacked",
	} {
		assert.Equal(t, want, verdict(inspect(text)), text)
	}
}

func TestRebind(t *testing.T) {
	for text, want := range map[string]string{
		"SELECT ?, '?'":  "SELECT ?, '?'",
		"SELECT ??":      "SELECT ?",
		"SELECT '??', ?": "SELECT '??', ?",
		`SELECT '\'??'`:  `SELECT '\'??'`,
		"SELECT `??`":    "SELECT `??`",
	} {
		assert.Equal(t, want, rebind(text), text)
	}
}

func BenchmarkInspect(b *testing.B) {
	const query = "SELECT a.id, a.created_at, a.updated_at, a.project_id, a.text, a.path FROM audio a WHERE a.is_audio_required = ? ORDER BY a.updated_at LIMIT ?"
	b.ReportAllocs()
	for b.Loop() {
		inspect(query)
	}
}
