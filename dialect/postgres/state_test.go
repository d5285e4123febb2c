package postgres

import (
	"context"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/internal/backend"
	"github.com/holdfast-go/holdfast/internal/lex"
)

// TestB08_ATransactionThatIsGoneIsKnownByTheNextAnswer ends the transaction in
// ways that no reader of texts can see: the server says with each answer whether
// one is open.
func TestB08_ATransactionThatIsGoneIsKnownByTheNextAnswer(t *testing.T) {
	t.Parallel()
	// One database, so that what is prepared for a second phase can be put away.
	db := fresh(t, items)
	opened := open(t, db.DSN)
	opened.Pool.SetMaxIdleConns(-1)
	prepared := map[string]string{
		"a": "COMMIT", "b": "END", "c": "ROLLBACK", "d": "ABORT", "e": "PREPARE TRANSACTION 'holdfast'", "f": "COMMIT WORK", "g": "ROLLBACK TRANSACTION AND NO CHAIN",
	}
	spoil := func(t *testing.T, w *wire, statement string) { // as somebody with the driver's connection
		_, err := w.pgx.Exec(t.Context(), statement)
		require.NoError(t, err)
	}
	ways := map[string]func(t *testing.T, w *wire) error{
		"raw COMMIT":   func(t *testing.T, w *wire) error { spoil(t, w, "COMMIT"); return nil },
		"raw ROLLBACK": func(t *testing.T, w *wire) error { spoil(t, w, "ROLLBACK"); return nil },
	}
	for name, text := range prepared {
		for _, how := range []string{"EXECUTE ", "/* */ execute\n\t", "EXPLAIN ANALYZE EXECUTE "} {
			ways[how+text] = func(t *testing.T, w *wire) error {
				_, err := w.pgx.Prepare(t.Context(), name, text)
				require.NoError(t, err)
				return fails(w.Exec(t.Context(), nil, how+name, nil))
			}
		}
		ways["rows of "+text] = func(t *testing.T, w *wire) error {
			_, err := w.pgx.Prepare(t.Context(), name, text)
			require.NoError(t, err)
			rows, err := w.Query(t.Context(), nil, "EXECUTE "+name, nil)
			if err != nil {
				return err
			}
			_, err = readAll(rows)
			return err
		}
	}
	t.Cleanup(func() { _, _ = db.Admin.Exec(`ROLLBACK PREPARED 'holdfast'`) })
	for name, way := range ways {
		t.Run(name, func(t *testing.T) {
			_, _ = db.Admin.ExecContext(t.Context(), `ROLLBACK PREPARED 'holdfast'`)
			w := take(t, opened).(*wire)
			execAfter(t, w, []string{"BEGIN", "SAVEPOINT hf_1"}, `INSERT INTO item VALUES (1, 'a') ON CONFLICT DO NOTHING`)
			err := way(t, w)
			if w.conn.TxStatus() != 'I' { // the server has refused it, or only explained
				require.NotErrorAs(t, err, new(*backend.EndedError))
				require.NoError(t, w.Rollback(t.Context(), nil))
				require.True(t, w.Idle())
				return
			}
			if err == nil {
				err = fails(w.Exec(t.Context(), []string{"SAVEPOINT hf_2"}, `INSERT INTO item VALUES (2, 'b')`, nil))
			}
			require.ErrorAs(t, err, new(*backend.EndedError))
			require.True(t, backend.Classify(opened, err).Fatal)
			require.Nil(t, backend.Classify(opened, err).Kind)
			require.False(t, w.Idle(), "not for others")
			require.NoError(t, w.Rollback(t.Context(), nil))
			require.False(t, w.Idle())
			eventually(t, db, `SELECT count(*) = 0 FROM item WHERE id = 2`)
		})
	}
}

