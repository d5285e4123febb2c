package block

import (
	"context"
	"errors"

	"github.com/holdfast-go/holdfast/dialect"
	"github.com/holdfast-go/holdfast/internal/backend"
)

// What takes no round trip of its own: a claim in front of a transaction's first
// statement, and what completes it in front of COMMIT.

// precede has a claim travel behind BEGIN.
func (t *transaction) precede(claim string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.claim = claim
	t.state.Precede(claim)
}

// hasClaim reports whether a claim travels with t's first statement, or has.
func (t *transaction) hasClaim() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.claim != ""
}

// claimRefused reports whether err is the server's refusal of the claim: what came in
// front of it in the same round trip has run, and what came behind it has not.
func (t *transaction) claimRefused(err error) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	var refused *backend.PrefixError
	return t.claim != "" && errors.As(err, &refused) && refused.Statement == t.claim && !errors.Is(err, dialect.ErrConnectionLost)
}

// carry has a statement travel with COMMIT.
func (t *transaction) carry(st Statement) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.last = &st
}

// sendCommit sends COMMIT with what travels with it.
func (t *transaction) sendCommit(ctx context.Context, wire backend.Wire, prefix []string) error {
	t.mu.Lock()
	last := t.last
	t.mu.Unlock()
	if last == nil {
		return wire.Commit(ctx, prefix)
	}
	text := t.root.tagged(last.SQL)
	if carrier, ok := wire.(backend.CommitCarrier); ok {
		return carrier.CommitWith(ctx, prefix, text, last.Args)
	}
	if _, err := wire.Exec(ctx, prefix, text, last.Args); err != nil {
		return &backend.PrefixError{Statement: text, Err: err}
	}
	return wire.Commit(ctx, nil)
}
