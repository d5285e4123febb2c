package postgres

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"testing"

	"github.com/jackc/pgx/v5/stdlib"
	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/dialect"
	"github.com/holdfast-go/holdfast/internal/backend"
)

// foreign is a driver of which no more is known than database/sql requires.
type foreign struct{ dsn string }

type foreignConn struct{ driver.Conn }

func (f foreign) Driver() driver.Driver { return stdlib.GetDefaultDriver() }

func (f foreign) Connect(context.Context) (driver.Conn, error) {
	c, err := f.Driver().Open(f.dsn)
	return foreignConn{c}, err
}

func TestFromAnyDriver(t *testing.T) {
	t.Parallel()
	db := fresh(t, items)
	pool := sql.OpenDB(foreign{db.DSN})
	defer func() { require.NoError(t, pool.Close()) }()
	opened, err := backend.Connect(t.Context(), From(pool))
	require.NoError(t, err)
	require.Equal(t, "PostgreSQL", opened.Server.Product)
	w := take(t, opened)
	require.IsType(t, &foreignWire{}, w)
	ctx := t.Context()

	execAfter(t, w, []string{"BEGIN", "SAVEPOINT hf_1"}, `INSERT INTO item VALUES ($1, $2)`, 1, "a")
	require.False(t, w.Idle())
	require.NoError(t, w.Commit(ctx, []string{"RELEASE SAVEPOINT hf_1"}))
	require.True(t, w.Idle())
	require.Equal(t, "a", one(t, w, `SELECT name FROM item WHERE id = $1`, 1))

	execAfter(t, w, begin, `DELETE FROM item`)
	err = fails(w.Exec(ctx, []string{"SAVEPOINT hf_1"}, `INSERT INTO nowhere VALUES (1)`, nil))
	require.Equal(t, "42P01", backend.Classify(opened, err).Code)
	execAfter(t, w, []string{"ROLLBACK TO SAVEPOINT hf_1"}, `SELECT 1`)
	require.Error(t, fails(w.Exec(ctx, nil, `SELECT 1/0`, nil)))
	require.ErrorIs(t, w.Commit(ctx, nil), backend.ErrCommitRefused)
	require.NoError(t, w.Rollback(ctx, nil))
	require.True(t, w.Idle())
	require.EqualValues(t, 1, one(t, w, `SELECT count(*) FROM item`))

	err = fails(w.Exec(ctx, begin, `SELECT $1`, []any{make(chan int)}))
	var unsent *backend.NotSentError
	require.ErrorAs(t, err, &unsent)
	err = fails(w.Exec(ctx, nil, `SELECT $1::int`, nil))
	require.ErrorContains(t, err, "expected 1 arguments, got 0")

	r := opened.Engine.Resolver()
	execAfter(t, w, begin, `DELETE FROM item`)
	token, _, err := r.Prepare(ctx, w, nil)
	require.NoError(t, err)
	require.NoError(t, w.Commit(ctx, nil))
	committed, err := r.Outcome(ctx, w, token)
	require.NoError(t, err)
	require.True(t, committed)

	require.Panics(t, func() { opened.Engine.Wire("no connection") })
}

// passing hands each value on to pgx, which asks it while it encodes.
type passing struct{ foreign }

type passingConn struct{ *stdlib.Conn }

func (p passing) Connect(ctx context.Context) (driver.Conn, error) {
	c, err := p.foreign.Connect(ctx)
	if err != nil {
		return nil, err
	}
	return passingConn{c.(foreignConn).Conn.(*stdlib.Conn)}, nil
}

// card is a value that cannot be bound, and says so with what it holds.
type card string

func (c card) Value() (driver.Value, error) {
	return nil, fmt.Errorf("bad card %s: %w", string(c), errCard)
}

var errCard = errors.New("a card")

func TestS05_NoValueInTheErrorsOfOtherDrivers(t *testing.T) {
	t.Parallel()
	db := fresh(t, items)
	for _, driver := range []driver.Connector{foreign{db.DSN}, passing{foreign{db.DSN}}} {
		pool := sql.OpenDB(driver)
		defer func() { require.NoError(t, pool.Close()) }()
		opened, err := backend.Connect(t.Context(), From(pool))
		require.NoError(t, err)
		w := take(t, opened)
		require.IsType(t, &foreignWire{}, w)
		for _, text := range []string{`INSERT INTO item VALUES (1, $1)`, `INSERT INTO item VALUES ($1, 'a')`} {
			err := backend.Classify(opened, fails(w.Exec(t.Context(), nil, text, []any{card("4111")})))
			require.NotContains(t, err.Error(), "4111", "%T", driver)
			require.ErrorIs(t, err, errCard, "%T", driver)
		}
	}
}

// pqError and pgdriverError hand out the fields of an answer as those drivers do.
type (
	pqError       map[byte]string
	pgdriverError map[byte]string
)

func (e pqError) Error() string             { return "pq: " + e['M'] }
func (e pqError) Get(k byte) string         { return e[k] }
func (e pgdriverError) Error() string       { return e['M'] }
func (e pgdriverError) Field(k byte) string { return e[k] }

func TestS05_ErrorsOfOtherDrivers(t *testing.T) {
	t.Parallel()
	e := &engine{}
	fields := map[byte]string{'S': "ERROR", 'C': "23505", 'M': "duplicate key", 'n': "item_pkey"}
	for _, err := range []error{pqError(fields), pgdriverError(fields)} {
		c := e.Classify(err)
		require.ErrorIs(t, c, dialect.ErrUniqueViolation)
		require.Equal(t, "postgres: unique violation: duplicate key (23505)", c.Error())
		require.Equal(t, "item_pkey", c.Constraint)
	}
	c := e.Classify(pqError{'S': "FATAL", 'C': "57P01", 'M': "terminating connection"})
	require.ErrorIs(t, c, dialect.ErrConnectionLost)
	require.True(t, c.Fatal)
}
