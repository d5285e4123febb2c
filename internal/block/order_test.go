package block_test

import (
	"context"
	"database/sql"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/atomic"
	"github.com/holdfast-go/holdfast/dialect"
	"github.com/holdfast-go/holdfast/internal/backend"
	"github.com/holdfast-go/holdfast/internal/block"
	"github.com/holdfast-go/holdfast/internal/seam"
)

func TestB21_AnEmptyBlockSendsNothing(t *testing.T) {
	play(t, func(t *testing.T, s *script) {
		nothing := func(context.Context) error { return nil }
		require.NoError(t, s.do(t.Context(), nothing, atomic.LockTimeout(time.Second), atomic.ReadOnly()))
		require.NoError(t, s.do(t.Context(), func(ctx context.Context) error { return s.do(ctx, nothing) }))
		require.ErrorIs(t, s.do(t.Context(), func(context.Context) error { return errAsked }), errAsked)
		s.sent()
		require.Empty(t, s.connected())
	})
}

func TestB21_BeginTravelsWithTheFirstStatement(t *testing.T) {
	play(t, func(t *testing.T, s *script) {
		require.NoError(t, s.do(t.Context(), func(ctx context.Context) error {
			s.must(ctx, "INSERT a", "INSERT b")
			return nil
		}))
		s.sent("BEGIN; INSERT a", "INSERT b", "COMMIT")
		require.NoError(t, s.do(t.Context(), func(ctx context.Context) error {
			_, err := s.all(ctx, "SELECT a")
			return err
		}, atomic.ReadOnly(), atomic.Isolation(sql.LevelSerializable), atomic.Timeout(time.Minute), atomic.IdleTimeout(time.Second)))
		s.sent("SET ISOLATION Serializable; BEGIN READ ONLY; SET TIMEOUT 1m0s; SET IDLE 1s; SELECT a", "RESET TIMEOUT; RESET IDLE; COMMIT")
		require.NoError(t, s.do(t.Context(), func(ctx context.Context) error {
			s.must(ctx, "SELECT a")
			return atomic.Rollback
		}, atomic.Deferrable(), atomic.IdleTimeout(time.Second)))
		s.sent("BEGIN READ ONLY DEFERRABLE; SET IDLE 1s; SELECT a", "ROLLBACK; RESET IDLE")
		require.Equal(t, []int{1}, s.connected(), "one connection serves them all")
	})
}

func TestS08_TheDatabasesIsolationLevel(t *testing.T) {
	play(t, func(t *testing.T, s *script) {
		insert := func(ctx context.Context) error { return s.exec(ctx, "INSERT a") }
		require.NoError(t, s.do(t.Context(), insert))
		s.sent("SET ISOLATION Read Committed; BEGIN; INSERT a", "COMMIT")
		require.NoError(t, s.do(t.Context(), insert, atomic.Isolation(sql.LevelSerializable)))
		s.sent("SET ISOLATION Serializable; BEGIN; INSERT a", "COMMIT")
	}, setup{settings: block.Settings{Block: seam.Options{Isolation: sql.LevelReadCommitted}}})
}

// A transaction that the server does not have fails the statement that would
// begin it, and nothing is sent.
func TestL03_ATransactionThatThereIsNot(t *testing.T) {
	play(t, func(t *testing.T, s *script) {
		err := s.do(t.Context(), func(ctx context.Context) error {
			err := s.exec(ctx, "INSERT a")
			var failed *atomic.FailedError
			require.ErrorAs(t, err, &failed)
			require.Equal(t, "INSERT a", failed.Statement)
			require.Equal(t, 1, failed.Block.Depth)
			return nil
		}, atomic.Isolation(sql.LevelLinearizable))
		require.ErrorIs(t, err, atomic.ErrRollbackRequired)
		require.ErrorIs(t, err, dialect.ErrUnsupported)
		s.sent()
	})
}

