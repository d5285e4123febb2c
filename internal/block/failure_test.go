package block_test

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"runtime"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/atomic"
	"github.com/holdfast-go/holdfast/dialect"
	"github.com/holdfast-go/holdfast/internal/block"
)

func TestB02_AnErrorRollsBackAndComesBack(t *testing.T) {
	play(t, func(t *testing.T, s *script) {
		require.Equal(t, errAsked, s.do(t.Context(), func(ctx context.Context) error {
			s.must(ctx, "INSERT a")
			return errAsked
		}))
		s.sent("BEGIN; INSERT a", "ROLLBACK")
		s.on("INSERT b", refuses(unique))
		err := atomic.Do(t.Context(), s.db, func(ctx context.Context) error {
			_ = s.exec(ctx, "INSERT b")
			return errAsked
		})
		require.ErrorIs(t, err, errAsked)
		require.ErrorIs(t, err, dialect.ErrUniqueViolation, "what had failed before")
		require.ErrorContains(t, err, errAsked.Error()+" (before that: block (depth 1, failure_test.go:")
		s.on("INSERT c", refuses(unique))
		err = s.do(t.Context(), func(ctx context.Context) error { return fmt.Errorf("wrapped: %w", s.exec(ctx, "INSERT c")) })
		require.ErrorIs(t, err, dialect.ErrUniqueViolation)
		require.NotContains(t, err.Error(), "before that", "it is told once")
	})
}

func TestB03_APanicAndGoexitRollBack(t *testing.T) {
	for name, leave := range map[string]func(){
		"panic":  func() { panic(errAsked) },
		"goexit": runtime.Goexit,
	} {
		for _, depth := range []int{1, 2} {
			t.Run(fmt.Sprint(name, depth), func(t *testing.T) {
				play(t, func(t *testing.T, s *script) {
					left := make(chan any, 1)
					go func() {
						defer func() { left <- recover() }()
						_ = s.do(t.Context(), func(ctx context.Context) error {
							s.must(ctx, "INSERT a")
							if depth == 1 {
								leave()
							}
							defer func() {
								// The nested block is undone, and the outer one still in progress.
								assert.True(t, atomic.In(ctx, s.db))
								assert.NoError(t, s.exec(ctx, "INSERT c"))
							}()
							return s.do(ctx, func(ctx context.Context) error {
								s.must(ctx, "INSERT b")
								leave()
								return nil
							})
						})
					}()
					if v := <-left; name == "panic" {
						require.Equal(t, errAsked, v)
					} else {
						require.Nil(t, v)
					}
					if depth == 1 {
						s.sent("BEGIN; INSERT a", "ROLLBACK")
					} else {
						s.sent("BEGIN; INSERT a", "SAVEPOINT hf_1; INSERT b", "ROLLBACK TO SAVEPOINT hf_1; RELEASE SAVEPOINT hf_1; INSERT c", "ROLLBACK")
					}
				})
			})
		}
	}
}

func TestB20_ARollbackThatIsAskedFor(t *testing.T) {
	play(t, func(t *testing.T, s *script) {
		require.NoError(t, s.do(t.Context(), func(ctx context.Context) error {
			s.must(ctx, "INSERT a")
			return fmt.Errorf("a dry run: %w", atomic.Rollback)
		}))
		s.sent("BEGIN; INSERT a", "ROLLBACK")
		require.NoError(t, s.do(t.Context(), func(ctx context.Context) error {
			require.NoError(t, atomic.SetRollback(ctx, s.db, true))
			require.True(t, atomic.NeedsRollback(ctx, s.db))
			s.must(ctx, "INSERT b") // statements go on
			return nil
		}))
		s.sent("BEGIN; INSERT b", "ROLLBACK")
		require.NoError(t, s.do(t.Context(), func(ctx context.Context) error {
			require.NoError(t, atomic.SetRollback(ctx, s.db, true))
			require.NoError(t, atomic.SetRollback(ctx, s.db, false))
			require.False(t, atomic.NeedsRollback(ctx, s.db))
			s.must(ctx, "INSERT c")
			return nil
		}))
		s.sent("BEGIN; INSERT c", "COMMIT")
		require.Equal(t, errAsked, s.do(t.Context(), func(ctx context.Context) error {
			require.NoError(t, atomic.SetRollback(ctx, s.db, true))
			return errAsked
		}), "an error is still one")
		s.on("INSERT d", refuses(unique))
		require.ErrorIs(t, s.do(t.Context(), func(ctx context.Context) error {
			_ = s.exec(ctx, "INSERT d")
			require.NoError(t, atomic.SetRollback(ctx, s.db, true))
			require.ErrorIs(t, atomic.SetRollback(ctx, s.db, false), atomic.ErrRollbackRequired)
			return errAsked
		}), errAsked)
	})
}

