package postgres

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/dialect"
	"github.com/holdfast-go/holdfast/internal/backend"
)

// TestS05_ErrorsOfTheServerHaveKindsAndNoValues provokes each error on a server.
func TestS05_ErrorsOfTheServerHaveKindsAndNoValues(t *testing.T) {
	t.Parallel()
	db := fresh(t,
		`CREATE TABLE parent (id int PRIMARY KEY, name varchar(10) CONSTRAINT short_name UNIQUE)`,
		`CREATE TABLE child (parent_id int NOT NULL CONSTRAINT has_parent REFERENCES parent ON DELETE RESTRICT, secret int CONSTRAINT small CHECK (secret < 10))`,
		`CREATE TABLE span (during int4range, CONSTRAINT apart EXCLUDE USING gist (during WITH &&))`,
		`INSERT INTO parent VALUES (1, '12345678'), (2, 'two')`, `INSERT INTO child VALUES (1, 1)`, `INSERT INTO span VALUES ('[1,12345678)')`,
		`CREATE TYPE mood AS ENUM ('ok')`,
		`CREATE TABLE counted (id int GENERATED ALWAYS AS IDENTITY, name text)`,
		`CREATE VIEW near AS SELECT parent_id, secret FROM child WHERE secret < 5 WITH CHECK OPTION`,
		`CREATE FUNCTION nothing(what text) RETURNS int LANGUAGE plpgsql AS $$ BEGIN END $$`,
		`CREATE FUNCTION complain(what text) RETURNS int LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'no %', what; END $$`,
	)
	opened := open(t, db.DSN)
	value := "12345678"
	for _, c := range []struct {
		query string
		args  []any
		kind  error
		code  string
		says  string
	}{
		{`INSERT INTO parent VALUES (3, $1)`, []any{value}, dialect.ErrUniqueViolation, "23505", "short_name"},
		{`INSERT INTO span VALUES ('[3,12345678)')`, nil, dialect.ErrUniqueViolation, "23P01", "apart"},
		{`INSERT INTO child VALUES ($1, 1)`, []any{12345678}, dialect.ErrForeignKeyViolation, "23503", "has_parent"},
		{`DELETE FROM parent WHERE id = 1`, nil, dialect.ErrForeignKeyViolation, "", "has_parent"}, // 23001 from 18 on
		{`INSERT INTO child VALUES (2, $1)`, []any{12345678}, dialect.ErrCheckViolation, "23514", "small"},
		{`INSERT INTO child VALUES (NULL, 12345678)`, nil, dialect.ErrNotNullViolation, "23502", "parent_id"},
		{`SELECT $1::text::int`, []any{"x" + value}, nil, "22P02", "invalid input syntax for type integer"},
		{`SELECT $1::text::mood`, []any{value}, nil, "22P02", "invalid input value for enum mood"},
		{`SELECT $1::text::uuid`, []any{value}, nil, "22P02", "uuid"},
		{`SELECT $1::text::json`, []any{"{" + value}, nil, "22P02", "json"},
		{`SELECT $1::text::int2`, []any{value}, nil, "22003", "numeric value out of range"},
		{`SELECT $1::text::date`, []any{value + "x"}, nil, "22007", "invalid input syntax for type date"},
		{`SELECT $1::text::date`, []any{"12345678-99-99"}, nil, "22008", ""},
		{`SELECT $1::text`, []any{value + "\x00"}, nil, "22021", "character not in repertoire"},
		{`INSERT INTO parent VALUES (4, $1)`, []any{value + value}, nil, "22001", "character varying(10)"},
		{`SELECT 12345678 / $1::int`, []any{0}, nil, "22012", "division by zero"},
		{`SELECT complain($1)`, []any{value}, nil, "P0001", "raised by a function"},
		{`SELECT 1 LIMIT $1`, []any{-12345678}, nil, "2201W", ""},
		{`SELECT $1::int[]`, []any{"{" + value + ",x}"}, nil, "22P02", ""},
		{`SELECT to_tsquery('simple', $1)`, []any{"a & & " + value}, nil, "42601", "syntax error; the text is in the driver's error"},
		{`SELECT $1::text::regclass`, []any{"t" + value}, nil, "42P01", "undefined table"},
		{`SELECT $1::text::regproc`, []any{"p" + value}, nil, "42883", "undefined function"},
		{`SELECT $1::text::regtype`, []any{"t" + value}, nil, "42704", "undefined object"},
		{`SELECT $1::text::regclass`, []any{"a.b.c.d" + value}, nil, "", ""},
		{`SELECT nextval($1)`, []any{"s" + value}, nil, "42P01", "undefined table"},
		{`SELECT currval($1)`, []any{"s" + value}, nil, "42P01", "undefined table"},
		{`SELECT to_regclass($1)::oid / 0`, []any{"a.b.c." + value}, nil, "", ""},
		{`SELECT set_config('search_path', 'public', false), set_config($1, '1', false)`, []any{"p" + value}, nil, "", ""},
		{`SELECT has_table_privilege($1, 'SELECT')`, []any{"t" + value}, nil, "42P01", ""},
		{`SELECT has_schema_privilege($1, 'USAGE')`, []any{"s" + value}, nil, "3F000", "invalid schema name"},
		{`SELECT pg_read_file($1)`, []any{"f" + value}, nil, "58P01", "undefined file"},
		{`SELECT format($1, 1)`, []any{"%" + "q" + value}, nil, "", ""},
		{`SELECT to_char(now(), 'x')::int + lo_import($1)`, []any{"f" + value}, nil, "", ""},
		{`SELECT nosuch($1)`, []any{value}, nil, "42883", "function nosuch(unknown) does not exist"},
		{`SELECT nosuch FROM parent WHERE name = $1`, []any{value}, nil, "42703", `column "nosuch" does not exist`},
		{`INSERT INTO parent VALUES (5, $1) ON CONFLICT (id, name) DO NOTHING`, []any{value}, nil, "42P10", "there is no unique or exclusion constraint matching the ON CONFLICT specification"},
		{`INSERT INTO counted VALUES (12345678, $1)`, []any{value}, nil, "428C9", ` into column "id"`}, // before 14 without "a non-DEFAULT value"
		{`INSERT INTO near VALUES (1, 12345678 - $1)`, []any{12345670}, nil, "44000", `new row violates check option for view "near"`},
		{`SELECT nothing($1)`, []any{value}, nil, "2F005", "control reached end of function without RETURN"},
		{`SELECT nextval($1)`, []any{"parent"}, nil, "42809", "wrong object type"},
		{`SELECT * FROM nowhere`, nil, nil, "42P01", `relation "nowhere" does not exist`},
	} {
		w := take(t, opened)
		rows, err := w.Query(t.Context(), nil, c.query, c.args)
		if err == nil {
			_, err = readAll(rows)
		}
		require.Error(t, err, c.query)
		e := backend.Classify(opened, err)
		require.Equal(t, c.kind, e.Kind, c.query)
		if c.code != "" {
			require.Equal(t, c.code, e.Code, c.query)
		}
		require.Contains(t, e.Error(), c.says, c.query)
		require.NotContains(t, e.Error(), value, c.query)
		require.False(t, e.Fatal || e.NotSent, c.query)
		var own *pgconn.PgError
		require.ErrorAs(t, e, &own, "the driver's own error is within reach")
	}
}

