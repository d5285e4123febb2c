package tests

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/atomic"
	"github.com/holdfast-go/holdfast/dialect"
	"github.com/holdfast-go/holdfast/internal/block"
	"github.com/holdfast-go/holdfast/orm"
	"github.com/holdfast-go/holdfast/query"
	"github.com/holdfast-go/holdfast/tests/testdb"
)

// waits returns what LockWaits says once it is not empty. MariaDB does not look
// again while it is asked all the time.
func (s *studio) waits(n int) []dialect.LockWait {
	s.t.Helper()
	return s.listed(fmt.Sprintf("%d waits", n), func(waits []dialect.LockWait) bool { return len(waits) == n })
}

// listed returns what LockWaits says once it is what a test waits for.
func (s *studio) listed(what string, holds func(waits []dialect.LockWait) bool) []dialect.LockWait {
	s.t.Helper()
	for limit := time.Now().Add(patience); ; <-time.After(150 * time.Millisecond) {
		waits, err := orm.LockWaits(s.t.Context(), s.DB)
		require.NoError(s.t, err)
		if holds(waits) {
			return waits
		}
		require.True(s.t, time.Now().Before(limit), "%s, and these are seen: %+v", what, waits)
	}
}

// ids are the server's numbers of connections, by who tells it.
func connectionID(ctx context.Context, s *studio) (id int64, err error) {
	q := "SELECT CONNECTION_ID()"
	if s.Engine == testdb.Postgres {
		q = "SELECT pg_backend_pid()"
	}
	err = s.SQL().QueryRowContext(ctx, q).Scan(&id)
	return id, err
}

func TestLockWaits_WhoWaitsForWhom(t *testing.T) {
	eachStudio(t, func(t *testing.T, s *studio) {
		waits, err := orm.LockWaits(t.Context(), s.DB)
		require.NoError(t, err)
		require.Empty(t, waits)

		s.whoWaitsForWhom()
	}, testdb.Servers()...)
}

// A MariaDB that keeps the last statement of a connection.
func TestLockWaits_WhatAnIdleHolderDidOnMariaDB(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, _ testdb.Database) {
		server := testdb.NewServer(t, testdb.MariaDB, testdb.Flags("--performance-schema=ON", "--performance-schema-consumer-events-statements-current=ON"))
		s := openStudio(t, server.New(t))
		require.True(t, s.remembers())
		s.whoWaitsForWhom()
	}, testdb.MariaDB)
}

func (s *studio) whoWaitsForWhom() {
	t := s.t
	var holder, waiter int64
	end := s.holding(func(ctx context.Context) (err error) {
		if holder, err = connectionID(ctx, s); err != nil {
			return err
		}
		_, err = s.row(1).Update(ctx, query.Set("text", secretText))
		return err
	}, atomic.Name("the holder"))
	done := make(chan error, 1)
	go func() {
		done <- atomic.Do(t.Context(), s, func(ctx context.Context) (err error) {
			if waiter, err = connectionID(ctx, s); err != nil {
				return err
			}
			_, err = s.row(1).Filter(query.F("text").Ne(secretText)).SelectForUpdate().All(ctx)
			return err
		}, atomic.Name("the waiter"))
	}()
	w := s.waits(1)[0]
	for w.Waiting.Age == 0 || w.Holding.Age == 0 { // less than a millisecond
		w = s.waits(1)[0]
	}
	require.NoError(t, end())
	require.NoError(t, soon(t, "the waiting block", done))

	assert.Equal(t, holder, w.Holding.ConnectionID)
	assert.Equal(t, waiter, w.Waiting.ConnectionID)
	assert.Equal(t, "audio", w.Table)
	assert.Positive(t, w.Waiting.Age)
	assert.Less(t, w.Waiting.Age, time.Hour)
	assert.Positive(t, w.Holding.Age)
	assert.Less(t, w.Holding.Age, time.Hour)
	s.showsBothSides(w, "FOR UPDATE")
	s.waits(0)
}