// What runs on the server and cannot end the transaction fails the statement only.
func TestB08_WhatTheServerRefusesLeavesTheTransaction(t *testing.T) {
	t.Parallel()
	db := fresh(t, items, `CREATE EXTENSION IF NOT EXISTS dblink`,
		`CREATE PROCEDURE commits() LANGUAGE plpgsql AS $$ BEGIN COMMIT; END $$`,
		`CREATE PROCEDURE rolls_back() LANGUAGE plpgsql AS $$ BEGIN ROLLBACK; END $$`,
		`CREATE PROCEDURE chains() LANGUAGE plpgsql AS $$ BEGIN COMMIT AND CHAIN; END $$`,
		`CREATE PROCEDURE calls() LANGUAGE plpgsql AS $$ BEGIN CALL commits(); END $$`,
		`CREATE PROCEDURE catches() LANGUAGE plpgsql AS $$ BEGIN COMMIT; EXCEPTION WHEN OTHERS THEN NULL; END $$`,
		`CREATE FUNCTION dynamic(text) RETURNS int LANGUAGE plpgsql AS $$ BEGIN EXECUTE $1; RETURN 1; END $$`,
		`CREATE FUNCTION in_sql() RETURNS void LANGUAGE plpgsql AS $$ BEGIN CALL commits(); END $$`,
		`CREATE FUNCTION fires() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN COMMIT; RETURN NEW; END $$`,
		`CREATE TABLE trapped (id int)`, `CREATE TRIGGER t BEFORE INSERT ON trapped FOR EACH ROW EXECUTE FUNCTION fires()`,
		`CREATE TABLE late (id int)`, `CREATE CONSTRAINT TRIGGER t AFTER INSERT ON late DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION fires()`,
		`CREATE TABLE ruled (id int)`, `CREATE RULE r AS ON INSERT TO ruled DO ALSO SELECT dynamic('COMMIT')`,
	)
	opened := open(t, db.DSN)
	for _, text := range []string{
		`CALL commits()`, `CALL rolls_back()`, `CALL chains()`, `CALL calls()`,
		`DO $$ BEGIN COMMIT; END $$`, `DO $$ BEGIN ROLLBACK; END $$`, `DO $$ BEGIN COMMIT AND CHAIN; END $$`,
		`DO $$ BEGIN CALL commits(); END $$`, `DO $$ BEGIN PERFORM 1; CALL calls(); END $$`,
		`SELECT dynamic('COMMIT')`, `SELECT dynamic('ROLLBACK')`, `SELECT dynamic('BEGIN')`, `SELECT dynamic('SAVEPOINT a')`,
		`SELECT dynamic('RELEASE hf_1')`, `SELECT dynamic('ROLLBACK TO hf_1')`, `SELECT dynamic('PREPARE TRANSACTION ''x''')`,
		`SELECT dynamic('CALL commits()')`, `SELECT dynamic('START TRANSACTION')`, `SELECT in_sql()`,
		`INSERT INTO trapped VALUES (1)`, `INSERT INTO ruled VALUES (1)`,
		`WITH x AS (SELECT dynamic('COMMIT') AS n) SELECT * FROM x`, `SELECT * FROM item WHERE dynamic('COMMIT') = 1`,
		`EXPLAIN ANALYZE SELECT dynamic('COMMIT')`, `EXPLAIN COMMIT`, `PREPARE x AS COMMIT`, `DECLARE c CURSOR FOR COMMIT`,
		`SELECT query_to_xml('COMMIT', true, true, '')`, `COPY (SELECT dynamic('COMMIT')) TO PROGRAM 'cat'`,
		`CREATE VIEW v AS SELECT dynamic('COMMIT') AS n; `, `VACUUM`, `CREATE DATABASE nope`, `ALTER SYSTEM SET work_mem = '4MB'`,
		`CREATE INDEX CONCURRENTLY i ON item (name)`, `REINDEX TABLE CONCURRENTLY item`, `DROP TABLESPACE nope`,
		`COMMIT PREPARED 'nope'`, `ROLLBACK PREPARED 'nope'`, `CALL catches()`,
	} {
		t.Run(text, func(t *testing.T) {
			w := take(t, opened)
			execAfter(t, w, []string{"BEGIN", "SAVEPOINT hf_1"}, `INSERT INTO item VALUES (1, 'a')`)
			err := fails(w.Exec(t.Context(), nil, text, nil))
			if err != nil { // a view of it, and what catches the refusal, are harmless
				require.NotErrorAs(t, err, new(*backend.EndedError))
				require.ErrorAs(t, err, new(*pgconn.PgError))
				execAfter(t, w, []string{"ROLLBACK TO SAVEPOINT hf_1"}, `SELECT 1`)
			}
			require.NoError(t, w.Rollback(t.Context(), nil))
			require.True(t, w.Idle())
			require.EqualValues(t, 0, one(t, w, `SELECT count(*) FROM item`))
		})
	}
	// At COMMIT, too.
	w := take(t, opened)
	execAfter(t, w, begin, `INSERT INTO late VALUES (1)`)
	require.Equal(t, "2D000", backend.Classify(opened, w.Commit(context.Background(), nil)).Code)
	require.EqualValues(t, 0, one(t, w, `SELECT count(*) FROM late`))
}

