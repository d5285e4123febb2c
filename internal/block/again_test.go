package block_test

import (
	"context"
	"database/sql/driver"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/atomic"
	"github.com/holdfast-go/holdfast/dialect"
	"github.com/holdfast-go/holdfast/internal/backend"
	"github.com/holdfast-go/holdfast/internal/block"
)

// comparing is an engine whose server cannot compare some texts.
type comparing struct{ *engine }

func (comparing) Uncompared(code string) bool { return code == "1267" }

var (
	compares   = setup{engine: func(e *engine) backend.Engine { return comparing{e} }}
	uncompared = &serverError{code: "1267"}
)

// otherwise is a statement that can be written in another way.
func otherwise(text string, again func(context.Context) (string, []any, error)) block.Statement {
	return block.Statement{SQL: text, Built: true, Again: again}
}

func inAnotherWay(context.Context) (string, []any, error) { return "SELECT b", []any{1}, nil }

// A statement that the server has refused before it ran is written in another way and
// sent once more. Its block has not failed.
func TestS10_WhatCannotBeComparedIsSentInAnotherWay(t *testing.T) {
	for name, send := range map[string]func(ctx context.Context, s *script, st block.Statement) error{
		"Exec": func(ctx context.Context, s *script, st block.Statement) error {
			_, err := s.db.Exec(ctx, st)
			return err
		},
		"Query": func(ctx context.Context, s *script, st block.Statement) error {
			return s.db.Query(ctx, st, func(driver.Rows) error { return nil })
		},
		"Stream": func(ctx context.Context, s *script, st block.Statement) error {
			rows, err := s.db.Stream(ctx, st)
			if err != nil {
				return err
			}
			return rows.Close()
		},
	} {
		t.Run(name, func(t *testing.T) {
			play(t, func(t *testing.T, s *script) {
				s.on("SELECT a", refuses(uncompared))
				require.NoError(t, send(t.Context(), s, otherwise("SELECT a", inAnotherWay)))
				s.sent("SELECT a", "SELECT b")
				s.on("SELECT a", refuses(uncompared))
				require.NoError(t, s.do(t.Context(), func(ctx context.Context) error {
					require.NoError(t, send(ctx, s, otherwise("SELECT a", inAnotherWay)))
					return s.exec(ctx, "UPDATE c")
				}))
				s.sent("BEGIN; SELECT a", "SELECT b", "UPDATE c", "COMMIT")

				s.on("SELECT a", refuses(uncompared))
				s.on("SELECT b", refuses(uncompared))
				require.ErrorIs(t, send(t.Context(), s, otherwise("SELECT a", inAnotherWay)), uncompared)
				s.sent("SELECT a", "SELECT b") // and not for ever
			}, compares)
			for _, c := range []struct {
				err   *serverError
				again func(context.Context) (string, []any, error)
				want  error
			}{
				{unique, inAnotherWay, dialect.ErrUniqueViolation}, // it is about something else
				{uncompared, nil, uncompared},                      // there is no other way
				{uncompared, func(context.Context) (string, []any, error) { return "SELECT a", nil, nil }, uncompared},
				{uncompared, func(context.Context) (string, []any, error) { return "", nil, errAsked }, errAsked},
			} {
				play(t, func(t *testing.T, s *script) {
					s.on("SELECT a", refuses(c.err))
					require.ErrorIs(t, send(t.Context(), s, otherwise("SELECT a", c.again)), c.want)
					s.sent("SELECT a")
					s.on("SELECT a", refuses(c.err))
					err := s.do(t.Context(), func(ctx context.Context) error {
						require.ErrorIs(t, send(ctx, s, otherwise("SELECT a", c.again)), c.want)
						require.ErrorIs(t, s.exec(ctx, "UPDATE c"), atomic.ErrRollbackRequired, "the block has failed")
						return nil
					})
					require.ErrorIs(t, err, c.want)
					s.sent("BEGIN; SELECT a", "ROLLBACK")
				}, compares)
			}
		})
	}
	play(t, func(t *testing.T, s *script) { // another engine
		s.on("SELECT a", refuses(uncompared))
		_, err := s.db.Exec(t.Context(), otherwise("SELECT a", inAnotherWay))
		require.ErrorIs(t, err, uncompared)
		s.sent("SELECT a")
	})
}
