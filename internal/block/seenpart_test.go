package block_test

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/atomic"
	"github.com/holdfast-go/holdfast/dialect"
	"github.com/holdfast-go/holdfast/internal/block"
)

// A procedure outside any block that fails may have committed a part of what it did, and
// so may the statements in front of one that fails.
func TestR03_WhatFailsMayHaveCommittedAPart(t *testing.T) {
	for name, fail := range map[string]func(s *script, ctx context.Context) error{
		"by itself": func(s *script, ctx context.Context) error {
			s.on("CALL p", refuses(unique))
			return s.exec(ctx, "CALL p")
		},
		"as its rows are read": func(s *script, ctx context.Context) error {
			s.on("CALL p", reply{failure: unique})
			return s.db.Query(ctx, block.Statement{SQL: "CALL p"}, func(rows driver.Rows) error {
				_, err := next(rows)
				return err
			})
		},
		"as its rows are read at leisure": func(s *script, ctx context.Context) error {
			s.on("CALL p", reply{rows: values(1), failure: unique})
			rows, err := s.stream(ctx, "CALL p")
			require.NoError(s.t, err)
			return rows.Close()
		},
		"in a session": func(s *script, ctx context.Context) error {
			session, inside := s.session(ctx)
			defer func() { require.NoError(s.t, session.Close()) }()
			s.on("CALL p", refuses(unique))
			return s.exec(inside, "CALL p")
		},
	} {
		t.Run(name, func(t *testing.T) {
			withReplica(t, func(t *testing.T, s *script, own *history, r *follower) {
				own.renewed = "all"
				seen, err := s.db.Seen(t.Context(), "")
				require.NoError(t, err)
				require.ErrorIs(t, fail(s, seen), dialect.ErrUniqueViolation)
				require.Equal(t, "all", s.db.SeenToken(seen))
				require.NoError(t, readsOnly(seen, s))
				require.Equal(t, []string{"reach all"}, r.history.asked)
			})
		})
	}
	withReplica(t, func(t *testing.T, s *script, own *history, r *follower) {
		seen, err := s.db.Seen(t.Context(), "")
		require.NoError(t, err)
		s.on("alone", refuses(unique))
		require.ErrorIs(t, s.exec(seen, "alone"), dialect.ErrUniqueViolation)
		require.ErrorIs(t, s.exec(seen, "CALL p", make(chan int)), errUnbindable)
		require.Empty(t, s.db.SeenToken(seen), "one statement is undone by itself, and what was not sent has done nothing")
		require.Empty(t, own.asked)

		s.on("CALL p", reply{err: &serverError{code: "1"}, opens: true}) // its transaction is still open
		require.Error(t, s.exec(seen, "CALL p"))
		require.Equal(t, "writer", s.db.SeenToken(seen))
	})
}

// What came before a statement that has ended its transaction unseen may be committed,
// whoever has ended the block, and whatever was asked for.
func TestR03_WhatEndedUnseenIsReadFromTheWriter(t *testing.T) {
	for name, c := range map[string]struct {
		opts []atomic.Option
		fn   func(s *script, ctx context.Context) error
		want error
	}{
		"fn has failed": {nil, func(*script, context.Context) error { return errAsked }, errAsked},
		"its time was over": {[]atomic.Option{atomic.IdleTimeout(time.Second)},
			func(*script, context.Context) error { pass(time.Minute); return nil }, atomic.ErrIdleTimeout},
		"it was to read": {[]atomic.Option{atomic.ReadOnly(), atomic.Isolation(sql.LevelSerializable)},
			func(*script, context.Context) error { return errAsked }, errAsked},
	} {
		t.Run(name, func(t *testing.T) {
			withReplica(t, func(t *testing.T, s *script, own *history, r *follower) {
				seen, err := s.db.Seen(t.Context(), "")
				require.NoError(t, err)
				s.on(guardHolds, reply{err: &serverError{code: "1305"}, over: true})
				err = s.do(seen, func(ctx context.Context) error {
					s.must(ctx, "CALL p")
					return c.fn(s, ctx)
				}, c.opts...)
				require.ErrorIs(t, err, atomic.ErrTransactionEnded)
				require.ErrorIs(t, err, c.want)
				require.Equal(t, "writer", s.db.SeenToken(seen))
			})
		})
	}
}

// A token that is too long for others still counts here; who is handed it reads from the
// writer.
func TestR04_ATokenThatIsTooLongForOthers(t *testing.T) {
	withReplica(t, func(t *testing.T, s *script, own *history, r *follower) {
		own.position = "?long"
		seen, err := s.db.Seen(t.Context(), "")
		require.NoError(t, err)
		s.must(seen, "write")
		require.Equal(t, "writer", s.db.SeenToken(seen))
		require.NoError(t, readsOnly(seen, s))
		require.Equal(t, []string{"reach ?long"}, r.history.asked)
	})
}