func TestB04_SavepointsTravelWithTheFirstStatement(t *testing.T) {
	play(t, func(t *testing.T, s *script) {
		require.NoError(t, s.do(t.Context(), func(ctx context.Context) error {
			require.NoError(t, s.do(ctx, func(ctx context.Context) error {
				return s.do(ctx, func(ctx context.Context) error {
					s.must(ctx, "INSERT a")
					s.sent("BEGIN; SAVEPOINT hf_1; SAVEPOINT hf_2; INSERT a")
					return nil
				})
			}))
			s.sent() // one RELEASE is enough for both, and has time
			s.must(ctx, "INSERT b")
			s.sent("RELEASE SAVEPOINT hf_1; INSERT b")
			require.NoError(t, s.do(ctx, func(ctx context.Context) error { return s.exec(ctx, "INSERT c") }))
			s.sent("SAVEPOINT hf_1; INSERT c")
			return nil
		}))
		s.sent("COMMIT") // which needs no RELEASE
	})
}

func TestB07_RollbackToTravelsWithTheNextStatement(t *testing.T) {
	play(t, func(t *testing.T, s *script) {
		failing := func(ctx context.Context) error {
			s.must(ctx, "INSERT a")
			return errAsked
		}
		require.NoError(t, s.do(t.Context(), func(ctx context.Context) error {
			s.must(ctx, "INSERT first")
			require.ErrorIs(t, s.do(ctx, failing), errAsked)
			s.must(ctx, "INSERT b")
			s.sent("BEGIN; INSERT first", "SAVEPOINT hf_1; INSERT a", "ROLLBACK TO SAVEPOINT hf_1; RELEASE SAVEPOINT hf_1; INSERT b")
			require.ErrorIs(t, s.do(ctx, failing), errAsked)
			s.sent("SAVEPOINT hf_1; INSERT a")
			return nil
		}))
		s.sent("ROLLBACK TO SAVEPOINT hf_1; COMMIT")
	})
}

// Of nested savepoints that are given up together, the outermost takes the
// others along.
func TestB04_AnUndoneBlockTakesWhatIsInsideWithIt(t *testing.T) {
	play(t, func(t *testing.T, s *script) {
		require.NoError(t, s.do(t.Context(), func(ctx context.Context) error {
			require.ErrorIs(t, s.do(ctx, func(ctx context.Context) error {
				s.must(ctx, "INSERT a")
				require.NoError(t, s.do(ctx, func(ctx context.Context) error { return s.exec(ctx, "INSERT b") }))
				require.ErrorIs(t, s.do(ctx, func(ctx context.Context) error {
					s.must(ctx, "INSERT c")
					return errAsked
				}), errAsked)
				return errAsked
			}), errAsked)
			s.must(ctx, "INSERT d")
			return nil
		}))
		s.sent("BEGIN; SAVEPOINT hf_1; INSERT a", "SAVEPOINT hf_2; INSERT b", "RELEASE SAVEPOINT hf_2; SAVEPOINT hf_2; INSERT c",
			"ROLLBACK TO SAVEPOINT hf_1; RELEASE SAVEPOINT hf_1; INSERT d", "COMMIT")
	})
}

// A savepoint that the server never heard of need not be undone.
func TestB21_ANestedBlockThatSentNothing(t *testing.T) {
	play(t, func(t *testing.T, s *script) {
		require.NoError(t, s.do(t.Context(), func(ctx context.Context) error {
			s.must(ctx, "INSERT a")
			for _, result := range []error{nil, errAsked} {
				require.Equal(t, result, s.do(ctx, func(context.Context) error { return result }))
			}
			s.must(ctx, "INSERT b")
			return nil
		}))
		s.sent("BEGIN; INSERT a", "INSERT b", "COMMIT")
	})
}

func TestB15_AnOpaqueStatementIsGuarded(t *testing.T) {
	play(t, func(t *testing.T, s *script) {
		require.NoError(t, s.do(t.Context(), func(ctx context.Context) error {
			s.must(ctx, "CALL a", "CALL b", "INSERT c")
			s.sent("BEGIN; SAVEPOINT hf_guard; CALL a", "RELEASE SAVEPOINT hf_guard; SAVEPOINT hf_guard; CALL b", "RELEASE SAVEPOINT hf_guard; INSERT c")
			s.must(ctx, "CALL d")
			s.sent("SAVEPOINT hf_guard; CALL d")
			return nil
		}))
		s.sent("RELEASE SAVEPOINT hf_guard; COMMIT") // it finds out whether the transaction is still there
	})
}

