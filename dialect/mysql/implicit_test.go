package mysql

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/internal/testserver"
)

// Each statement is run on the server in a transaction with an uncommitted row.
// If that ends the transaction, inspect has to have said so, or that it cannot
// tell; whatever inspect lets through has to leave it open. What one of the
// servers does not know is an error there, which ends nothing.
func TestB15_OnTheServer(t *testing.T) {
	each(t, func(t *testing.T, db testserver.Database) {
		pool := open(t, db.DSN).Pool
		pool.SetMaxIdleConns(0) // a fresh session for each
		admin(t, db,
			"CREATE TABLE probe (a INT) ENGINE=InnoDB",
			"CREATE TABLE t (a INT, KEY k (a)) ENGINE=InnoDB",
			"CREATE TABLE m (a INT, KEY k (a)) ENGINE=MyISAM",
			"CREATE PROCEDURE p() SELECT 1",
			"CREATE PROCEDURE pc() COMMIT",
		)
		ended := 0
		for _, statement := range trialStatements {
			conn, err := pool.Conn(t.Context())
			require.NoError(t, err)
			for _, s := range []string{"BEGIN", "INSERT INTO probe VALUES (1)"} {
				_, err := conn.ExecContext(t.Context(), s)
				require.NoError(t, err, statement)
			}
			refused := ""
			if rows, err := conn.QueryContext(t.Context(), statement); err != nil {
				refused = err.Error()
			} else {
				for more := true; more; more = rows.NextResultSet() {
					for rows.Next() {
					}
				}
				_ = rows.Close()
			}
			var autocommit, own, others int
			if err := conn.QueryRowContext(t.Context(), "SELECT @@autocommit").Scan(&autocommit); err != nil {
				autocommit = 1 // nothing may be read between FLUSH TABLES … and UNLOCK
			}
			if err := conn.QueryRowContext(t.Context(), "SELECT COUNT(*) FROM probe").Scan(&own); err != nil {
				own = 1 // LOCK TABLES
			}
			_, _ = conn.ExecContext(t.Context(), "UNLOCK TABLES")
			_ = conn.Close()
			require.NoError(t, db.Admin.QueryRowContext(t.Context(), "SELECT COUNT(*) FROM probe").Scan(&others))

			v := inspect(statement)
			if own != 1 || others != 0 || autocommit != 1 {
				ended++
				assert.True(t, v.Control != "" || v.Opaque, "%s ended the transaction (%q)", statement, refused)
			}
			admin(t, db, "DELETE FROM probe")
		}
		t.Logf("%d of %d statements ended the transaction", ended, len(trialStatements))
		assert.Greater(t, ended, 50, "the trial has to see what it is looking for")
	})
}