// showsBothSides requires the names and the statements of both blocks, without
// their values.
func (s *studio) showsBothSides(w dialect.LockWait, waiting string) {
	s.t.Helper()
	assert.Equal(s.t, "the waiter", w.Waiting.Block)
	assert.Contains(s.t, w.Waiting.Statement, waiting)
	assert.NotContains(s.t, w.Waiting.Statement, secretText)
	if s.remembers() {
		assert.Equal(s.t, "the holder", w.Holding.Block)
		assert.Contains(s.t, w.Holding.Statement, "UPDATE")
		assert.NotContains(s.t, w.Holding.Statement, secretText)
	}
}

const secretText = "a private matter"

// remembers reports whether the server knows what a connection ran last that is
// idle now: MariaDB does only if it is told to.
func (s *studio) remembers() bool {
	if s.Engine != testdb.MariaDB {
		return true
	}
	var on bool
	require.NoError(s.t, s.Admin.QueryRowContext(context.Background(), `SELECT @@performance_schema AND EXISTS
		(SELECT 1 FROM performance_schema.setup_consumers WHERE NAME = 'events_statements_current' AND ENABLED = 'YES')`).Scan(&on))
	return on
}

// A row that was just written has no lock until somebody waits for it, and a
// program of another kind writes values into its statements.
func TestLockWaits_OtherProgramsAndNewRows(t *testing.T) {
	eachStudio(t, func(t *testing.T, s *studio) {
		r := s.rival("INSERT INTO project (id, name) VALUES (77, '" + secretText + "')")
		second := s.rival()
		done := second.start("UPDATE project SET name = '" + secretText + "' WHERE id = 77 AND name <> 'x'")
		if s.Engine != testdb.Postgres { // there, an UPDATE does not wait for a row that it does not see
			w := s.waits(1)[0]
			assert.Equal(t, "project", w.Table)
			assert.NotContains(t, w.Waiting.Statement, secretText)
			assert.Contains(t, w.Waiting.Statement, "UPDATE project SET name = ? WHERE id = ?")
			assert.NotEqual(t, w.Waiting.ConnectionID, w.Holding.ConnectionID)
			assert.Empty(t, w.Waiting.Block)
		}
		r.end()
		_ = done()
	}, testdb.Servers()...)
}

// Three in a queue: each waits for those before it.
func TestLockWaits_AQueue(t *testing.T) {
	eachStudio(t, func(t *testing.T, s *studio) {
		r := s.rival(holdAudio(1))
		first, second := s.rival(), s.rival()
		firstDone := first.start(holdAudio(1))
		s.waits(1)
		secondDone := second.start(holdAudio(1))
		s.listed("two who wait", func(waits []dialect.LockWait) bool {
			waiting := map[int64]bool{}
			for _, w := range waits {
				waiting[w.Waiting.ConnectionID] = true
			}
			return len(waiting) == 2
		})
		r.end()
		require.NoError(t, firstDone())
		first.end()
		require.NoError(t, secondDone())
	}, testdb.Servers()...)
}

// Servers keep the first kilobyte of a statement, and a value can be longer.
func TestLockWaits_LongStatements(t *testing.T) {
	t.Parallel()
	test := func(t *testing.T, s *studio) {
		long := strings.Repeat(secretText, 200)
		end := s.holding(func(ctx context.Context) error {
			_, err := s.row(1).Update(ctx, query.Set("text", long))
			return err
		}, atomic.Name("the holder"))
		_, written := s.waiting(func(ctx context.Context) error {
			_, err := s.row(1).Filter(query.F("text").Ne(long)).Update(ctx, query.Set("text", long))
			return err
		}, atomic.Name("the waiter"))
		w := s.waits(1)[0]
		require.NoError(t, errors.Join(end(), written()))
		s.showsBothSides(w, "UPDATE")
	}
	testdb.Each(t, func(t *testing.T, db testdb.Database) { test(t, openStudio(t, db)) }, testdb.Servers()...)
	testdb.Each(t, func(t *testing.T, _ testdb.Database) {
		server := testdb.NewServer(t, testdb.MariaDB, testdb.Flags("--performance-schema=ON", "--performance-schema-consumer-events-statements-current=ON"))
		test(t, openStudio(t, server.New(t)))
	}, testdb.MariaDB)
}

