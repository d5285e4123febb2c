package tests

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/atomic"
	"github.com/holdfast-go/holdfast/dialect"
)

var errDeclined = errors.New("the card was declined")

func TestO04_Results(t *testing.T) {
	type receipt struct {
		ID   int64
		At   time.Time
		Tags []string
		note string
	}
	eachOnce(t, func(t *testing.T, db *database) {
		given := receipt{ID: 1, At: time.Now(), Tags: []string{"'; \\ \" %s $1 ?", "é\x00"}, note: "is not written"}
		for range 2 { // everybody gets what is read back
			got, err := atomic.Once(t.Context(), db, "receipt", func(context.Context) (receipt, error) { return given, nil })
			require.NoError(t, err)
			assert.Equal(t, receipt{ID: 1, At: given.At.Round(0), Tags: given.Tags}, receipt{ID: got.ID, At: got.At.Local().Round(0), Tags: got.Tags})
		}
		for range 2 { // as in a column (S25): a float64 would be another order
			got, err := atomic.Once(t.Context(), db, "any", func(context.Context) (map[string]any, error) {
				return map[string]any{"order": int64(1499366092322157987), "seats": 2, "price": 1.5}, nil
			})
			require.NoError(t, err)
			assert.Equal(t, map[string]any{"order": json.Number("1499366092322157987"), "seats": 2.0, "price": 1.5}, got)
		}
		all := make([]byte, 256<<10)
		for i := range all {
			all[i] = byte(i)
		}
		for key, raw := range map[string][]byte{"bytes": all, "none": nil, "empty": {}} {
			for range 2 {
				got, err := atomic.Once(t.Context(), db, key, func(context.Context) ([]byte, error) { return raw, nil })
				require.NoError(t, err)
				assert.True(t, bytes.Equal(raw, got), key)
			}
		}
		got, err := atomic.Once(t.Context(), db, "receipt", func(context.Context) (int8, error) { return 1, nil })
		require.ErrorIs(t, err, atomic.ErrOnceResult, "another type")
		assert.Zero(t, got)
		_, err = atomic.Once(t.Context(), db, "receipt", func(context.Context) (receipt, error) { return given, nil })
		require.NoError(t, err, "the row stays")
		db.idle()
	})
}

func TestO04_WhatCannotBeKept(t *testing.T) {
	eachOnce(t, func(t *testing.T, db *database) {
		large := func(ctx context.Context) (string, error) {
			_, err := db.count1(1)(ctx)
			return "12345678", err
		}
		_, err := atomic.Once(t.Context(), db, "large", large, atomic.ResultLimit(9))
		require.ErrorIs(t, err, atomic.ErrOnceResult)
		_, err = atomic.Once(t.Context(), db, "chan", func(ctx context.Context) (chan int, error) {
			_, err := db.count1(1)(ctx)
			return make(chan int), err
		})
		require.ErrorIs(t, err, atomic.ErrOnceResult)
		_, err = atomic.Once(t.Context(), db, "interface", func(ctx context.Context) (error, error) {
			_, err := db.count1(1)(ctx)
			return errAsked, err
		})
		require.ErrorIs(t, err, atomic.ErrOnceResult)
		assert.Equal(t, 0, db.value(1), "rolled back")
		text, err := atomic.Once(t.Context(), db, "large", large, atomic.ResultLimit(10))
		require.NoError(t, err)
		assert.Equal(t, "12345678", text)
	})
}

