package atomichttp_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/atomic"
	"github.com/holdfast-go/holdfast/atomic/atomichttp"
)

// page is a handler as many are: a header, a status, a body.
func page(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusOK)
	_, _ = w.Write([]byte(`{"id": 7, "name": "a name", "state": "open"}`))
}

// What the middleware costs beyond the block is the difference of the two.
func BenchmarkMiddleware(b *testing.B) {
	db := open(b)
	request := httptest.NewRequest(http.MethodGet, "/", nil)
	bare := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_ = atomic.Do(r.Context(), db, func(ctx context.Context) error {
			page(w, r)
			return nil
		})
	})
	for _, c := range []struct {
		name    string
		handler http.Handler
	}{{"block", bare}, {"middleware", atomichttp.Middleware(db)(http.HandlerFunc(page))}} {
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			w := &sink{header: http.Header{}}
			for b.Loop() {
				clear(w.header)
				c.handler.ServeHTTP(w, request)
			}
		})
	}
}

// sink is a http.ResponseWriter that costs nothing.
type sink struct{ header http.Header }

func (s *sink) Header() http.Header         { return s.header }
func (s *sink) Write(p []byte) (int, error) { return len(p), nil }
func (s *sink) WriteHeader(int)             {}

// 12 allocations at most beyond the block. (The time is the benchmark's business: here
// others run at once.)
func TestW01_WhatItAllocates(t *testing.T) {
	db := open(t)
	request := httptest.NewRequest(http.MethodGet, "/", nil)
	w := &sink{header: http.Header{}}
	block := testing.AllocsPerRun(200, func() {
		clear(w.header)
		_ = atomic.Do(t.Context(), db, func(context.Context) error {
			page(w, request)
			return nil
		})
	})
	handler := atomichttp.Middleware(db)(http.HandlerFunc(page))
	with := testing.AllocsPerRun(200, func() {
		clear(w.header)
		handler.ServeHTTP(w, request)
	})
	t.Logf("the block %v, with the middleware %v", block, with)
	require.LessOrEqual(t, with-block, 12.0)
}