// What is violated is named at COMMIT too, and not what a function has raised under a name.
func TestS05_NamesOfConstraints(t *testing.T) {
	t.Parallel()
	db := fresh(t,
		`CREATE DOMAIN small AS int CONSTRAINT smaller CHECK (value < 10)`,
		`CREATE TABLE item (id int CONSTRAINT late UNIQUE DEFERRABLE INITIALLY DEFERRED, n small, during int4range, CONSTRAINT apart EXCLUDE USING gist (during WITH &&))`,
		`INSERT INTO item VALUES (1, 1, '[1,5)')`,
		`CREATE FUNCTION complain(what text) RETURNS int LANGUAGE plpgsql AS $$ BEGIN RAISE unique_violation USING CONSTRAINT = what, COLUMN = what; END $$`,
	)
	opened := open(t, db.DSN)
	for query, want := range map[string]string{
		`INSERT INTO item VALUES (2, 12345678)`:                  "smaller",
		`INSERT INTO item VALUES (2, 1, '[3,12345678)')`:         "apart",
		`INSERT INTO item VALUES (1)`:                            "late",
		`SELECT complain('12345678') FROM generate_series(1, 2)`: "",
	} {
		w := take(t, opened)
		_, err := w.Exec(t.Context(), begin, query, nil)
		if err == nil {
			err = w.Commit(t.Context(), nil)
		}
		require.Error(t, err, query)
		e := backend.Classify(opened, err)
		require.Equal(t, want, e.Constraint, query)
		require.Empty(t, e.Columns, query)
		require.NotNil(t, e.Kind, query)
	}
}