func TestO04_ErrorsOfFn(t *testing.T) {
	eachOnce(t, func(t *testing.T, db *database) {
		ran := 0
		declined := func(ctx context.Context) (int64, error) {
			ran++
			n, err := db.count1(1)(ctx)
			return n, errors.Join(err, errDeclined)
		}
		for i := range 2 { // not kept
			_, err := atomic.Once(t.Context(), db, "k", declined)
			require.ErrorIs(t, err, errDeclined)
			require.Equal(t, i+1, ran)
		}
		var d diary
		_, err := atomic.Once(t.Context(), db, "k", func(ctx context.Context) (int64, error) {
			d.both(ctx, t, db, "hook")
			return declined(ctx)
		}, atomic.KeepError(errAsked, errDeclined))
		require.ErrorIs(t, err, errDeclined)
		require.NotErrorIs(t, err, atomic.ErrRollbackRequired)
		assert.Equal(t, []string{"-hook"}, d.take())
		for range 2 {
			_, err = atomic.Once(t.Context(), db, "k", never(t), atomic.KeepError(errAsked, errDeclined))
			require.ErrorIs(t, err, errDeclined)
			var kept *atomic.KeptError
			require.ErrorAs(t, err, &kept)
			assert.Equal(t, errDeclined.Error(), kept.Text)
		}
		_, err = atomic.Once(t.Context(), db, "k", never(t)) // who asks without KeepError
		require.EqualError(t, err, errDeclined.Error())
		require.NotErrorIs(t, err, errDeclined)
		assert.Equal(t, 3, ran)
		assert.Equal(t, 0, db.value(1), "what fn did is undone")

		// A statement that failed, with an error that is kept all the same.
		_, err = atomic.Once(t.Context(), db, "refused", func(ctx context.Context) (int64, error) {
			return 0, errors.Join(db.refused(ctx), errDeclined)
		}, atomic.KeepError(errDeclined))
		require.ErrorIs(t, err, dialect.ErrNotNullViolation)
		_, err = atomic.Once(t.Context(), db, "refused", never(t), atomic.KeepError(errDeclined))
		require.ErrorIs(t, err, errDeclined)

		// A wish to roll back keeps nothing, with KeepError and without.
		for _, opts := range [][]atomic.Option{nil, {atomic.KeepError(errDeclined)}, {atomic.ClaimLate()}} {
			n, err := atomic.Once(t.Context(), db, "dry", func(ctx context.Context) (int64, error) {
				n, err := db.count1(2)(ctx)
				return n, errors.Join(err, atomic.SetRollback(ctx, db, true))
			}, opts...)
			require.NoError(t, err)
			assert.Zero(t, n)
		}
		n, err := atomic.Once(t.Context(), db, "dry", db.count1(2))
		require.NoError(t, err)
		assert.Equal(t, int64(1), n)
	})
}

// With ResolveCommit the first call has the answer itself.
func TestO01_ResolveCommit(t *testing.T) {
	eachOnce(t, func(t *testing.T, db *database) {
		db.resolvable()
		id := 0
		db.eachLoss(setup{}, func(l loss, far *database) {
			id++
			n, err := atomic.Once(t.Context(), far, l.name, far.count1(id), atomic.ResolveCommit(), atomic.Retry(1), atomic.Wait(10*time.Second))
			require.NoError(t, err, l.name)
			assert.Equal(t, int64(1), n, l.name)
			assert.Equal(t, 1, db.value(id), l.name)
			n, err = atomic.Once(t.Context(), far, l.name, never(t))
			require.NoError(t, err, l.name)
			assert.Equal(t, int64(1), n, l.name)
		})
	})
}

func TestO05_InsideAnotherBlock(t *testing.T) {
	eachOnce(t, func(t *testing.T, db *database) {
		err := atomic.Do(t.Context(), db, func(ctx context.Context) error {
			for range 2 { // the second sees what the first has not committed
				n, err := atomic.Once(ctx, db, "k", db.count1(1))
				require.NoError(t, err)
				require.Equal(t, int64(1), n)
			}
			_, err := atomic.Once(ctx, db, "failed", func(ctx context.Context) (int64, error) {
				_, _ = db.count1(2)(ctx)
				return 0, errAsked
			})
			require.ErrorIs(t, err, errAsked)
			n, err := atomic.Once(ctx, db, "failed", db.count1(2)) // the key went with it
			require.NoError(t, err)
			require.Equal(t, int64(1), n)
			_, err = atomic.Once(ctx, db, "around", func(ctx context.Context) (int64, error) {
				return atomic.Once(ctx, db, "around", never(t))
			})
			require.ErrorIs(t, err, atomic.ErrInProgress)
			return errAsked
		})
		require.ErrorIs(t, err, errAsked)
		assert.Equal(t, 0, db.value(1))
		require.NoError(t, atomic.Do(t.Context(), db, func(ctx context.Context) error {
			_, err := atomic.Once(ctx, db, "k", db.count1(1), atomic.NoSavepoint(), atomic.ClaimLate())
			return err
		}))
		_, err = atomic.Once(t.Context(), db, "k", never(t))
		require.NoError(t, err)
		assert.Equal(t, 1, db.value(1))

		s, ctx := db.session(t.Context())
		require.NoError(t, s.SetAutocommit(false))
		_, err = atomic.Once(ctx, db, "session", db.count1(3))
		require.NoError(t, err)
		require.NoError(t, s.Rollback(ctx))
		require.NoError(t, s.Close())
		n, err := atomic.Once(t.Context(), db, "session", db.count1(3))
		require.NoError(t, err)
		assert.Equal(t, int64(1), n)
	})
}

// A result that is there already is no wish to roll back.
func TestO05_AResultInAJoinedBlock(t *testing.T) {
	eachOnce(t, func(t *testing.T, db *database) {
		_, err := atomic.Once(t.Context(), db, "k", db.count1(1))
		require.NoError(t, err)
		for i, opt := range []atomic.Option{atomic.NoSavepoint(), atomic.Propagation(atomic.Join), atomic.Propagation(atomic.Mandatory)} {
			require.NoError(t, atomic.Do(t.Context(), db, func(ctx context.Context) error {
				db.mustInsert(ctx, 100+i)
				n, err := atomic.Once(ctx, db, "k", never(t), opt)
				require.Equal(t, int64(1), n)
				return errors.Join(err, db.insert(ctx, 200+i))
			}))
			assert.True(t, db.has(100+i) && db.has(200+i))
		}
	})
}

