package postgres

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/holdfast-go/holdfast/internal/lex"
)

// verdict abbreviates a verdict: the name of the control statement, and then
// "stacked", "session".
func verdict(v lex.Verdict) string {
	s := v.Control
	if v.Stacked {
		s += " stacked"
	}
	if v.Session {
		s += " session"
	}
	if v.Opaque {
		s += " opaque"
	}
	return s
}

func TestB15_Inspect(t *testing.T) {
	for text, want := range map[string]string{
		"SELECT 1":                           "",
		"SELECT 'a;b', $$;COMMIT$$, E'\\';'": "",
		"INSERT INTO temp VALUES (1)":        "",
		"SELECT * FROM temp":                 "",
		"CREATE TABLE temp (a int)":          "",
		"CREATE TABLE t (a int)":             "",
		"CREATE RULE r AS ON INSERT TO t DO (SELECT 1; SELECT 2)": "",
		"TRUNCATE t":                                     "",
		"LOCK TABLE t":                                   "",
		"EXPLAIN ANALYZE SELECT 1":                       "",
		"CALL p()":                                       " session",
		"DO $$ BEGIN PERFORM 1; END $$":                  " session",
		"SET LOCAL lock_timeout = '1s'":                  "",
		"SET LOCAL ROLE a":                               "",
		"SET CONSTRAINTS ALL DEFERRED":                   "",
		"CREATE TEMP TABLE t ON COMMIT DROP AS SELECT 1": "",
		"SELECT set_config('a.b', 'c', true)":            "",
		"SELECT pg_advisory_xact_lock(1)":                "",
		"DECLARE c CURSOR FOR SELECT 1":                  "",
		"CREATE FUNCTION f() RETURNS int AS $$ BEGIN; $$ LANGUAGE sql":                                  "",
		"CREATE OR REPLACE PROCEDURE p() BEGIN ATOMIC SELECT CASE WHEN true THEN 1 END; SELECT 2; END;": "",

		"begin":                   "BEGIN",
		"START TRANSACTION":       "START TRANSACTION",
		"/* /* x */ */ COMMIT":    "COMMIT",
		"COMMIT PREPARED 'a'":     "COMMIT PREPARED",
		"END":                     "END",
		"ROLLBACK TO a":           "ROLLBACK",
		"ROLLBACK PREPARED 'a'":   "ROLLBACK PREPARED",
		"ABORT":                   "ABORT",
		"SAVEPOINT a":             "SAVEPOINT",
		"RELEASE a":               "RELEASE",
		"PREPARE TRANSACTION 'a'": "PREPARE TRANSACTION",
		"SET TRANSACTION ISOLATION LEVEL SERIALIZABLE":   "SET TRANSACTION",
		"SET LOCAL transaction_isolation = 'x'":          "SET transaction_isolation",
		`SET SESSION "transaction_read_only" TO on`:      "SET transaction_read_only",
		"SELECT 1; COMMIT":                               "COMMIT stacked",
		"SELECT 1 -- x\r; COMMIT":                        "COMMIT stacked",
		"SELECT 1; SELECT 2":                             " stacked",
		"CREATE FUNCTION f() RETURN 1; COMMIT":           "COMMIT stacked",
		"CREATE FUNCTION f() BEGIN ATOMIC; END; COMMIT;": "COMMIT stacked",

		"PREPARE transaction AS SELECT 1":                      " session",
		"SET search_path = a":                                  " session",
		"SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY": " session",
		"SET SESSION AUTHORIZATION a":                          " session",
		"SET ROLE a":                                           " session",
		"RESET ALL":                                            " session",
		"DISCARD ALL":                                          " session",
		"LISTEN a":                                             " session",
		"DEALLOCATE ALL":                                       " session",
		"DECLARE c CURSOR WITH HOLD FOR SELECT 1":              " session",
		"CREATE TEMP TABLE t (a int)":                          " session",
		"CREATE OR REPLACE TEMPORARY VIEW v AS SELECT 1":       " session",
		"CREATE TABLE pg_temp.t (a int)":                       " session",
		"SELECT 1 INTO TEMP t":                                 " session",
		"WITH a AS (SELECT 1) SELECT * INTO LOCAL TEMPORARY TABLE t FROM a":       " session",
		"SELECT pg_advisory_lock(1)":                                              " session",
		"SELECT pg_try_advisory_lock_shared (1)":                                  " session",
		"SELECT set_config('a.b', 'c', false)":                                    " session",
		"SELECT set_config('a.b', ?, ?)":                                          " session",
		"SELECT set_config('a.b', 'c', true), set_config('a', 'b', false)":        " session",
		`SELECT "set_config"('a.b', 'c', false)`:                                  " session",
		"SELECT set_config/* x */ -- y\n('a.b', 'c', false)":                      " session",
		`SELECT pg_catalog."set_config" /**/ ('a.b', 'c', false)`:                 " session",
		`SELECT U&"\0073et_config"('a.b', 'c', false)`:                            " session",
		"SELECT SET_CONFIG('a.b', 'c', NOT true)":                                 " session",
		"SELECT set_config('a.b', set_config('c', 'd', false), true)":             " session",
		`SELECT "pg_advisory_lock"(1)`:                                            " session",
		"SELECT pg_advisory_lock/**/(1)":                                          " session",
		"WITH a AS (SELECT pg_try_advisory_lock(1)) SELECT 1":                     " session",
		"UPDATE pg_settings SET setting = '1' WHERE name = 'x'":                   " session",
		`UPDATE ONLY pg_catalog."pg_settings" SET setting = '1'`:                  " session",
		"WITH a AS (UPDATE pg_settings s SET setting = '1' RETURNING 1) SELECT 1": " session",
		"SELECT * FROM pg_settings":                                               "",
		"INSERT INTO t SELECT name FROM pg_settings":                              "",
		"SELECT setseed(0.5)":                                                     " session",
		"SELECT dblink_connect('a', 'b')":                                         " session",
		"SELECT dblink('a', 'b')":                                                 "",
		"SELECT query_to_xml('SELECT 1', true, true, '')":                         " session",
		"SELECT temporary, set_config, backup FROM t":                             "",
		"SELECT 'set_config(1, 2, false)', 'INTO TEMP t'":                         "",
		`SELECT 1 INTO "pg_temp".t`:                                               " session",
		"CREATE TABLE pg_temp_3.t (a int)":                                        " session",
		`CREATE FUNCTION "pg_temp".f() RETURNS int LANGUAGE sql AS 'SELECT 1'`:    " session",
		"create/**/temp/**/table t (a int)":                                       " session",
		"CREATE LOCAL TEMP SEQUENCE s":                                            " session",
		"EXPLAIN ANALYZE CREATE TEMP TABLE t AS SELECT 1":                         " session",
		"EXPLAIN (ANALYZE) EXECUTE a":                                             " session",
		"EXPLAIN ANALYZE SELECT pg_advisory_lock(1)":                              " session",
		"EXECUTE a": " session",
		"DECLARE c INSENSITIVE CURSOR WITH/**/HOLD FOR SELECT 1": " session",
		"listen a":            " session",
		"UNLISTEN *":          " session",
		"LOAD 'auto_explain'": " session",
	} {
		assert.Equal(t, want, verdict(inspect(text)), text)
	}
}

func TestRebind(t *testing.T) {
	for text, want := range map[string]string{
		"SELECT 1":                             "SELECT 1",
		"SELECT $1":                            "SELECT $1",
		"a = ? AND b = '?' AND c ??| ? -- ?":   "a = $1 AND b = '?' AND c ?| $2 -- ?",
		"SELECT data ?? 'a', data ??& ?":       "SELECT data ? 'a', data ?& $1",
		"SELECT $t$ ? $t$, E'\\' ?', \"?\", ?": "SELECT $t$ ? $t$, E'\\' ?', \"?\", $1",
	} {
		assert.Equal(t, want, rebind(text), text)
	}
}

func BenchmarkInspect(b *testing.B) {
	const query = "SELECT a.id, a.created_at, a.updated_at, a.project_id, a.text, a.path FROM audio a WHERE a.is_audio_required = $1 ORDER BY a.updated_at LIMIT $2"
	b.ReportAllocs()
	for b.Loop() {
		inspect(query)
	}
}
