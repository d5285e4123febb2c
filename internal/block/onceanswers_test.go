package block_test

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/atomic"
	"github.com/holdfast-go/holdfast/dialect"
	"github.com/holdfast-go/holdfast/internal/backend"
)

// keyed is carries with rows of the table, which have more columns than a script's.
func keyed(row *[]driver.Value, server dialect.Server) setup {
	return setup{server: server, engine: func(e *engine) backend.Engine { return keyedEngine{carrying{e}, row} }}
}

type keyedEngine struct {
	carrying
	row *[]driver.Value // what READ finds; nil: nothing
}

func (e keyedEngine) Wire(driverConn any) backend.Wire {
	return keyedWire{e.carrying.Wire(driverConn).(carrier), e.row}
}

// Classify is of the server, whose codes mean something here.
func (e keyedEngine) Classify(err error) *dialect.Error {
	named := e.engine.Classify(err)
	if named != nil {
		named.Engine = e.script.setup.server.Engine
		if named.Code == "no such table: holdfast_once" {
			named.Message, named.Code = named.Code, ""
		}
	}
	return named
}

type keyedWire struct {
	carrier
	row *[]driver.Value
}

func (w keyedWire) Query(ctx context.Context, prefix []string, query string, args []any) (driver.Rows, error) {
	rows, err := w.carrier.Query(ctx, prefix, query, args)
	if err != nil || query != "READ" || *w.row == nil {
		return rows, err
	}
	return &keyRow{Rows: rows, row: *w.row, columns: len(*w.row)}, nil
}

// keyRow is one row; its texts are the driver's own, until the next.
type keyRow struct {
	driver.Rows
	row  []driver.Value
	lent [][]byte

	columns int
}

func (r *keyRow) Next(dest []driver.Value) error {
	if r.row == nil {
		return r.Rows.Next(dest[:1])
	}
	for i, v := range r.row {
		if b, ok := v.([]byte); ok {
			v = append([]byte{}, b...)
			r.lent = append(r.lent, v.([]byte))
		}
		dest[i] = v
	}
	r.row = nil
	return nil
}

func (r *keyRow) Columns() []string { return make([]string, r.columns) }

func (r *keyRow) Close() error {
	for _, b := range r.lent {
		clear(b)
	}
	return r.Rows.Close()
}

var errDeclined = errors.New("declined")

// What the row of a key says is what Once answers; nothing is left of its own block.
func TestO04_WhatTheRowOfAKeySays(t *testing.T) {
	for name, c := range map[string]struct {
		row  []driver.Value // expired, fingerprint, failed, result
		want string
		err  error
		text string
	}{
		"a result":        {row: []driver.Value{int64(0), []byte{}, int64(0), []byte(`"kept"`)}, want: "kept"},
		"another request": {row: []driver.Value{int64(0), []byte("other"), int64(0), []byte(`"kept"`)}, err: atomic.ErrOnceMismatch},
		"no result":       {row: []driver.Value{int64(0), []byte{}, int64(0), nil}, err: atomic.ErrTransactionEnded, text: "without a result"},
		"an error":        {row: []driver.Value{int64(0), []byte{}, int64(1), []byte(`{"kind":"declined","text":"card declined"}`)}, err: errDeclined, text: "card declined"},
		"an error that is kept no more": {row: []driver.Value{int64(0), []byte{}, int64(1), []byte(`{"kind":"other","text":"card declined"}`)},
			text: "card declined"},
		"something else": {row: []driver.Value{int64(0), []byte{}, int64(1), []byte(`{`)}, text: "unexpected end of JSON input"},
	} {
		t.Run(name, func(t *testing.T) {
			play(t, func(t *testing.T, s *script) {
				got, err := atomic.Once(t.Context(), s.db, "k", func(context.Context) (string, error) { panic("it runs") }, atomic.KeepError(errAsked, errDeclined))
				require.Equal(t, c.want, got)
				require.Equal(t, c.want == "", err != nil)
				if c.err != nil {
					require.ErrorIs(t, err, c.err)
				}
				if c.text != "" {
					require.ErrorContains(t, err, c.text)
				}
				require.NotErrorIs(t, err, errAsked)
				s.sent("BEGIN; SET WAIT 0s; CLAIM", "READ", "ROLLBACK; RESET WAIT")
			}, keyed(&c.row, mysql))
		})
	}
}