func TestO05_Options(t *testing.T) {
	eachOnce(t, func(t *testing.T, db *database) {
		for name, opts := range map[string][]atomic.Option{
			"ReadOnly": {atomic.ReadOnly()}, "Deferrable": {atomic.Deferrable()}, "Never": {atomic.Propagation(atomic.Never)},
			"Suspended": {atomic.Propagation(atomic.Suspended)}, "Wait": {atomic.Wait(-1)}, "KeepFor": {atomic.KeepFor(0)},
			"KeepError": {atomic.KeepError(nil)}, "ResultLimit": {atomic.ResultLimit(0)}, "OnceEncoding": {atomic.OnceEncoding(nil, nil)},
			"OnceFor": {atomic.OnceFor(make(chan int))}, "nil": {nil},
		} {
			_, err := atomic.Once(t.Context(), db, "k", never(t), opts...)
			require.ErrorIs(t, err, atomic.ErrOption, name)
		}
		_, err := atomic.Once(t.Context(), db, "", never(t))
		require.ErrorIs(t, err, atomic.ErrOption)
		_, err = atomic.Once[int](t.Context(), db, "k", nil)
		require.ErrorIs(t, err, atomic.ErrOption)
		err = atomic.Do(t.Context(), db, func(context.Context) error { return errAsked }, atomic.Wait(1))
		require.ErrorIs(t, err, atomic.ErrOption)
		assert.Empty(t, db.wires.take(), "nothing was sent")
	})
}

func TestO06_Expiry(t *testing.T) {
	eachOnce(t, func(t *testing.T, db *database) {
		keep := atomic.KeepFor(time.Millisecond)
		_, err := atomic.Once(t.Context(), db, "short", db.count1(1), keep, atomic.OnceFor("a"))
		require.NoError(t, err)
		_, err = atomic.Once(t.Context(), db, "for ever", db.count1(2))
		require.NoError(t, err)
		_, err = atomic.Once(t.Context(), db, "an hour", db.count1(3), atomic.KeepFor(time.Hour))
		require.NoError(t, err)
		for _, opts := range [][]atomic.Option{{keep, atomic.OnceFor("b")}, {keep, atomic.ClaimLate()}, {keep}} { // for something else as well
			var n int64
			eventually(t, "it has expired", func() bool {
				n, err = atomic.Once(t.Context(), db, "short", db.count1(1), opts...)
				return err == nil || !errors.Is(err, atomic.ErrOnceMismatch)
			})
			require.NoError(t, err)
			assert.Equal(t, int64(db.value(1)), n)
		}
		for _, key := range []string{"for ever", "an hour"} {
			_, err = atomic.Once(t.Context(), db, key, never(t))
			require.NoError(t, err)
		}
		eventually(t, "one is deleted", func() bool {
			n, err := atomic.PurgeOnce(t.Context(), db)
			return assert.NoError(t, err) && n == 1
		})
		assert.Equal(t, 2, db.look("SELECT count(*) FROM holdfast_once"))
		require.ErrorIs(t, atomic.Do(t.Context(), db, func(ctx context.Context) error {
			_, err := atomic.PurgeOnce(ctx, db)
			return err
		}), atomic.ErrDurable)
	})
}

// More than one block deletes, and others go on meanwhile.
func TestO06_PurgeInSmallBlocks(t *testing.T) {
	eachOnce(t, func(t *testing.T, db *database) {
		const rows = 1200
		for i := range rows {
			_, err := atomic.Once(t.Context(), db, string(rune('a'+i%26))+time.Duration(i).String(), func(context.Context) (int, error) { return i, nil },
				atomic.KeepFor(time.Millisecond))
			require.NoError(t, err)
			if i%100 == 99 {
				db.wires.take()
			}
		}
		done := make(chan error, 2)
		for range 2 {
			go func() {
				_, err := atomic.PurgeOnce(t.Context(), db)
				done <- err
			}()
		}
		_, err := atomic.Once(t.Context(), db, "meanwhile", db.count1(1))
		require.NoError(t, err)
		require.NoError(t, errors.Join(<-done, <-done))
		eventually(t, "all others are deleted", func() bool {
			_, err := atomic.PurgeOnce(t.Context(), db)
			return assert.NoError(t, err) && db.look("SELECT count(*) FROM holdfast_once") == 1
		})
		assert.Equal(t, 1, db.value(1))
	})
}
