package sqlite

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
	return s
}

func TestB15_Inspect(t *testing.T) {
	for text, want := range map[string]string{
		"SELECT 1":                        "",
		"SELECT ';' AS [;]":               "",
		"INSERT INTO t VALUES ('COMMIT')": "",
		"CREATE TABLE temp_t (a)":         "",
		"DROP TABLE t":                    "",
		"EXPLAIN COMMIT":                  "",
		"EXPLAIN PRAGMA foreign_keys":     "",
		"PRAGMA table_info(t)":            "",
		"PRAGMA main.table_info(t)":       "",
		"PRAGMA journal_mode":             "",
		"PRAGMA user_version = 3":         "",
		"CREATE TRIGGER a AFTER INSERT ON t BEGIN UPDATE t SET a = CASE 1 WHEN 1 THEN 2 END; DELETE FROM t; END":  "",
		"CREATE TRIGGER a AFTER INSERT ON t BEGIN UPDATE t SET a = CASE 1 WHEN 1 THEN 2 END; DELETE FROM t; END;": "",
		"BEGIN IMMEDIATE":      "BEGIN",
		"commit":               "COMMIT",
		"\xef\xbb\xbfCOMMIT":   "COMMIT",
		"END TRANSACTION":      "END",
		"ROLLBACK TO a":        "ROLLBACK",
		"SAVEPOINT a":          "SAVEPOINT",
		"RELEASE a":            "RELEASE",
		"SELECT 1; COMMIT":     "COMMIT stacked",
		"SELECT 1; SELECT '2'": " stacked",
		"CREATE TRIGGER a AFTER INSERT ON t BEGIN SELECT 1; END; COMMIT": "COMMIT stacked",
		"ATTACH 'x' AS y":               " session",
		"DETACH y":                      " session",
		"VACUUM":                        " session",
		"PRAGMA query_only":             "",
		"PRAGMA query_only = 0":         "PRAGMA query_only session",
		"PRAGMA main.\"Query_Only\"(0)": "PRAGMA query_only session",
		"PRAGMA 'query_only' = 0":       "PRAGMA query_only session",
		"EXPLAIN PRAGMA query_only = 0": "PRAGMA query_only session",
		"PRAGMA foreign_keys = OFF":     " session",
		"explain query plan PRAGMA 'main'.foreign_keys(0)":                      " session",
		"PRAGMA main.foreign_keys(0)":                                           " session",
		"CREATE TEMP TABLE t (a)":                                               " session",
		"CREATE TABLE temp.t (a)":                                               " session",
		"CREATE TABLE \"Temp\" . t (a)":                                         " session",
		"CREATE VIRTUAL TABLE [temp].t USING fts5(a)":                           " session",
		"CREATE VIEW IF NOT EXISTS 'TEMP'.t AS SELECT 1":                        " session",
		"CREATE TRIGGER `temp`.a AFTER INSERT ON t BEGIN SELECT 1; END":         " session",
		"EXPLAIN CREATE TRIGGER a AFTER INSERT ON t BEGIN SELECT 1; END":        "",
		"CREATE TEMPORARY VIEW v AS SELECT 1":                                   " session",
		"CREATE TEMP TRIGGER a AFTER INSERT ON t BEGIN SELECT 1; SELECT 2; END": " session",
	} {
		assert.Equal(t, want, verdict(inspect(text)), text)
	}
}

func TestRebind(t *testing.T) {
	for text, want := range map[string]string{
		"SELECT ?, ?2, '??'":    "SELECT ?, ?2, '??'",
		"SELECT ??, '??', [??]": "SELECT ?, '??', [??]",
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