// The guard's release is refused, so the procedure has ended the transaction.
func TestB15_AProcedureThatCommits(t *testing.T) {
	for name, after := range map[string]func(s *script, ctx context.Context) error{
		"found by the next statement": func(s *script, ctx context.Context) error { return s.exec(ctx, "INSERT c") },
		"found by COMMIT":             func(*script, context.Context) error { return nil },
	} {
		t.Run(name, func(t *testing.T) {
			play(t, func(t *testing.T, s *script) {
				s.on("RELEASE SAVEPOINT hf_guard", reply{err: &serverError{code: "1305"}, over: true})
				err := s.do(t.Context(), func(ctx context.Context) error {
					s.must(ctx, "CALL a")
					return after(s, ctx)
				})
				require.ErrorContains(t, err, "RELEASE SAVEPOINT hf_guard was refused: server says 1305")
				require.NotErrorIs(t, err, atomic.ErrCommitUnknown)
			})
		})
	}
}

func TestB15_ANestedBlockEndsAfterAnOpaqueStatement(t *testing.T) {
	play(t, func(t *testing.T, s *script) {
		require.NoError(t, s.do(t.Context(), func(ctx context.Context) error {
			require.ErrorIs(t, s.do(ctx, func(ctx context.Context) error {
				s.must(ctx, "CALL a")
				return errAsked
			}), errAsked)
			s.must(ctx, "INSERT b")
			return nil
		}))
		s.sent("BEGIN; SAVEPOINT hf_1; SAVEPOINT hf_guard; CALL a",
			"RELEASE SAVEPOINT hf_guard; ROLLBACK TO SAVEPOINT hf_1; RELEASE SAVEPOINT hf_1; INSERT b", "COMMIT")
	})
}

func TestName_IsShownWithoutARoundTrip(t *testing.T) {
	run := func(t *testing.T, s *script) {
		require.NoError(t, s.do(t.Context(), func(ctx context.Context) error {
			s.must(ctx, "INSERT a")
			for _, name := range []string{"inner", ""} {
				require.NoError(t, s.do(ctx, func(ctx context.Context) error { return s.exec(ctx, "INSERT b") }, atomic.Name(name)))
			}
			require.ErrorIs(t, s.do(ctx, func(ctx context.Context) error {
				s.must(ctx, "INSERT c")
				return errAsked
			}, atomic.Name("undone")), errAsked)
			s.must(ctx, "INSERT d")
			return nil
		}, atomic.Name("outer")))
	}
	t.Run("by a comment", func(t *testing.T) {
		play(t, func(t *testing.T, s *script) {
			run(t, s)
			s.sent("BEGIN; /*outer*/ INSERT a", "SAVEPOINT hf_1; /*inner*/ INSERT b",
				"RELEASE SAVEPOINT hf_1; SAVEPOINT hf_1; /*outer*/ INSERT b", "RELEASE SAVEPOINT hf_1; SAVEPOINT hf_1; /*undone*/ INSERT c",
				"ROLLBACK TO SAVEPOINT hf_1; RELEASE SAVEPOINT hf_1; /*outer*/ INSERT d", "COMMIT")
			require.NoError(t, s.do(t.Context(), func(ctx context.Context) error { return s.exec(ctx, "INSERT e") }))
			s.sent("BEGIN; INSERT e", "COMMIT")
		}, setup{engine: func(e *engine) backend.Engine { return tagger{e} }})
	})
	t.Run("by the transaction's name", func(t *testing.T) {
		play(t, func(t *testing.T, s *script) {
			run(t, s)
			s.sent("BEGIN; INSERT a", `SAVEPOINT hf_1; RENAME "outer" "inner"; INSERT b`,
				`RELEASE SAVEPOINT hf_1; SAVEPOINT hf_1; RENAME "inner" "outer"; INSERT b`,
				`RELEASE SAVEPOINT hf_1; SAVEPOINT hf_1; RENAME "outer" "undone"; INSERT c`,
				// the savepoint has taken the name back
				"ROLLBACK TO SAVEPOINT hf_1; RELEASE SAVEPOINT hf_1; INSERT d", "COMMIT")
		}, setup{engine: func(e *engine) backend.Engine { return namer{e} }})
	})
}