var trialStatements = []string{
	"SELECT 1", "(SELECT 1)", "DO 1", "VALUES ROW(1)", "VALUES (1)", "TABLE t", "SHOW TABLES", "DESCRIBE t", "EXPLAIN SELECT 1",
	"EXPLAIN ANALYZE SELECT 1", "ANALYZE SELECT 1", "HELP 'x'", "CHECKSUM TABLE t", "SIGNAL SQLSTATE '01000'",
	"GET DIAGNOSTICS @a = NUMBER", "KILL QUERY 999999999", "SELECT * FROM t FOR UPDATE", "REPLACE INTO t VALUES (1)",
	"LOAD DATA INFILE '/none' INTO TABLE t", "SELECT GET_LOCK('hf_trial', 0)", "SELECT RELEASE_LOCK('hf_trial')",

	"SET @x = 1", "SET NAMES utf8mb4", "SET SESSION sql_mode = ''", "SET ROLE NONE", "SET @autocommit = 0", "SET @old = @@autocommit",
	"SET autocommit = 0", "SET SESSION autocommit = 0", "SET @@autocommit = 0", "SET @@session.autocommit = OFF",
	"SET @@local.autocommit = 0", "SET `autocommit` = 0", "SET @@`autocommit` = 0", "SET @x = 1, autocommit = 0",
	"SET NAMES utf8mb4, autocommit = 0", "SET autocommit := 0", "/*!40000 SET autocommit = 0 */",
	"SET TRANSACTION READ ONLY", "SET SESSION TRANSACTION READ ONLY", "SET @@transaction_isolation = 'READ-COMMITTED'",
	"SET STATEMENT max_statement_time = 1 FOR SELECT 1", "SET STATEMENT max_statement_time = 1 FOR COMMIT",
	"SET DEFAULT ROLE NONE", "SET RESOURCE GROUP USR_default",

	"BEGIN", "START TRANSACTION", "COMMIT", "ROLLBACK", "SAVEPOINT a", "XA START 'hf_trial'", "XA RECOVER",
	"/*! COMMIT */", "/*!50003 COMMIT */", "/*!99999 SELECT */ COMMIT", "/*M! COMMIT */", "-- x\nCOMMIT", "# x\nCOMMIT", "/* x */ COMMIT",
	"BEGIN NOT ATOMIC SELECT 1; END", "BEGIN NOT ATOMIC COMMIT; END", "IF 1 THEN COMMIT; END IF",
	"CALL p()", "CALL pc()", "PREPARE q FROM 'COMMIT'", "EXECUTE IMMEDIATE 'COMMIT'", "DEALLOCATE PREPARE q", "DROP PREPARE q",

	"LOCK TABLES t READ, probe READ", "UNLOCK TABLES", "LOCK INSTANCE FOR BACKUP", "UNLOCK INSTANCE", "BACKUP LOCK t", "BACKUP UNLOCK",
	"HANDLER t OPEN", "FLUSH STATUS", "ANALYZE TABLE t", "CHECK TABLE t", "OPTIMIZE TABLE t", "REPAIR TABLE m",
	"CACHE INDEX m IN default", "LOAD INDEX INTO CACHE m", "RESET PERSIST hf_none",

	"CREATE TEMPORARY TABLE tt (a INT)", "CREATE TEMPORARY TABLE tt AS SELECT 1 AS a", "DROP TEMPORARY TABLE IF EXISTS tt",
	"CREATE OR REPLACE TEMPORARY TABLE tt (a INT)", "CREATE TEMPORARY SEQUENCE ts", "DROP TEMPORARY SEQUENCE ts",
	"CREATE TABLE n (a INT)", "CREATE TABLE IF NOT EXISTS t (a INT)", "CREATE TABLE n2 AS SELECT 1 AS a", "DROP TABLE n", "DROP TABLE IF EXISTS n",
	"ALTER TABLE t COMMENT 'x'", "TRUNCATE t", "TRUNCATE TABLE t", "RENAME TABLE t TO u, u TO t", "CREATE INDEX i ON t (a)", "DROP INDEX i ON t",
	"CREATE VIEW v AS SELECT 1", "ALTER VIEW v AS SELECT 2", "DROP VIEW v", "CREATE TRIGGER g BEFORE INSERT ON t FOR EACH ROW SET @a = 1", "DROP TRIGGER g",
	"CREATE EVENT e ON SCHEDULE EVERY 1 DAY DISABLE DO SELECT 1", "ALTER EVENT e COMMENT 'x'", "DROP EVENT e",
	"CREATE FUNCTION f() RETURNS INT DETERMINISTIC RETURN 1", "DROP FUNCTION f", "DROP FUNCTION IF EXISTS f",
	"CREATE PROCEDURE r() SELECT 1", "CREATE PROCEDURE s() BEGIN SELECT 1; SELECT 2; END", "ALTER PROCEDURE r COMMENT 'x'", "DROP PROCEDURE r", "DROP PROCEDURE s",
	"CREATE SEQUENCE sq", "ALTER SEQUENCE sq RESTART 5", "DROP SEQUENCE sq", "CREATE SPATIAL REFERENCE SYSTEM IF NOT EXISTS 4326 NAME 'x' DEFINITION 'x'",
	"GRANT SELECT ON hf_none.* TO 'hf_none'@'localhost'", "REVOKE SELECT ON hf_none.* FROM 'hf_none'@'localhost'",
	"ALTER USER 'hf_none'@'localhost' ACCOUNT LOCK", "RENAME USER 'hf_none'@'localhost' TO 'hf_none2'@'localhost'", "DROP USER 'hf_none'@'localhost'", "DROP ROLE hf_none",
	"INSTALL PLUGIN hf SONAME 'hf_none.so'", "UNINSTALL PLUGIN hf_none", "IMPORT TABLE FROM '/none.sdi'", "BINLOG 'x'", "DROP SERVER IF EXISTS hf_none",
}
