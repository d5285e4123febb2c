package orm_test

import (
	"context"
	"flag"
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/atomic"
	"github.com/holdfast-go/holdfast/dialect"
	"github.com/holdfast-go/holdfast/orm"
)

var write = flag.Bool("write", false, "write today's table into docs/marks.md")

// What marks a block is the same on every engine, and docs/marks.md shows it.
func TestB06_WhatMarksABlock(t *testing.T) {
	t.Run("page", func(t *testing.T) {
		const path = "../docs/marks.md"
		if *write {
			require.NoError(t, os.WriteFile(path, []byte(marksPage()), 0o644))
		}
		page, err := os.ReadFile(path)
		require.NoError(t, err)
		require.Equal(t, marksPage(), string(page), `run "make docs"`)
	})
	each(t, func(t *testing.T, ctx context.Context, db *orm.DB) {
		require.NoError(t, linkTables(ctx, db))
		require.NoError(t, orm.Objects[note](db).Create(ctx, &note{Name: "old"}))
		kept := int64(1)
		for _, o := range operations() {
			for _, failure := range failures {
				act := o.run[failure]
				if act == nil || failure == "the connection is lost" && db.Server().Engine == dialect.SQLite {
					continue
				}
				cell := o.name + ", " + failure
				var failed error
				marked := false
				err := atomic.Do(ctx, db, func(ctx context.Context) error {
					name := fmt.Sprint(kept)
					if _, err := db.Exec(ctx, "INSERT INTO note (name) VALUES (?)", name); err != nil {
						return err
					}
					inner := ctx
					switch failure {
					case "`ctx` has ended":
						var cancel context.CancelFunc
						inner, cancel = context.WithCancel(ctx)
						cancel()
					case "the connection is lost":
						cut(ctx, t, db)
					}
					failed = act(inner, db)
					marked = atomic.NeedsRollback(ctx, db)
					return nil
				})
				if failure != "no row is there" {
					require.Error(t, failed, cell)
				}
				want := o.want(failure) != "no"
				assert.Equal(t, want, marked, "%s: %v", cell, failed)
				n, countErr := orm.Objects[note](db).Count(ctx)
				require.NoError(t, countErr)
				if want {
					require.ErrorIs(t, err, atomic.ErrRollbackRequired, cell)
					assert.Equal(t, kept, n, cell)
					var f *atomic.FailedError
					assert.ErrorAs(t, err, &f, cell)
				} else {
					require.NoError(t, err, cell)
					assert.Equal(t, kept+1, n, cell)
				}
				kept = n
			}
		}
	})
}

// cut ends the connection of the block of ctx.
func cut(ctx context.Context, t *testing.T, db *orm.DB) {
	t.Helper()
	ask, kill := "SELECT CONNECTION_ID()", "KILL %d"
	if db.Server().Engine == dialect.Postgres {
		ask, kill = "SELECT pg_backend_pid()", "SELECT pg_terminate_backend(%d)"
	}
	var id int64
	require.NoError(t, db.QueryRow(ctx, ask).Scan(&id))
	_, err := db.Exec(t.Context(), fmt.Sprintf(kill, id))
	require.NoError(t, err)
	if db.Server().Engine == dialect.Postgres { // it is told to end, and does when it looks
		require.Eventually(t, func() bool {
			var left int
			return db.QueryRow(t.Context(), "SELECT count(*) FROM pg_stat_activity WHERE pid = ?", id).Scan(&left) == nil && left == 0
		}, 30*time.Second, time.Millisecond)
	}
}
