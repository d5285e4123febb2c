package orm

import (
	"context"
	"errors"
	"fmt"

	"github.com/holdfast-go/holdfast/atomic"
	"github.com/holdfast-go/holdfast/internal/block"
	"github.com/holdfast-go/holdfast/query"
)

// failed is what an operation returns that sends: it says what was being done,
// and marks the block of ctx if that was attempted (rule B6).
func (db *DB) failed(ctx context.Context, operation string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("orm: %s: %w", operation, db.marked(ctx, block.Statement{SQL: operation, Built: true}, err))
}

// marked marks the block of ctx if st was attempted and has failed. An operation
// that is a block of its own (rule S9) has marked that one only, and undone its
// part; what cannot be bound never became a statement that could mark anything.
func (db *DB) marked(ctx context.Context, st block.Statement, err error) error {
	if !attempted(ctx, err) {
		return err
	}
	return db.executor.Failed(ctx, st, err)
}

// attempted is the one place that tells a failure from misuse, such as an unknown
// column or an option that the server does not have, and from an answer: no row
// is one.
func attempted(ctx context.Context, err error) bool {
	var statement *atomic.FailedError
	var value *query.ValueError
	var scan *ScanError
	var short *NotKeptError
	return errors.As(err, &statement) || errors.As(err, &value) || errors.As(err, &scan) || errors.As(err, &short) ||
		ctx.Err() != nil && (errors.Is(err, context.Cause(ctx)) || errors.Is(err, ctx.Err()))
}