// What can be seen is refused before it is sent, however it is written.
func TestB15_ControlStatementsInAnyDress(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		"COMMIT", "commit;", " \n\f\v COMMIT", "/* x */COMMIT", "/* /* nested */ */ COMMIT", "-- x\nCOMMIT", "COMMIT -- x", "COMMIT/**/WORK",
		"COMMIT AND CHAIN", "END", "end transaction", "ABORT", "ROLLBACK", "ROLLBACK WORK AND CHAIN", "ROLLBACK TO hf_1", "ROLLBACK TO SAVEPOINT hf_1",
		"RELEASE hf_1", "RELEASE SAVEPOINT hf_1", "SAVEPOINT x", "BEGIN", "BEGIN WORK", "START TRANSACTION", "START/**/TRANSACTION ISOLATION LEVEL SERIALIZABLE",
		"PREPARE TRANSACTION 'x'", "PREPARE TRANSACTION $$x$$", "PREPARE TRANSACTION E'x'", "PREPARE TRANSACTION U&'x'", "PREPARE/**/TRANSACTION/**/$a$x$a$",
		"COMMIT PREPARED 'x'", "ROLLBACK PREPARED 'x'", "SET TRANSACTION READ ONLY", "SET LOCAL transaction_read_only = on", `SET "transaction_isolation" = 'serializable'`,
		"SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY", "SELECT 1; COMMIT", "; COMMIT", ";;COMMIT;", "SELECT ';'; COMMIT",
		`EXECUTE "COMMIT"`, `EXECUTE "ROLLBACK TO SAVEPOINT hf_1"`, `execute "BEGIN"`, `EXECUTE/**/"SAVEPOINT hf_1"`, "RESET transaction_isolation",
	} {
		v := inspect(text)
		require.True(t, v.Control != "" || v.Session, "%q: %+v", text, v)
	}
	require.Equal(t, lex.Verdict{Session: true}, inspect(`EXECUTE "commit"`), "somebody's own")
}

// TestB23_ASettingThatAFunctionChanged is not in the text: the server tells.
func TestB23_ASettingThatAFunctionChanged(t *testing.T) {
	t.Parallel()
	db := fresh(t, items,
		`CREATE FUNCTION hidden(text, text, boolean) RETURNS text LANGUAGE sql AS $$ SELECT set_config($1, $2, $3) $$`,
		`CREATE FUNCTION fires() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN SET TimeZone = 'Asia/Tokyo'; RETURN NEW; END $$`,
		`CREATE TRIGGER t BEFORE INSERT ON item FOR EACH ROW EXECUTE FUNCTION fires()`)
	opened := open(t, db.DSN)
	for text, kept := range map[string]bool{
		`SELECT hidden('TimeZone', 'Asia/Tokyo', false)`:                               false,
		`SELECT hidden('TimeZone', 'Asia/Tokyo', true)`:                                true,
		`SELECT hidden('TimeZone', 'UTC', false)`:                                      true,
		`SELECT hidden('DateStyle', 'SQL, DMY', false)`:                                false,
		`SELECT hidden('standard_conforming_strings', 'off', false)`:                   false,
		`SELECT hidden('default_transaction_read_only', 'on', false)`:                  false,
		`SELECT hidden('application_name', 'x', false)`:                                false,
		`INSERT INTO item VALUES (1, 'a')`:                                             false,
		`SELECT hidden('IntervalStyle', 'iso_8601', true) FROM item`:                   true,
		`SELECT hidden('IntervalStyle', 'iso_8601', false) FROM generate_series(1, 2)`: false,
	} {
		if strings.Contains(text, "default_transaction_read_only") && !opened.Server.Version.AtLeast(14, 0, 0) {
			continue // which does not report it
		}
		for _, block := range []bool{false, true} {
			w := take(t, opened)
			var err error
			if block {
				execAfter(t, w, begin, text)
				err = w.Commit(t.Context(), nil)
			} else {
				exec(t, w, text)
			}
			require.NoError(t, err)
			require.True(t, w.Idle())
			require.Equal(t, kept, !w.(*wire).SessionChanged(), "%s in a block: %t", text, block)
			opened.Pool.SetMaxIdleConns(-1)
			_, err = db.Admin.ExecContext(t.Context(), `DELETE FROM item`)
			require.NoError(t, err)
		}
	}
}