func TestB06_NothingIsSwallowed(t *testing.T) {
	play(t, func(t *testing.T, s *script) {
		s.on("INSERT b", refuses(unique))
		err := s.do(t.Context(), func(ctx context.Context) error {
			s.must(ctx, "INSERT a")
			require.False(t, atomic.NeedsRollback(ctx, s.db))
			failure := s.exec(ctx, "INSERT b")
			require.ErrorIs(t, failure, dialect.ErrUniqueViolation)
			require.NotErrorIs(t, failure, atomic.ErrRollbackRequired)
			require.True(t, atomic.NeedsRollback(ctx, s.db))
			for _, err := range []error{
				s.exec(ctx, "INSERT c"),
				s.do(ctx, func(context.Context) error { t.Error("a nested block began"); return nil }),
				func() error { _, err := atomic.Savepoint(ctx, s.db); return err }(),
				func() error { _, err := s.stream(ctx, "SELECT c"); return err }(),
			} {
				require.ErrorIs(t, err, atomic.ErrRollbackRequired)
				require.ErrorIs(t, err, failure, "the first error and its statement")
			}
			return nil
		})
		require.ErrorIs(t, err, atomic.ErrRollbackRequired)
		require.ErrorIs(t, err, dialect.ErrUniqueViolation)
		var failed *atomic.FailedError
		require.ErrorAs(t, err, &failed)
		require.Equal(t, "INSERT b", failed.Statement)
		require.Equal(t, 1, failed.Block.Depth)
		s.sent("BEGIN; INSERT a", "INSERT b", "ROLLBACK")
	})
}

// What marks a block besides an answer of the server.
func TestB06_AStatementThatWasNotSent(t *testing.T) {
	play(t, func(t *testing.T, s *script) {
		require.ErrorIs(t, s.do(t.Context(), func(ctx context.Context) error {
			s.must(ctx, "INSERT a")
			err := s.exec(ctx, "INSERT b", make(chan int))
			require.ErrorIs(t, err, errUnbindable)
			var e *dialect.Error
			require.ErrorAs(t, err, &e)
			require.True(t, e.NotSent)
			require.NoError(t, e.Kind)
			require.True(t, atomic.NeedsRollback(ctx, s.db))
			return nil
		}), atomic.ErrRollbackRequired)
		s.sent("BEGIN; INSERT a", "ROLLBACK")
		require.Equal(t, []int{1}, s.connected(), "the connection is as good as before")

		// As the first statement it leaves nothing begun.
		require.ErrorIs(t, s.do(t.Context(), func(ctx context.Context) error {
			require.ErrorIs(t, s.exec(ctx, "INSERT b", make(chan int)), errUnbindable)
			return nil
		}), errUnbindable)
		require.NoError(t, s.do(t.Context(), func(ctx context.Context) error {
			require.ErrorIs(t, s.do(ctx, func(ctx context.Context) error { return s.exec(ctx, "INSERT b", make(chan int)) }), errUnbindable)
			return s.exec(ctx, "INSERT c")
		}))
		s.sent("BEGIN; INSERT c", "COMMIT")
	})
}

