package atomic_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/atomic"
	"github.com/holdfast-go/holdfast/dialect"
)

var claim = atomic.BlockInfo{Name: "claim", Depth: 2, File: "/src/app/scheduler.go", Line: 88}

func TestBlockInfo_SaysWhichBlock(t *testing.T) {
	for want, info := range map[string]atomic.BlockInfo{
		`block "claim" (depth 2, scheduler.go:88)`: claim,
		`block (depth 1)`:                          {Depth: 1},
		`block (depth 1, a.go:3)`:                  {Depth: 1, File: "a.go", Line: 3},
		`outside any block`:                        {},
	} {
		require.Equal(t, want, info.String())
	}
}

func TestErrors_SayWhatHappenedAndWhere(t *testing.T) {
	server := &dialect.Error{Engine: dialect.MySQL, Kind: dialect.ErrUniqueViolation, Code: "1062"}
	failed := &atomic.FailedError{Block: claim, Statement: "INSERT a", Err: server}
	const at = `holdfast: block "claim" (depth 2, scheduler.go:88): `
	for want, err := range map[string]error{
		at + "rollback required: nothing was sent": &atomic.BlockError{Block: claim, Kind: atomic.ErrRollbackRequired, Reason: "nothing was sent"},
		at + "why":                 &atomic.BlockError{Block: claim, Reason: "why"},
		at + "session is closed":   &atomic.BlockError{Block: claim, Kind: atomic.ErrSessionClosed},
		"holdfast: not in a block": &atomic.BlockError{Kind: atomic.ErrNotInBlock},

		at + "INSERT a: mysql: unique violation (1062)": failed,
		"holdfast: INSERT a: the test asked for it":     &atomic.FailedError{Statement: "INSERT a", Err: errAsked},

		// What leads to it is told without saying twice whose it is.
		at + "rollback required: INSERT a: mysql: unique violation (1062)": &atomic.BlockError{Block: claim, Kind: atomic.ErrRollbackRequired, Err: failed},
		"holdfast: rollback required: " + strings.TrimPrefix(at, "holdfast: ") + "INSERT a: mysql: unique violation (1062)": &atomic.BlockError{
			Kind: atomic.ErrRollbackRequired, Err: failed},

		at + "committed, but hook 2 failed (3 after it did not run): the test asked for it": &atomic.HookError{
			Block: claim, Committed: true, Hook: 2, Skipped: 3, Err: errAsked},
		at + "rolled back, but hook 1 failed (0 after it did not run): the test asked for it": &atomic.HookError{
			Block: claim, Hook: 1, Err: errAsked},
	} {
		require.EqualError(t, err, want)
	}
}

func TestErrors_AreMatched(t *testing.T) {
	both := &atomic.BlockError{Kind: atomic.ErrRollbackRequired, Err: &atomic.FailedError{Err: errAsked}}
	require.ErrorIs(t, both, atomic.ErrRollbackRequired)
	require.ErrorIs(t, both, errAsked)
	require.Empty(t, (&atomic.BlockError{}).Unwrap())
	require.Equal(t, []error{errAsked}, (&atomic.BlockError{Err: errAsked}).Unwrap())
	require.ErrorIs(t, &atomic.HookError{Err: errAsked}, errAsked)
	require.ErrorIs(t, &atomic.LockHeldError{Err: errAsked}, errAsked)
	require.ErrorIs(t, atomic.ErrTimeout, context.DeadlineExceeded)
	require.NotErrorIs(t, atomic.ErrIdleTimeout, context.DeadlineExceeded)
}

func TestLockHeldError_NamesTheHolders(t *testing.T) {
	holder := func(id int64) atomic.Holder { return atomic.Holder{LockParty: dialect.LockParty{ConnectionID: id}} }
	told := atomic.Holder{LockParty: dialect.LockParty{ConnectionID: 7, Block: "importer", Age: 1500 * time.Millisecond, Statement: "UPDATE a"}}
	for want, err := range map[string]*atomic.LockHeldError{
		"lock: held by connection 7":                             {Holders: []atomic.Holder{holder(7)}, Certain: true},
		"lock: held by somebody, perhaps connection 7":           {Holders: []atomic.Holder{holder(7)}},
		"lock: held by a prepared transaction":                   {Holders: []atomic.Holder{holder(0)}, Certain: true},
		"lock: held by connection 1, connection 2, connection 3": {Holders: []atomic.Holder{holder(1), holder(2), holder(3)}, Certain: true},
		"lock: held by connection 1, connection 2, connection 3 and 2 more": {
			Holders: []atomic.Holder{holder(1), holder(2), holder(3), holder(4), holder(5)}, Certain: true},
		`lock: held by block "importer" (connection 7) in its transaction for 1.5s: UPDATE a`: {Holders: []atomic.Holder{told}, Certain: true},
	} {
		err.Err = errors.New("lock")
		require.EqualError(t, err, want)
	}
}
