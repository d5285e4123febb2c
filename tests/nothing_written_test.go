package tests

import (
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/atomic"
	"github.com/holdfast-go/holdfast/dialect"
	"github.com/holdfast-go/holdfast/dialect/postgres"
	"github.com/holdfast-go/holdfast/orm"
	"github.com/holdfast-go/holdfast/tests/testdb"
)

// Where nothing can have been written, nothing is unknown.
func TestB12_AReadOnlyBlock(t *testing.T) {
	each(t, func(t *testing.T, db *database) {
		db.eachLoss(setup{}, func(l loss, far *database) {
			attempts := 0
			err := atomic.Do(t.Context(), far, func(ctx context.Context) error {
				attempts++
				_, err := far.count(ctx)
				return err
			}, atomic.ReadOnly())
			require.NotErrorIs(t, err, atomic.ErrCommitUnknown, l.name)
			require.ErrorIs(t, err, dialect.ErrConnectionLost, l.name)
			assert.Equal(t, 1, attempts)
			far.settled()
		})
	})
}

// The server had ended the session before COMMIT came.
func TestB12_ASessionThatWasIdleForTooLong(t *testing.T) {
	each(t, func(t *testing.T, db *database) {
		err := atomic.Do(t.Context(), db, func(ctx context.Context) error {
			db.mustInsert(ctx, 1)
			id, err := db.number(ctx, "SELECT pg_backend_pid()")
			require.NoError(t, err)
			require.NoError(t, db.exec(ctx, "SET LOCAL idle_in_transaction_session_timeout = 50")) // the last that it answers
			for gone := int64(1); gone != 0; {                                                     // it says so itself
				gone, err = db.number(t.Context(), "SELECT count(*) FROM pg_stat_activity WHERE pid = ?", id)
				require.NoError(t, err)
			}
			return nil
		})
		require.NotErrorIs(t, err, atomic.ErrCommitUnknown)
		require.ErrorIs(t, err, dialect.ErrConnectionLost)
		assert.NotContains(t, err.Error(), "no answer")
		assert.Empty(t, db.kept())
	}, testdb.Postgres)
}

// PostgreSQL gives NOTIFY a number as late as in COMMIT, and a write to a foreign table none.
func TestB12_WhatWritesWithoutANumber(t *testing.T) {
	each(t, func(t *testing.T, db *database) {
		for _, marks := range []bool{false, true} {
			if marks {
				db.arrange(postgres.CommitsTable)
			}
			db.eachLoss(setup{}, func(l loss, far *database) {
				attempts := 0
				err := atomic.Do(t.Context(), far, func(ctx context.Context) error {
					attempts++
					return far.exec(ctx, "SELECT pg_notify('somebody', 'once')")
				}, atomic.ResolveCommit(), atomic.Retry(1))
				require.NoError(t, err, l.name)
				assert.Equal(t, map[bool]int{true: 1, false: 2}[l.done], attempts, l.name)
			})
		}
		assert.Zero(t, db.look("SELECT count(*) FROM holdfast_commits"), "a mark would have to reach the disk")
	}, testdb.Postgres)
}

// A cycle over an advisory lock ends with the limit of rows.
func TestL04_AnAdvisoryLockWithoutALimit(t *testing.T) {
	eachStudio(t, func(t *testing.T, s *studio) {
		locked, ready, done := make(chan struct{}), make(chan struct{}), make(chan error, 1)
		limit := func(ctx context.Context) error {
			_, err := s.Exec(ctx, "SET SESSION innodb_lock_wait_timeout = 1")
			return err
		}
		go func() {
			done <- atomic.Do(t.Context(), s, func(ctx context.Context) error {
				err := errors.Join(limit(ctx), orm.Lock(ctx, s.DB, audioRow(1)))
				close(ready)
				<-locked
				return errors.Join(err, atomic.AdvisoryLock(ctx, s, "a"))
			})
		}()
		err := atomic.Do(t.Context(), s, func(ctx context.Context) error {
			err := errors.Join(limit(ctx), atomic.AdvisoryLock(ctx, s, "a"))
			<-ready
			close(locked)
			return errors.Join(err, orm.Lock(ctx, s.DB, audioRow(1)))
		})
		require.ErrorIs(t, errors.Join(err, <-done), dialect.ErrLockNotAvailable)
	}, testdb.MySQL, testdb.MariaDB)
}