func TestB06_AResultThatIsJudged(t *testing.T) {
	play(t, func(t *testing.T, s *script) {
		changed := block.Statement{SQL: "UPDATE a", Built: true, Judge: func(res driver.Result) error {
			if n, err := res.RowsAffected(); err != nil || n != 1 {
				return errors.Join(err, errAsked)
			}
			return nil
		}}
		save := func(ctx context.Context) error { _, err := s.db.Exec(ctx, changed); return err }
		s.on("UPDATE a", reply{affected: 1}, reply{affected: 1})
		require.NoError(t, save(t.Context()))
		require.NoError(t, s.do(t.Context(), save))
		require.ErrorIs(t, s.do(t.Context(), func(ctx context.Context) error {
			err := s.do(ctx, func(ctx context.Context) error {
				err := save(ctx)
				require.ErrorIs(t, err, errAsked)
				var failed *atomic.FailedError
				require.ErrorAs(t, err, &failed)
				require.Equal(t, 2, failed.Block.Depth)
				require.True(t, atomic.NeedsRollback(ctx, s.db))
				return nil
			})
			require.False(t, atomic.NeedsRollback(ctx, s.db), "the server has nothing against it")
			return err
		}), errAsked)
		var failed *atomic.FailedError
		require.ErrorAs(t, save(t.Context()), &failed)
		require.Zero(t, failed.Block)
	})
}

// What the server has refused costs the nested block only, and what has ended
// the transaction costs every block (rule B8).
func TestB08_WhatEndsTheTransactionMarksEveryBlock(t *testing.T) {
	for name, c := range map[string]struct {
		reply reply
		every bool
	}{
		"refused":             {refuses(unique), false},
		"not named":           {refuses(unnamed), false},
		"a lock":              {refuses(locked), false},
		"a deadlock":          {reply{err: deadlock, over: true}, true},
		"a conflict":          {refuses(conflict), true},
		"the connection goes": {refuses(gone), true},
	} {
		t.Run(name, func(t *testing.T) {
			play(t, func(t *testing.T, s *script) {
				s.on("INSERT c", c.reply)
				err := s.do(t.Context(), func(ctx context.Context) error {
					s.must(ctx, "INSERT a")
					require.Error(t, s.do(ctx, func(ctx context.Context) error {
						s.must(ctx, "INSERT b")
						require.ErrorIs(t, s.do(ctx, func(ctx context.Context) error { return s.exec(ctx, "INSERT c") }), c.reply.err)
						require.Equal(t, c.every, atomic.NeedsRollback(ctx, s.db))
						s.forget()
						if c.every {
							require.ErrorIs(t, s.exec(ctx, "INSERT d"), atomic.ErrRollbackRequired)
							require.ErrorIs(t, s.exec(ctx, "INSERT d"), c.reply.err)
							s.sent()
							return nil
						}
						s.must(ctx, "INSERT d")
						s.sent("ROLLBACK TO SAVEPOINT hf_2; RELEASE SAVEPOINT hf_2; INSERT d")
						return errAsked
					}))
					require.Equal(t, c.every, atomic.NeedsRollback(ctx, s.db))
					return nil
				})
				switch {
				case !c.every:
					require.NoError(t, err)
					s.sent("ROLLBACK TO SAVEPOINT hf_1; COMMIT")
				case c.reply.err == gone:
					require.ErrorIs(t, err, atomic.ErrRollbackRequired)
					s.sent() // there is nobody to hear a ROLLBACK
				default:
					require.ErrorIs(t, err, atomic.ErrRollbackRequired)
					s.sent("ROLLBACK") // and no ROLLBACK TO a savepoint that is gone
				}
			})
		})
	}
}

func TestB08_ASavepointThatIsGone(t *testing.T) {
	play(t, func(t *testing.T, s *script) {
		s.on("ROLLBACK TO SAVEPOINT hf_1", refuses(&serverError{code: "1305"}))
		err := s.do(t.Context(), func(ctx context.Context) error {
			s.must(ctx, "INSERT a")
			require.ErrorIs(t, s.do(ctx, func(ctx context.Context) error {
				s.must(ctx, "INSERT b")
				return errAsked
			}), errAsked)
			err := s.exec(ctx, "INSERT c")
			require.ErrorContains(t, err, "ROLLBACK TO SAVEPOINT hf_1 was refused: server says 1305")
			var e *dialect.Error
			require.ErrorAs(t, err, &e)
			require.True(t, e.Fatal)
			require.Equal(t, "1305", e.Code)
			return nil
		})
		require.ErrorIs(t, err, atomic.ErrRollbackRequired)
		s.sent("BEGIN; INSERT a", "SAVEPOINT hf_1; INSERT b", "ROLLBACK TO SAVEPOINT hf_1; RELEASE SAVEPOINT hf_1; INSERT c", "ROLLBACK")
		require.Empty(t, s.connected(), "what a refused control statement had begun to change is not known")
	})
}