func TestS05_KindsOfTransactions(t *testing.T) {
	t.Parallel()
	db := fresh(t, `CREATE TABLE item (id int PRIMARY KEY, n int)`, `INSERT INTO item VALUES (1, 0), (2, 0)`)
	opened := open(t, db.DSN)
	update := `UPDATE item SET n = n + 1 WHERE id = $1`
	ctx := t.Context()
	kind := func(err error) *dialect.Error {
		t.Helper()
		require.Error(t, err)
		return backend.Classify(opened, err)
	}

	t.Run("lock not available", func(t *testing.T) {
		one, two := take(t, opened), take(t, opened)
		execAfter(t, one, begin, update, 1)
		e := kind(fails(two.Exec(ctx, begin, `SELECT FROM item FOR UPDATE NOWAIT`, nil)))
		require.ErrorIs(t, e, dialect.ErrLockNotAvailable)
		require.False(t, e.Fatal)
		require.NoError(t, two.Rollback(ctx, nil))
		e = kind(fails(two.Exec(ctx, []string{"BEGIN", "SET LOCAL lock_timeout = 10"}, update, []any{1})))
		require.ErrorIs(t, e, dialect.ErrLockNotAvailable)
		require.NoError(t, two.Rollback(ctx, nil))
		require.NoError(t, one.Rollback(ctx, nil))
	})
	t.Run("deadlock", func(t *testing.T) {
		one, two := take(t, opened), take(t, opened)
		execAfter(t, one, begin, update, 1)
		execAfter(t, two, begin, update, 2)
		other := make(chan error, 1)
		go func() { other <- fails(one.Exec(ctx, nil, update, []any{2})) }()
		eventually(t, db, waiting, one.ID())
		err := errors.Join(fails(two.Exec(ctx, nil, update, []any{1})), <-other)
		e := kind(err)
		require.ErrorIs(t, e, dialect.ErrDeadlock)
		require.True(t, e.Fatal)
		require.NoError(t, one.Rollback(ctx, nil))
		require.NoError(t, two.Rollback(ctx, nil))
	})
	t.Run("serialization failure", func(t *testing.T) {
		one, two := take(t, opened), take(t, opened)
		execAfter(t, one, []string{"BEGIN ISOLATION LEVEL REPEATABLE READ"}, `SELECT FROM item`)
		exec(t, two, update, 1)
		e := kind(fails(one.Exec(ctx, []string{"SAVEPOINT hf_1"}, update, []any{1})))
		require.ErrorIs(t, e, dialect.ErrSerializationFailure)
		require.True(t, e.Fatal)
		require.NoError(t, one.Rollback(ctx, nil))
	})
	t.Run("read only", func(t *testing.T) {
		w := take(t, opened)
		e := kind(fails(w.Exec(ctx, []string{"BEGIN READ ONLY"}, update, []any{1})))
		require.ErrorIs(t, e, dialect.ErrReadOnly)
		e = kind(fails(w.Exec(ctx, nil, `SELECT 1`, nil)))
		require.Equal(t, failedTransaction, e.Code)
		require.False(t, e.Fatal, "ROLLBACK TO would still help")
		require.NoError(t, w.Rollback(ctx, nil))
	})
	t.Run("cancelled by the server", func(t *testing.T) {
		w := take(t, opened)
		e := kind(fails(w.Exec(ctx, []string{"BEGIN", "SET LOCAL statement_timeout = 10"}, `SELECT pg_sleep(5)`, nil)))
		require.ErrorIs(t, e, dialect.ErrQueryCanceled)
		require.False(t, e.Fatal)
		require.NoError(t, w.Rollback(ctx, nil))
	})
	t.Run("savepoint gone", func(t *testing.T) {
		w := take(t, opened)
		e := kind(fails(w.Exec(ctx, []string{"BEGIN", "ROLLBACK TO SAVEPOINT hf_1"}, `SELECT 1`, nil)))
		require.True(t, e.Fatal)
		require.Contains(t, e.Error(), "ROLLBACK TO SAVEPOINT hf_1 was refused: savepoint \"hf_1\" does not exist (3B001)")
		require.NoError(t, w.Rollback(ctx, nil))
	})
	t.Run("no connection", func(t *testing.T) {
		_, err := fresh(t).Admin.Exec(`ALTER DATABASE ` + db.Name + ` ALLOW_CONNECTIONS false`)
		require.NoError(t, err)
		opened.Pool.SetMaxIdleConns(-1)
		e := kind(opened.Pool.PingContext(ctx))
		require.Equal(t, "55000", e.Code)
		require.ErrorIs(t, e, dialect.ErrConnectionLost)
		require.True(t, e.NotSent)
		var connect *pgconn.ConnectError
		require.NotErrorAs(t, e, &connect, "it carries the password")
	})
}

