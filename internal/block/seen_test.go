package block_test

import (
	"context"
	"database/sql/driver"
	"log/slog"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/atomic"
	"github.com/holdfast-go/holdfast/dialect"
	"github.com/holdfast-go/holdfast/internal/backend"
	"github.com/holdfast-go/holdfast/internal/block"
)

// What only reads leaves no token and asks for none; a caller's own text may have
// written.
func TestR03_WhatOnlyReadsIsNotRemembered(t *testing.T) {
	withReplica(t, func(t *testing.T, s *script, own *history, r *follower) {
		seen, err := s.db.Seen(t.Context(), "")
		require.NoError(t, err)
		same, err := s.db.Seen(seen, "")
		require.NoError(t, err)
		require.Equal(t, seen, same)
		require.Empty(t, s.db.SeenToken(t.Context()))
		none := func(driver.Rows) error { return nil }
		require.NoError(t, s.db.Query(seen, block.Statement{SQL: "SELECT a", Built: true}, none))
		require.NoError(t, s.db.Query(seen, block.Statement{SQL: "SELECT a", Built: true, Replica: true}, none))
		_, err = s.db.Exec(seen, block.Statement{SQL: "SELECT b()", Replica: true})
		require.NoError(t, err)
		require.NoError(t, s.do(seen, func(ctx context.Context) error { _, err := s.all(ctx, "SELECT a"); return err }))
		require.Empty(t, s.db.SeenToken(seen))
		s.sent("SELECT a", "TRACK; BEGIN; SELECT a", "COMMIT")
		r.sent("SELECT a", "SELECT b()")

		require.NoError(t, s.db.Query(seen, block.Statement{SQL: "SELECT f()"}, none))
		require.Equal(t, "here", s.db.SeenToken(seen))
		own.position = "there"
		s.on("SELECT g()", reply{rows: values(1)})
		rows, err := s.stream(seen, "SELECT g()")
		require.NoError(t, err)
		require.Equal(t, "here", s.db.SeenToken(seen), "its rows are read first")
		require.NoError(t, rows.Close())
		require.Equal(t, "here+there", s.db.SeenToken(seen))
		s.sent("TRACK; SELECT f()", "TRACK; SELECT g()")
		require.Empty(t, own.asked)
	})
}

// A collector that begins with what another has leaves that one as it was.
func TestR03_ACollectorWithinAnother(t *testing.T) {
	withReplica(t, func(t *testing.T, s *script, own *history, r *follower) {
		seen, err := s.db.Seen(t.Context(), "cookie")
		require.NoError(t, err)
		inner, err := s.db.Seen(seen, "cake")
		require.NoError(t, err)
		s.must(inner, "write")
		require.Equal(t, "cookie+cake+here", s.db.SeenToken(inner))
		s.must(seen, "write")
		require.Equal(t, "cookie+here", s.db.SeenToken(seen))
		inner, err = s.db.Seen(seen, "cookie+here")
		require.NoError(t, err)
		require.Equal(t, "cookie+here", s.db.SeenToken(inner))
		inner, err = s.db.Seen(seen, "writer")
		require.NoError(t, err)
		require.Equal(t, "writer", s.db.SeenToken(inner))
		inner, err = s.db.Seen(inner, "cake")
		require.NoError(t, err)
		require.Equal(t, "writer", s.db.SeenToken(inner), "what only the writer shows stays so")
	})
}

// A COMMIT whose fate is found out leaves a token as well: that is asked for elsewhere.
func TestR03_ACommitWhoseFateIsFoundOut(t *testing.T) {
	withReplica(t, func(t *testing.T, s *script, own *history, r *follower) {
		seen, err := s.db.Seen(t.Context(), "")
		require.NoError(t, err)
		own.renewed = "later"
		s.on("WHICH TRANSACTION", reply{says: "tx1"})
		s.on("COMMIT", refuses(gone))
		s.on("WHAT BECAME OF tx1", reply{says: true})
		require.NoError(t, s.do(seen, func(ctx context.Context) error { return s.exec(ctx, "write") }, atomic.ResolveCommit()))
		require.Equal(t, []string{"renew "}, own.asked)
		require.Equal(t, "later", s.db.SeenToken(seen))
	})
}

// An engine without tokens takes none, and has none.
func TestR03_WithoutTokens(t *testing.T) {
	play(t, func(t *testing.T, s *script) {
		_, err := s.db.Seen(t.Context(), "cookie")
		require.ErrorIs(t, err, atomic.ErrToken)
		seen, err := s.db.Seen(t.Context(), "")
		require.NoError(t, err)
		s.must(seen, "write")
		require.NoError(t, s.do(seen, func(ctx context.Context) error { return s.exec(ctx, "write") }))
		require.Empty(t, s.db.SeenToken(seen))
	})
	own := &history{}
	play(t, func(t *testing.T, s *script) { // a driver that does not say
		seen, err := s.db.Seen(t.Context(), "")
		require.NoError(t, err)
		s.must(seen, "write")
		s.sent("write")
		require.Equal(t, "writer", s.db.SeenToken(seen))
	}, setup{server: postgres, settings: block.Settings{Logger: slog.New(slog.DiscardHandler)},
		engine: func(e *engine) backend.Engine { return mute{tellingEngine{e, own}} }})
}

// A COMMIT that was refused stands nowhere.
func TestR03_ARefusedCommitIsNotRemembered(t *testing.T) {
	withReplica(t, func(t *testing.T, s *script, own *history, _ *follower) {
		seen, err := s.db.Seen(t.Context(), "")
		require.NoError(t, err)
		s.on("COMMIT", refuses(unique))
		require.ErrorIs(t, s.do(seen, func(ctx context.Context) error { return s.exec(ctx, "write") }), dialect.ErrUniqueViolation)
		require.Empty(t, s.db.SeenToken(seen))
	})
}

// The statements of a session that commit by themselves leave tokens, and so do those whose
// rows are read at leisure.
func TestR03_InASession(t *testing.T) {
	withReplica(t, func(t *testing.T, s *script, own *history, _ *follower) {
		seen, err := s.db.Seen(t.Context(), "")
		require.NoError(t, err)
		session, ctx := s.session(seen)
		s.must(ctx, "write")
		require.Equal(t, "here", s.db.SeenToken(seen))
		own.position = "there"
		s.on("SELECT g()", reply{rows: values(1)})
		rows, err := s.stream(ctx, "SELECT g()")
		require.NoError(t, err)
		require.Equal(t, "here", s.db.SeenToken(seen), "its rows are read first")
		require.NoError(t, rows.Close())
		require.Equal(t, "here+there", s.db.SeenToken(seen))
		require.NoError(t, session.Close())
		s.sent("TRACK; write", "TRACK; SELECT g()")
	})
}
