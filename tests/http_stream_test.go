package tests

import (
	"context"
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/atomic"
	"github.com/holdfast-go/holdfast/atomic/atomichttp"
	"github.com/holdfast-go/holdfast/internal/block"
	"github.com/holdfast-go/holdfast/internal/seam"
	"github.com/holdfast-go/holdfast/tests/testdb"
)

// A stream goes on when the Timeout of the request's block has run out, whoever set
// that, and blocks in it have a Timeout of their own.
func TestW08_AStreamOutlivesTheTimeout(t *testing.T) {
	const limit = time.Second
	const patient = 10 * time.Second // what a statement may take on a busy machine
	each(t, func(t *testing.T, plain *database) {
		timed := open(t, plain.Database, setup{Settings: block.Settings{Block: seam.Options{Timeout: limit}}})
		slow := open(t, plain.Database, setup{Settings: block.Settings{Block: seam.Options{Timeout: patient}}})
		for name, c := range map[string]struct {
			db    *database
			limit time.Duration
			opts  []atomichttp.Option
			wraps bool
			sent  bool // something in the block, before the handler chooses
		}{
			"Block, a route":                     {plain, limit, []atomichttp.Option{atomichttp.Block(atomic.Timeout(limit))}, true, false},
			"Block, the handler's choice":        {plain, limit, []atomichttp.Option{atomichttp.Block(atomic.Timeout(limit))}, false, false},
			"the database's, a route":            {timed, limit, nil, true, false},
			"the database's, the handler":        {timed, limit, nil, false, false},
			"the database's, after a statement":  {slow, patient, nil, false, true},
			"the database's, with another limit": {timed, limit, []atomichttp.Option{atomichttp.Also(plain, atomic.Timeout(time.Hour))}, true, false},
		} {
			t.Run(name, func(t *testing.T) {
				db := c.db
				db.arrange("DELETE FROM t")
				stream := atomichttp.NonAtomic(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					ctx := r.Context()
					_, limited := ctx.Deadline()
					assert.False(t, limited)
					assert.Equal(t, "between", ctx.Value(betweenKey{}))
					select {
					case <-ctx.Done():
						assert.Fail(t, "the stream has ended", "%v", context.Cause(ctx))
					case <-time.After(c.limit * 5 / 4):
					}
					assert.NoError(t, ctx.Err())
					assert.False(t, atomic.In(ctx, db))
					assert.NoError(t, db.insert(ctx, 1))
					assert.NoError(t, atomic.Do(ctx, db, func(ctx context.Context) error { return db.insert(ctx, 2) }, atomic.Durable(), atomic.Timeout(time.Minute)))
					own := atomic.Do(ctx, db, func(ctx context.Context) error {
						<-ctx.Done()
						return ctx.Err()
					}, atomic.Timeout(time.Millisecond))
					assert.ErrorIs(t, own, atomic.ErrTimeout)
					_, _ = io.WriteString(w, "told")
				}))
				s := db.serve(func(w http.ResponseWriter, r *http.Request) {
					r = r.WithContext(context.WithValue(r.Context(), betweenKey{}, "between"))
					if c.wraps {
						stream.ServeHTTP(w, r)
						return
					}
					assert.True(t, atomic.In(r.Context(), db))
					if c.sent {
						_, err := db.count(r.Context())
						assert.NoError(t, err)
					}
					stream.ServeHTTP(w, r)
				}, c.opts...)
				a := s.ask("POST", "")
				require.NoError(t, a.err)
				assert.Equal(t, 200, a.status)
				assert.Equal(t, "told", a.body)
				assert.Equal(t, []int{1, 2}, db.kept())
				if !c.sent {
					assert.Empty(t, s.log.String(), "nothing was lost with the block")
				} else {
					assert.Contains(t, s.log.String(), "after the response was sent")
				}
			})
		}
	})
}

type betweenKey struct{}

// What ends a stream is its client, and a limit of middleware in between.
func TestW08_WhatEndsAStream(t *testing.T) {
	db := open(t, testdb.New(t, testdb.SQLite), setup{})
	ends := make(chan error, 1)
	stream := atomichttp.NonAtomic(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		child, cancel := context.WithCancel(r.Context())
		defer cancel()
		_ = http.NewResponseController(w).Flush()
		<-child.Done()
		ends <- context.Cause(child)
	}))
	for name, c := range map[string]struct {
		between func(context.Context) (context.Context, context.CancelFunc)
		hangsUp bool
		want    error
	}{
		"the client": {func(ctx context.Context) (context.Context, context.CancelFunc) { return ctx, func() {} }, true, context.Canceled},
		"a deadline in between": {func(ctx context.Context) (context.Context, context.CancelFunc) {
			return context.WithTimeout(ctx, 20*time.Millisecond)
		}, false, context.DeadlineExceeded},
		"the client, with a limit in between": {func(ctx context.Context) (context.Context, context.CancelFunc) {
			return context.WithCancel(ctx)
		}, true, context.Canceled},
		"its own middleware": {func(ctx context.Context) (context.Context, context.CancelFunc) {
			ctx, cancel := context.WithCancelCause(ctx)
			time.AfterFunc(20*time.Millisecond, func() { cancel(errAsked) })
			return ctx, func() { cancel(nil) }
		}, false, errAsked},
	} {
		for _, limit := range []atomichttp.Option{atomichttp.Block(), atomichttp.Block(atomic.Timeout(time.Hour))} {
			s := db.serve(func(w http.ResponseWriter, r *http.Request) {
				ctx, cancel := c.between(r.Context())
				defer cancel()
				stream.ServeHTTP(w, r.WithContext(ctx))
			}, limit)
			ctx, hangUp := context.WithCancel(t.Context())
			r, err := http.NewRequestWithContext(ctx, http.MethodGet, s.URL, nil)
			require.NoError(t, err)
			res, err := s.client.Do(r)
			require.NoError(t, err)
			if c.hangsUp {
				hangUp()
			}
			assert.ErrorIs(t, <-ends, c.want, name)
			hangUp()
			_ = res.Body.Close()
		}
	}
}