// An expired row, and one that is gone when it is looked at, is taken over; if somebody
// else was faster there, all begins anew.
func TestO06_AnExpiredKeyRunsAgain(t *testing.T) {
	for _, row := range [][]driver.Value{nil, {int64(1), []byte{}, int64(0), []byte(`"old"`)}} {
		play(t, func(t *testing.T, s *script) {
			s.on("AGAIN", reply{affected: 0}, reply{affected: 1})
			got, err := s.once(t.Context(), atomic.KeepFor(time.Minute))
			require.NoError(t, err)
			require.Equal(t, "done", got)
			s.sent("BEGIN; SET WAIT 0s; CLAIM", "READ", "AGAIN", "CLAIM", "READ", "AGAIN", "RESET WAIT; UPDATE a", "FINISH; COMMIT")
			s.on("READ", refuses(unnamed))
			_, err = s.once(t.Context())
			require.ErrorIs(t, err, unnamed)
		}, keyed(&row, mysql))
	}
}

// An error that is to be kept undoes what fn did, and is committed in its place.
func TestO05_AnErrorIsKept(t *testing.T) {
	play(t, func(t *testing.T, s *script) {
		run := func(returns error, opts ...atomic.Option) error {
			s.free(1)
			_, err := atomic.Once(t.Context(), s.db, "k", func(ctx context.Context) (int, error) {
				return 1, errors.Join(s.exec(ctx, "UPDATE a"), returns)
			}, append(opts, atomic.KeepError(errAsked, errDeclined))...)
			return err
		}
		require.ErrorIs(t, run(fmt.Errorf("card: %w", errDeclined)), errDeclined)
		s.sent("BEGIN; SET WAIT 0s; CLAIM", "SAVEPOINT hf_1; RESET WAIT; UPDATE a", "ROLLBACK TO SAVEPOINT hf_1; FAIL; COMMIT")
		require.NoError(t, run(nil))
		s.sent("BEGIN; SET WAIT 0s; CLAIM", "SAVEPOINT hf_1; RESET WAIT; UPDATE a", "FINISH; COMMIT")
		require.ErrorIs(t, run(errCaller), errCaller, "it is none of those")
		s.sent("BEGIN; SET WAIT 0s; CLAIM", "SAVEPOINT hf_1; RESET WAIT; UPDATE a", "ROLLBACK")
		s.on("COMMIT", refuses(unique))
		err := run(errDeclined)
		require.ErrorIs(t, err, dialect.ErrUniqueViolation, "it is not kept")
		s.forget()

		s.free(1)
		n, err := atomic.Once(t.Context(), s.db, "k", func(ctx context.Context) (int, error) {
			return 1, errors.Join(s.exec(ctx, "UPDATE a"), atomic.Rollback)
		}, atomic.KeepError(errDeclined))
		require.ErrorIs(t, err, nil)
		require.Zero(t, n)
		s.sent("2: BEGIN; SET WAIT 0s; CLAIM", "2: SAVEPOINT hf_1; RESET WAIT; UPDATE a", "2: ROLLBACK")

		s.free(1)
		s.on("UPDATE a", refuses(deadlock))
		_, err = atomic.Once(t.Context(), s.db, "k", func(ctx context.Context) (int, error) {
			return 1, errors.Join(s.exec(ctx, "UPDATE a"), errDeclined)
		}, atomic.KeepError(errDeclined))
		require.ErrorIs(t, err, dialect.ErrDeadlock, "there is no transaction left to keep it in")
		s.sent("2: BEGIN; SET WAIT 0s; CLAIM", "2: SAVEPOINT hf_1; RESET WAIT; UPDATE a", "2: ROLLBACK")
	}, carries())
}