// It takes old_snapshot_threshold, in minutes, which no server has since PostgreSQL 17.
func TestB08_ASnapshotThatIsTooOld(t *testing.T) {
	t.Parallel()
	e := new(engine).Classify(&pgconn.PgError{Severity: "ERROR", Code: "72000", Message: "snapshot too old"})
	require.ErrorIs(t, e, dialect.ErrSerializationFailure)
	require.True(t, e.Fatal, "no statement of the transaction that reads so much can succeed")
}

func TestClassifyWhatIsNoAnswerOfTheServer(t *testing.T) {
	t.Parallel()
	e := &engine{}
	require.Nil(t, e.Classify(nil))

	plain := e.Classify(errors.New("something"))
	require.Nil(t, plain.Kind)
	require.False(t, plain.Fatal || plain.NotSent)
	require.Equal(t, "postgres: something", plain.Error())
	d := &backend.Database{Engine: e}
	require.Same(t, plain, backend.Classify(d, fmt.Errorf("wrapped: %w", plain)))

	for _, err := range []error{context.Canceled, context.DeadlineExceeded} {
		c := e.Classify(err)
		require.Nil(t, c.Kind, "of itself it says nothing of the connection")
		require.False(t, c.Fatal)
		c = backend.Classify(d, &backend.NotSentError{Err: err})
		require.Nil(t, c.Kind)
		require.True(t, c.NotSent)
		require.ErrorIs(t, c, err)
		c = e.Classify(&lostError{err})
		require.ErrorIs(t, c, dialect.ErrConnectionLost)
		require.True(t, c.Fatal)
	}
	c := backend.Classify(d, &backend.NotSentError{Closed: true, Err: pgconn.ErrConnClosed})
	require.True(t, c.NotSent && c.Fatal)
	require.ErrorIs(t, c, dialect.ErrConnectionLost)
	require.ErrorIs(t, e.Classify(driver.ErrBadConn), dialect.ErrConnectionLost)

	for code, want := range map[string]dialect.Error{
		"08006": {Fatal: true},
		"08P01": {},
		"40003": {Fatal: true, Kind: dialect.ErrConnectionLost},
	} {
		got := e.Classify(&pgconn.PgError{Severity: "ERROR", Code: code})
		require.Equal(t, want.Fatal, got.Fatal, code)
		require.Equal(t, want.Kind, got.Kind, code)
	}
	got := e.Classify(&pgconn.PgError{Severity: "致命错误", SeverityUnlocalized: "FATAL", Code: "XX000"})
	require.ErrorIs(t, got, dialect.ErrConnectionLost)
	require.True(t, got.Fatal)
}
