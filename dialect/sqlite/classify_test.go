package sqlite

import (
	"context"
	"database/sql/driver"
	"testing"

	"github.com/stretchr/testify/assert"

	modernc "modernc.org/sqlite"

	"github.com/holdfast-go/holdfast/dialect"
)

func TestS05_Kinds(t *testing.T) {
	u := connect(t, open(t, Open(file(t))))
	u.must("CREATE TABLE p (id INTEGER PRIMARY KEY)")
	u.must("CREATE TABLE c (a TEXT UNIQUE, b NOT NULL DEFAULT 1, k INT CHECK (k < 10), p INT REFERENCES p (id))")
	u.must("CREATE TABLE s (n INTEGER, w TEXT PRIMARY KEY) STRICT, WITHOUT ROWID")
	u.must("CREATE TRIGGER no BEFORE INSERT ON c WHEN new.a = 'no' BEGIN SELECT RAISE(ABORT, 'the password is hunter2'); END")
	u.must("INSERT INTO p VALUES (1)")
	u.must("INSERT INTO c (a, p) VALUES ('hunter2', 1)")
	for _, tt := range []struct {
		query   string
		kind    error
		code    string
		message string
	}{
		{"INSERT INTO c (a) VALUES ('hunter2')", dialect.ErrUniqueViolation, "SQLITE_CONSTRAINT_UNIQUE", "UNIQUE constraint failed: c.a"},
		{"INSERT INTO p VALUES (1)", dialect.ErrUniqueViolation, "SQLITE_CONSTRAINT_PRIMARYKEY", "UNIQUE constraint failed: p.id"},
		{"INSERT INTO c (p) VALUES (9)", dialect.ErrForeignKeyViolation, "SQLITE_CONSTRAINT_FOREIGNKEY", "FOREIGN KEY constraint failed"},
		{"DELETE FROM p", dialect.ErrForeignKeyViolation, "SQLITE_CONSTRAINT_FOREIGNKEY", "FOREIGN KEY constraint failed"},
		{"INSERT INTO c (k) VALUES (99)", dialect.ErrCheckViolation, "SQLITE_CONSTRAINT_CHECK", "CHECK constraint failed: k < 10"},
		{"INSERT INTO c (b) VALUES (NULL)", dialect.ErrNotNullViolation, "SQLITE_CONSTRAINT_NOTNULL", "NOT NULL constraint failed: c.b"},
		{"INSERT INTO s VALUES ('hunter2', 'a')", nil, "SQLITE_CONSTRAINT_DATATYPE", "cannot store TEXT value in INTEGER column s.n"},
		{"INSERT INTO c (a) VALUES ('no')", nil, "SQLITE_CONSTRAINT_TRIGGER", "refused by a trigger"},
		{"SELECT * FROM missing", nil, "SQLITE_ERROR", "no such table: missing"},
		{"SELEC 1", nil, "SQLITE_ERROR", `near "SELEC": syntax error`},
		{"SELECT 1 'a' 'hunter2'", nil, "SQLITE_ERROR", "syntax error"},
		{"SELECT 1 'hunter2", nil, "SQLITE_ERROR", "unrecognized token"},
		{"SELECT json('hunter2')", nil, "SQLITE_ERROR", "malformed JSON"},
	} {
		_, err := u.exec(tt.query)
		e := u.db.Engine.Classify(err)
		if !assert.NotNil(t, e, tt.query) {
			continue
		}
		assert.Equal(t, tt.kind, e.Kind, tt.query)
		assert.Equal(t, tt.code, e.Code, tt.query)
		assert.Equal(t, tt.message, e.Message, tt.query)
		assert.NotContains(t, e.Error(), "hunter2", tt.query)
		assert.Equal(t, "sqlite", e.Engine)
		assert.False(t, e.Fatal, tt.query)
		var own *modernc.Error
		assert.ErrorAs(t, e, &own, "the driver's own error is reachable")
		if tt.kind != nil {
			assert.ErrorIs(t, e, tt.kind)
		}
	}
}