func TestB13_ARollbackThatFails(t *testing.T) {
	play(t, func(t *testing.T, s *script) {
		s.on("ROLLBACK", refuses(unnamed))
		require.Equal(t, errAsked, s.do(t.Context(), func(ctx context.Context) error {
			s.must(ctx, "INSERT a")
			return errAsked
		}), "the error of fn, and not that of ROLLBACK")
		require.Empty(t, s.connected())
	})
}

func TestB13_AChangedSessionIsNotPooled(t *testing.T) {
	for text, kept := range map[string]bool{"INSERT a": true, "SET a": false} {
		for _, result := range []error{nil, errAsked} {
			play(t, func(t *testing.T, s *script) {
				require.Equal(t, result, s.do(t.Context(), func(ctx context.Context) error {
					s.must(ctx, text)
					return result
				}))
				require.Equal(t, kept, len(s.connected()) == 1, text)
			})
			play(t, func(t *testing.T, s *script) {
				s.on(text, refuses(unnamed))
				require.ErrorIs(t, s.do(t.Context(), func(ctx context.Context) error { return s.exec(ctx, text) }), unnamed)
				require.Equal(t, kept, len(s.connected()) == 1, "it may have failed half-way: %s", text)
			})
			play(t, func(t *testing.T, s *script) { // what comes after it changes nothing of that
				s.on("INSERT c", refuses(unique))
				require.Error(t, s.do(t.Context(), func(ctx context.Context) error {
					s.must(ctx, text, "INSERT b")
					return s.exec(ctx, "INSERT c")
				}))
				require.Equal(t, kept, len(s.connected()) == 1, text)
			})
		}
	}
}

// What has run in front of a statement whose value panics is not sent again, and
// what has not is not taken for sent.
func TestB06_AValuePanics(t *testing.T) {
	insert := func(s *script, text string) func(ctx context.Context) error {
		return func(ctx context.Context) error { return s.exec(ctx, text) }
	}
	for name, c := range map[string]struct {
		panics string
		sent   []string
	}{
		"at the statement": {"INSERT b", []string{"BEGIN; INSERT a", "SAVEPOINT hf_1; INSERT b", "ROLLBACK TO SAVEPOINT hf_1; RELEASE SAVEPOINT hf_1; INSERT c", "COMMIT"}},
		"before it":        {"SAVEPOINT hf_1", []string{"BEGIN; INSERT a", "SAVEPOINT hf_1; INSERT b", "INSERT c", "COMMIT"}},
	} {
		t.Run(name, func(t *testing.T) {
			play(t, func(t *testing.T, s *script) {
				s.on(c.panics, reply{panics: errAsked})
				require.NoError(t, s.do(t.Context(), func(ctx context.Context) error {
					s.must(ctx, "INSERT a")
					require.PanicsWithValue(t, errAsked, func() { _ = s.do(ctx, insert(s, "INSERT b")) })
					return s.exec(ctx, "INSERT c")
				}))
				s.sent(c.sent...)
			})
		})
	}
	play(t, func(t *testing.T, s *script) { // recovered by fn: the block is marked
		s.on("INSERT a", reply{panics: errAsked})
		err := s.do(t.Context(), func(ctx context.Context) error {
			require.PanicsWithValue(t, errAsked, func() { _ = s.exec(ctx, "INSERT a") })
			return nil
		})
		require.ErrorIs(t, err, atomic.ErrRollbackRequired)
		require.ErrorContains(t, err, "did not return")
		s.sent("BEGIN; INSERT a", "ROLLBACK")
	})
}