// Who has only shared locks so far is nobody in particular to MariaDB: as soon
// as two of them could have the lock, it is not certain which does.
func TestLockWaits_SharedLocks(t *testing.T) {
	eachStudio(t, func(t *testing.T, s *studio) {
		share := func(id int) func(ctx context.Context) error {
			return func(ctx context.Context) error { _, err := s.row(id).SelectForUpdate(orm.Share).All(ctx); return err }
		}
		change := func(id int) func(ctx context.Context) error {
			return func(ctx context.Context) error { _, err := s.row(id).Update(ctx, query.Set("speed", 2)); return err }
		}
		type pair struct {
			waiting, holding int64
			certain          bool
		}
		pairs := func(n int) (pairs []pair) {
			for _, w := range s.waits(n) {
				assert.Equal(t, "audio", w.Table)
				pairs = append(pairs, pair{w.Waiting.ConnectionID, w.Holding.ConnectionID, w.Certain})
			}
			return pairs
		}

		one, endOne := s.numbered(share(1))
		writer, written := s.waiting(change(1))
		assert.ElementsMatch(t, []pair{{writer, one, true}}, pairs(1))

		two, endTwo := s.numbered(share(2))
		if s.Engine == testdb.MariaDB {
			assert.ElementsMatch(t, []pair{{writer, one, false}, {writer, two, false}}, pairs(2))
		} else {
			assert.ElementsMatch(t, []pair{{writer, one, true}}, pairs(1))
		}
		require.NoError(t, endOne())
		require.NoError(t, written())
		s.waits(0) // or MariaDB still lists these

		// Those who wait for a shared lock have none yet.
		changed, endChanged := s.numbered(change(3))
		third, readThird := s.waiting(share(3))
		fourth, readFourth := s.waiting(share(3))
		assert.ElementsMatch(t, []pair{{third, changed, true}, {fourth, changed, true}}, pairs(2))
		second, writtenSecond := s.waiting(change(2))
		assert.ElementsMatch(t, []pair{{third, changed, true}, {fourth, changed, true}, {second, two, true}}, pairs(3))
		require.NoError(t, errors.Join(endChanged(), readThird(), readFourth(), endTwo(), writtenSecond()))
		s.waits(0)
	}, testdb.Servers()...)
}

// numbered is holding, with the number of the block's connection.
func (s *studio) numbered(fn func(ctx context.Context) error) (id int64, end func() error) {
	s.t.Helper()
	end = s.holding(func(ctx context.Context) (err error) {
		id, err = connectionID(ctx, s)
		return errors.Join(err, fn(ctx))
	})
	return id, end
}

// waiting runs fn in a block that has to wait, and returns the number of its
// connection and what waits for its end.
func (s *studio) waiting(fn func(ctx context.Context) error, opts ...atomic.Option) (id int64, end func() error) {
	s.t.Helper()
	begun, done := make(chan int64, 1), make(chan error, 1)
	go func() {
		done <- atomic.Do(s.t.Context(), s, func(ctx context.Context) error {
			id, err := connectionID(ctx, s)
			begun <- id
			return errors.Join(err, fn(ctx))
		}, opts...)
	}()
	return <-begun, func() error { return soon(s.t, "the waiting block", done) }
}

func TestLockWaits_OnSQLite(t *testing.T) {
	eachStudio(t, func(t *testing.T, s *studio) {
		s.quiet("LockWaits", func() {
			_, err := orm.LockWaits(t.Context(), s.DB)
			require.ErrorIs(t, err, dialect.ErrUnsupported)
		})
	}, testdb.SQLite)
}

// It asks on a connection of its own, so it works in a block, also in one that
// has failed, and in one that holds the only connection of the pool.
func TestLockWaits_InABlock(t *testing.T) {
	eachStudio(t, func(t *testing.T, s *studio) {
		err := atomic.Do(t.Context(), s, func(ctx context.Context) error {
			_, err := s.DB.SQL().ExecContext(ctx, "SELECT nothing FROM nowhere")
			require.Error(t, err)
			_, err = orm.LockWaits(ctx, s.DB)
			require.NoError(t, err)
			block.Of(s).Database().Pool.SetMaxOpenConns(1) // there is one beside the pool
			_, err = orm.LockWaits(ctx, s.DB)
			require.NoError(t, err)
			return atomic.Rollback
		})
		require.NoError(t, err)
	}, testdb.Servers()...)
}