// Where the table is missing, or not what it has to be, the error says what to do.
func TestO01_TheTableIsMissing(t *testing.T) {
	for _, c := range []struct {
		server dialect.Server
		code   string
		want   string
	}{
		{postgres, "42P01", "there is no table holdfast_once"},
		{mysql, "1146", "there is no table holdfast_once"},
		{sqlite, "no such table: holdfast_once", "there is no table holdfast_once"},
		{postgres, "42501", "the user may not use the table holdfast_once"},
		{mysql, "1142", "the user may not use the table holdfast_once"},
		{mysql, "1143", "the user may not use the table holdfast_once"},
		{postgres, "42703", "there are columns missing in the table holdfast_once"},
		{mysql, "1054", "there are columns missing in the table holdfast_once"},
		{mysql, "1062", ""},
		{mysql, "no such table: holdfast_once", ""},
		{sqlite, "19", ""},
	} {
		play(t, func(t *testing.T, s *script) {
			fault := &serverError{code: c.code}
			meets := func(err error) {
				require.ErrorIs(t, err, fault)
				if c.want == "" {
					require.NotContains(t, err.Error(), "OnceTable")
				} else {
					require.ErrorContains(t, err, c.want)
					require.ErrorContains(t, err, "create it with the text OnceTable")
				}
			}
			s.on("CLAIM", refuses(fault))
			_, err := s.once(t.Context())
			meets(err)
			s.on("READ", refuses(fault))
			_, err = s.once(t.Context())
			meets(err)
			s.on("PURGE", refuses(fault))
			_, err = atomic.PurgeOnce(t.Context(), s.db)
			meets(err)
		}, keyed(new([]driver.Value), c.server))
	}
}

// Expired rows are deleted in small blocks, which are run again after a deadlock.
func TestO06_PurgeOnce(t *testing.T) {
	play(t, func(t *testing.T, s *script) {
		s.on("PURGE", reply{affected: 500}, refuses(deadlock), reply{affected: 499})
		n, err := atomic.PurgeOnce(t.Context(), s.db)
		require.NoError(t, err)
		require.EqualValues(t, 999, n)
		iso := "SET ISOLATION " + sql.LevelReadCommitted.String() + "; BEGIN; PURGE"
		s.sent(iso, "COMMIT", iso, "ROLLBACK", iso, "COMMIT")

		s.on("PURGE", reply{affected: 500}, refuses(unnamed))
		n, err = atomic.PurgeOnce(t.Context(), s.db)
		require.ErrorIs(t, err, unnamed)
		require.EqualValues(t, 500, n, "these are gone")
		s.forget()
		require.NoError(t, s.do(t.Context(), func(ctx context.Context) error {
			_, err := atomic.PurgeOnce(ctx, s.db)
			require.ErrorIs(t, err, atomic.ErrDurable)
			return nil
		}))
		s.sent()
	})
}

// Once inside a block is part of it: of its transaction, its savepoints, its end.
func TestO05_OnceInsideABlock(t *testing.T) {
	play(t, func(t *testing.T, s *script) {
		s.free(2)
		require.NoError(t, s.do(t.Context(), func(ctx context.Context) error {
			_, err := s.once(ctx, atomic.ClaimLate())
			require.NoError(t, err)
			_, err = s.once(ctx, atomic.Propagation(atomic.Independent))
			require.ErrorIs(t, err, atomic.ErrInProgress, "another transaction has it")
			return s.do(ctx, func(ctx context.Context) error { _, err := s.once(ctx); return err })
		}))
		s.sent("BEGIN; SAVEPOINT hf_1; SET WAIT 0s; CLAIM", "RESET WAIT; UPDATE a", "FINISH",
			"RELEASE SAVEPOINT hf_1; SAVEPOINT hf_1; SAVEPOINT hf_2; SET WAIT 0s; CLAIM", "RESET WAIT; UPDATE a", "FINISH", "COMMIT")
		_, err := s.once(t.Context(), atomic.Propagation(atomic.Mandatory))
		require.ErrorIs(t, err, atomic.ErrNotInBlock)
		require.ErrorIs(t, s.do(t.Context(), never(t), atomic.Wait(1)), atomic.ErrOption)
	}, carries())
}

// Who waits for a key hears its own ctx end, and its own limit.
func TestO03_TheWaitForAKeyEnds(t *testing.T) {
	play(t, func(t *testing.T, s *script) {
		s.free(1)
		_, err := atomic.Once(t.Context(), s.db, "k", func(context.Context) (int, error) {
			ctx, cancel := context.WithTimeoutCause(t.Context(), time.Second, errCaller)
			defer cancel()
			began := time.Now()
			_, err := s.once(ctx, atomic.Wait(time.Hour))
			require.ErrorIs(t, err, errCaller)
			require.Equal(t, time.Second, time.Since(began))
			_, err = s.once(t.Context(), atomic.Wait(time.Minute))
			require.ErrorIs(t, err, atomic.ErrInProgress)
			require.Equal(t, time.Second+time.Minute, time.Since(began))
			return 1, nil
		})
		require.NoError(t, err)
	}, carries())
}
