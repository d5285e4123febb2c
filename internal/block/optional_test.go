package block_test

import (
	"context"
	"fmt"
	"time"

	"github.com/holdfast-go/holdfast/dialect"
	"github.com/holdfast-go/holdfast/internal/backend"
)

// What an engine may be able to do besides.

// tagger shows a block's name before its statements.
type tagger struct{ *engine }

func (tagger) Tag(block string) string { return "/*" + block + "*/ " }

// namer shows it as the name of the transaction.
type namer struct{ *engine }

func (namer) Rename(from, to string) []string {
	return []string{fmt.Sprintf("RENAME %q %q", from, to)}
}

// locker has locks on names.
type locker struct{ *engine }

func (locker) AdvisoryLock(name string, wait *time.Duration) backend.Advisory {
	a := backend.Advisory{SQL: "TAKE " + name, Wait: wait, Holder: "WHO HAS " + name}
	if name == "kept" { // beyond the end of the transaction
		a.Release = "GIVE BACK " + name
	}
	return a
}

// watcher tells who waits for whom, and has locks on names.
type watcher struct{ locker }

func (watcher) LockWaits(ctx context.Context, w backend.Wire) ([]dialect.LockWait, error) {
	waits, err := ask[[]dialect.LockWait](ctx, w, "WHO WAITS")
	return waits, err
}

// holders answers the question for the holders of a lock.
type holders struct {
	parties []dialect.LockParty
	certain bool
}

func (watcher) LockHolders(ctx context.Context, w backend.Wire, self int64, err error) ([]dialect.LockParty, bool, error) {
	h, askErr := ask[holders](ctx, w, fmt.Sprintf("WHO HELD %d UP", self))
	return h.parties, h.certain, askErr
}

func (watcher) LockParties(ctx context.Context, w backend.Wire, ids []int64) ([]dialect.LockParty, error) {
	return ask[[]dialect.LockParty](ctx, w, fmt.Sprint("WHO ARE ", ids))
}

func (watcher) ConnectionID(ctx context.Context, w backend.Wire) (int64, error) {
	return ask[int64](ctx, w, "WHO AM I")
}

func ask[T any](ctx context.Context, w backend.Wire, question string) (says T, err error) {
	r, err := w.(interface{ self() *conn }).self().send(ctx, nil, question, nil)
	says, _ = r.says.(T)
	return says, err
}

// resolver notes a transaction before COMMIT, and asks for it afterwards.
type resolver struct {
	ahead bool // what goes in front of COMMIT is sent with the question (PostgreSQL)
}

func (r resolver) Prepare(ctx context.Context, w backend.Wire, before []string) (string, []string, error) {
	var ahead []string
	if r.ahead {
		ahead, before = before, nil
	}
	answer, err := w.(interface{ self() *conn }).self().send(ctx, ahead, "WHICH TRANSACTION", nil)
	token, _ := answer.says.(string)
	if err != nil || token == "" {
		return "", before, err
	}
	return token, append(before, "NOTE "+token), nil
}

func (resolver) Outcome(ctx context.Context, w backend.Wire, token string) (bool, error) {
	return ask[bool](ctx, w, "WHAT BECAME OF "+token)
}

func locking(e *engine) backend.Engine  { return locker{e} }
func watching(e *engine) backend.Engine { return watcher{locker{e}} }