func TestS05_NamesInTexts(t *testing.T) {
	u := connect(t, open(t, Open(file(t))))
	u.must(`CREATE TABLE c (a TEXT, b TEXT, "d.e" TEXT UNIQUE, n INT CONSTRAINT small CHECK (n < 10), UNIQUE (b, n))`)
	u.must("CREATE UNIQUE INDEX \"it's lower\" ON c (lower(a))")
	u.must("CREATE TABLE p (id INTEGER PRIMARY KEY, c INTEGER REFERENCES p (id))")
	u.must("CREATE TRIGGER no BEFORE INSERT ON c WHEN new.a = 'no' BEGIN SELECT RAISE(ABORT, 'UNIQUE constraint failed: c.hunter2'); END")
	u.must("INSERT INTO c VALUES ('a', 'b', 'd', 1)")
	u.must("INSERT INTO p VALUES (1, NULL)")
	for _, tt := range []struct {
		query      string
		constraint string
		columns    []string
	}{
		{"INSERT INTO c (b, n) VALUES ('b', 1)", "", []string{"b", "n"}},
		{"INSERT INTO c (a) VALUES ('A')", "it's lower", nil},
		{`INSERT INTO c ("d.e") VALUES ('d')`, "", nil},
		{"INSERT INTO c (n) VALUES (11)", "small", nil},
		{"INSERT INTO c (a) VALUES ('no')", "", nil},
		{"INSERT INTO p VALUES (1, NULL)", "", []string{"id"}},
		{"INSERT INTO p VALUES (2, 3)", "", nil},
		{"SELECT * FROM missing", "", nil},
	} {
		_, err := u.exec(tt.query)
		e := u.db.Engine.Classify(err)
		assert.Equal(t, tt.constraint, e.Constraint, tt.query)
		assert.Equal(t, tt.columns, e.Columns, tt.query)
	}
}

// What a function or a virtual table is given may come back in its error.
func TestS05_NoValuesInMessages(t *testing.T) {
	u := connect(t, open(t, Open(file(t))))
	u.must("CREATE VIRTUAL TABLE f USING fts5(body)")
	u.must("CREATE TABLE c (a TEXT UNIQUE)")
	u.must("INSERT INTO c VALUES (?)", "hunter2")
	for _, tt := range []struct{ query, value, message string }{
		{"SELECT * FROM f WHERE f MATCH ?", "hunter2: x", "no such column …"},
		{"SELECT * FROM f WHERE body MATCH ?", `NEAR hunter2 )`, `fts5: syntax error near ")"`},
		{"SELECT * FROM f WHERE f MATCH ?", `hunter2"`, "unterminated string"},
		{"SELECT json_extract('{}', ?)", "hunter2", "bad JSON path …"},
		{"SELECT json_extract('{}', ?)", "holdfast: hunter2", "…"},
		{"SELECT json(?)", "hunter2", "malformed JSON"},
		{"INSERT INTO c VALUES (?)", "hunter2", "UNIQUE constraint failed: c.a"},
		{"SELECT missing FROM c WHERE a = ?", "hunter2", "no such column: missing"},
		{"SELECT * FROM missing WHERE a = ?", "hunter2", "no such table: missing"},
		{"SELECT a b c FROM c WHERE a = ?", "hunter2", `near "c": syntax error`},
		{"ATTACH ? AS other", "/nowhere/hunter2", "unable to open database file: unable to open database …"},
	} {
		_, err := u.exec(tt.query, tt.value)
		if err == nil { // it fails when its rows are read
			rows, queried := u.wire.Query(context.Background(), nil, tt.query, []any{tt.value})
			assert.NoError(t, queried, tt.query)
			err = rows.Next(make([]driver.Value, len(rows.Columns())))
			_ = rows.Close()
		}
		e := u.db.Engine.Classify(err)
		if assert.NotNil(t, e, tt.query) {
			assert.Equal(t, tt.message, e.Message, tt.query)
			assert.NotContains(t, e.Error(), "hunter2")
			var own *modernc.Error
			assert.ErrorAs(t, e, &own)
		}
	}
}

// A transaction that has read cannot write any more once somebody else has.
// Blocks begin IMMEDIATE, so only a transaction begun by other means gets there.
func TestS05_Snapshot(t *testing.T) {
	db := open(t, Open(file(t)))
	u, other := connect(t, db), connect(t, db)
	u.must("CREATE TABLE t (a)")
	_, err := u.wire.Exec(context.Background(), []string{beginRead}, "SELECT count(*) FROM t", nil)
	assert.NoError(t, err)
	other.must("INSERT INTO t VALUES (1)")
	_, err = u.exec("INSERT INTO t VALUES (2)")
	e := db.Engine.Classify(err)
	assert.Equal(t, dialect.ErrSerializationFailure, e.Kind)
	assert.Equal(t, "SQLITE_BUSY_SNAPSHOT", e.Code)
	assert.True(t, e.Fatal)
	u.rollback()
}

func TestClassifyOthers(t *testing.T) {
	assert.Nil(t, classify(nil))
	e := classify(context.Canceled)
	assert.NoError(t, e.Kind)
	assert.Empty(t, e.Code)
	assert.ErrorIs(t, e, context.Canceled)
	for code, want := range map[int]string{
		5: "SQLITE_BUSY", 261: "SQLITE_BUSY_RECOVERY", 1: "SQLITE_ERROR", 778: "SQLITE_IOERR_WRITE", 8458: "SQLITE_IOERR (8458)", 99: "SQLITE 99",
	} {
		assert.Equal(t, want, codeName(code))
	}
}
