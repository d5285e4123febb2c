package tests

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/atomic"
	"github.com/holdfast-go/holdfast/atomic/atomichttp"
	"github.com/holdfast-go/holdfast/dialect"
	"github.com/holdfast-go/holdfast/internal/proxy"
	"github.com/holdfast-go/holdfast/tests/testdb"
)

// What the hook has met is in the chain, and would say by itself that nothing was done.
func TestW06_WhatIsDoneIsNotAskedForAgain(t *testing.T) {
	each(t, func(t *testing.T, db *database) {
		id := 0
		for _, met := range []error{
			context.DeadlineExceeded, context.Canceled, dialect.ErrLockNotAvailable, dialect.ErrDeadlock, atomic.ErrInProgress, errAsked,
		} {
			id++
			err := atomic.Do(t.Context(), db, func(ctx context.Context) error {
				db.mustInsert(ctx, id)
				return atomic.OnCommit(ctx, db, func(context.Context) error { return met })
			})
			require.ErrorIs(t, err, met)
			require.True(t, db.has(id))
			p := atomichttp.ProblemOf(fmt.Errorf("order: %w", err))
			assert.Equal(t, []any{500, atomichttp.ProblemPartlyCommitted}, []any{p.Status, p.Type}, met)
			assert.Zero(t, p.RetryAfter)
		}
		err := atomic.Do(t.Context(), db, func(ctx context.Context) error {
			_ = atomic.OnRollback(ctx, db, func(context.Context) error { return context.DeadlineExceeded })
			return atomic.Rollback
		})
		require.ErrorIs(t, err, context.DeadlineExceeded)
		assert.Equal(t, 503, atomichttp.ProblemOf(err).Status, "nothing was done")
	})
}

// A statement outside any block is done, and its answer is lost with the connection.
func TestW06_AStatementWithoutAnAnswer(t *testing.T) {
	each(t, func(t *testing.T, db *database) {
		db.makeNotes()
		far, p := db.distant(setup{})
		lost := p.On(needle, proxy.CutReply)
		err := far.exec(t.Context(), "INSERT INTO note (text) VALUES ('"+needle+"')")
		soon(t, "the statement is sent", lost.Hit())
		require.ErrorIs(t, err, dialect.ErrConnectionLost)
		problem := atomichttp.ProblemOf(err)
		assert.Equal(t, []any{503, atomichttp.ProblemCommitUnknown}, []any{problem.Status, problem.Type})
		assert.Zero(t, problem.RetryAfter)
	}, testdb.Servers()...)
}

// Middleware in front limits bodies, whoever reads them: the handler, or Retry and Idempotent.
func TestW06_ABodyThatIsTooLarge(t *testing.T) {
	each(t, func(t *testing.T, db *database) {
		for name, opts := range map[string][]atomichttp.Option{"retry": {atomichttp.Retry(1)}, "idempotent": {atomichttp.Idempotent()}} {
			served := atomichttp.Middleware(db, opts...)(db.inserts(1, 201))
			s := db.serve(func(w http.ResponseWriter, r *http.Request) {
				r.Body = http.MaxBytesReader(w, r.Body, 5)
				served.ServeHTTP(w, r)
			}, atomichttp.When(func(*http.Request) bool { return true }, atomichttp.Off()))
			a := s.ask("POST", strings.Repeat("x", 6), "Idempotency-Key", "k")
			assert.Equal(t, http.StatusRequestEntityTooLarge, a.status, name)
			a.problem(t)
		}
		assert.Empty(t, db.kept())
	}, testdb.SQLite)
}
