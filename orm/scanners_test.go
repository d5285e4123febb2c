package orm_test

import (
	"context"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/uptrace/bun"

	"github.com/holdfast-go/holdfast/atomic"
	"github.com/holdfast-go/holdfast/dialect"
	"github.com/holdfast-go/holdfast/internal/testserver"
	"github.com/holdfast-go/holdfast/orm"
)

// wild is a text that does things when it is read.
type wild string

var calls sync.Map // what a wild text calls, by the text

func (w *wild) Scan(src any) error {
	s := strings.Trim(fmt.Sprintf("%s", src), "'")
	switch call, ok := calls.Load(s); {
	case ok:
		return call.(func() error)()
	case s == "panic":
		panic("a Scanner's")
	case s == "exit":
		runtime.Goexit()
	}
	*w = wild(s)
	return nil
}

type beast struct {
	bun.BaseModel `bun:"table:beast"`
	ID            int64  `bun:",pk,autoincrement"`
	Name          string `bun:",unique"`
	Wild          wild   `bun:"type:varchar(40),notnull,nullzero,default:'panic'"`
	Tame          string `bun:"type:varchar(40),notnull,nullzero,default:'exit'"`
}

func withBeasts(t *testing.T, test func(t *testing.T, ctx context.Context, db *orm.DB)) {
	t.Helper()
	testserver.Each(t, func(t *testing.T, at testserver.Database) {
		db := open(t, at, orm.MaxOpenConns(1))
		require.NoError(t, orm.CreateTables(t.Context(), db, (*beast)(nil)))
		test(t, t.Context(), db)
	})
}

func names(ctx context.Context, t *testing.T, db *orm.DB) (list []string) {
	t.Helper()
	rows, err := db.Query(ctx, "SELECT name FROM beast ORDER BY name")
	require.NoError(t, err)
	for rows.Next() {
		var name string
		require.NoError(t, rows.Scan(&name))
		list = append(list, name)
	}
	require.NoError(t, rows.Err())
	return list
}

// What was sent in front of a statement is known before its rows are read, which
// runs code that may never return.
func TestB03_AScannerPanics(t *testing.T) {
	withBeasts(t, func(t *testing.T, ctx context.Context, db *orm.DB) {
		_, err := db.Exec(ctx, "INSERT INTO beast (name, wild) VALUES ('old', 'panic')")
		require.NoError(t, err)
		create := func(ctx context.Context, name string) {
			_ = orm.Objects[beast](db).Create(ctx, &beast{Name: name, Tame: "x"})
		}
		get := func(ctx context.Context, _ string) { _, _ = orm.Objects[beast](db).Get(ctx) }
		all := func(ctx context.Context, _ string) {
			_, _ = orm.Objects[beast](db).Filter(F("name").Eq("old")).All(ctx)
		}
		for what, op := range map[string]func(context.Context, string){"Create": create, "Get": get, "All": all} {
			// Nested, as the first statement, and the outer block goes on.
			ran := 0
			require.NoError(t, atomic.Do(ctx, db, func(ctx context.Context) error {
				func() {
					defer func() { assert.NotNil(t, recover(), what) }()
					_ = atomic.Do(ctx, db, func(ctx context.Context) error { op(ctx, "undone"); return nil }, atomic.LockTimeout(7*time.Second))
				}()
				if err := atomic.OnCommit(ctx, db, func(context.Context) error { ran++; return nil }); err != nil {
					return err
				}
				_, err := db.Exec(ctx, "INSERT INTO beast (name, wild) VALUES (?, 'x')", "kept by "+what)
				return err
			}), what)
			assert.Equal(t, 1, ran)
			assert.Contains(t, names(ctx, t, db), "kept by "+what)
			assert.NotContains(t, names(ctx, t, db), "undone", what)
			// In the block itself.
			err := atomic.Do(ctx, db, func(ctx context.Context) error {
				func() {
					defer func() { assert.NotNil(t, recover(), what) }()
					op(ctx, "forgotten")
				}()
				return atomic.OnCommit(ctx, db, func(context.Context) error { ran++; return nil })
			})
			require.ErrorIs(t, err, atomic.ErrRollbackRequired, what)
			assert.Equal(t, 1, ran, "no hook of what was rolled back")
			assert.NotContains(t, names(ctx, t, db), "forgotten", what)
			// Nothing stays behind on the pool's one connection.
			if e := db.Server().Engine; e == dialect.MySQL || e == dialect.MariaDB {
				var wait, usual int
				require.NoError(t, db.QueryRow(ctx, "SELECT @@SESSION.innodb_lock_wait_timeout, @@GLOBAL.innodb_lock_wait_timeout").Scan(&wait, &usual))
				assert.Equal(t, usual, wait, what)
			}
			// A goroutine that ends.
			done := make(chan struct{})
			go func() {
				defer close(done)
				defer func() { _ = recover() }() // Create meets the default, which panics
				_ = atomic.Do(ctx, db, func(ctx context.Context) error {
					_, err := db.Exec(ctx, "UPDATE beast SET wild = 'exit'")
					assert.NoError(t, err)
					op(ctx, "gone")
					return nil
				})
			}()
			<-done
			_, err = db.Exec(ctx, "UPDATE beast SET wild = 'x' WHERE name <> 'old'")
			require.NoError(t, err)
			assert.NotContains(t, names(ctx, t, db), "gone", what)
			_, err = db.Exec(ctx, "DELETE FROM beast WHERE name <> 'old'")
			require.NoError(t, err)
		}
	})
}

// A Scanner cannot use the block whose rows it reads: it is told so, and does not
// wait for itself.
func TestB10_AScannerUsesItsBlock(t *testing.T) {
	withBeasts(t, func(t *testing.T, ctx context.Context, db *orm.DB) {
		key := t.Name()
		if i := strings.LastIndex(key, "/"); i >= 0 {
			key = key[i+1:]
		}
		_, err := db.Exec(ctx, "INSERT INTO beast (name, wild) VALUES ('old', ?)", key)
		require.NoError(t, err)
		use := map[string]func(ctx context.Context) error{
			"a statement": func(ctx context.Context) error { _, err := db.Exec(ctx, "DELETE FROM beast"); return err },
			"rows":        func(ctx context.Context) error { _, err := db.Query(ctx, "SELECT 1"); return err },
			"a block": func(ctx context.Context) error {
				return atomic.Do(ctx, db, func(context.Context) error { assert.Fail(t, "fn runs"); return nil })
			},
			"a transaction": func(ctx context.Context) error { _, err := db.SQL().BeginTx(ctx, nil); return err },
		}
		for what, call := range use {
			var got error
			require.Error(t, atomic.Do(ctx, db, func(ctx context.Context) error {
				calls.Store(key, func() error { got = call(ctx); return got })
				_, err := orm.Objects[beast](db).Get(ctx)
				return err
			}), what)
			require.ErrorIs(t, got, atomic.ErrRowsOpen, what)
		}
		// In a session.
		sess, inner, err := db.Session(ctx)
		require.NoError(t, err)
		for what, call := range use {
			calls.Store(key, func() error { return call(inner) })
			_, err = orm.Objects[beast](db).Get(inner)
			require.ErrorIs(t, err, atomic.ErrRowsOpen, what)
		}
		for what, call := range map[string]func() error{
			"Commit": func() error { return sess.Commit(inner) }, "Close": sess.Close, "SetAutocommit": func() error { return sess.SetAutocommit(false) },
		} {
			calls.Store(key, call)
			_, err = orm.Objects[beast](db).Get(inner)
			require.Error(t, err, what)
		}
		require.NoError(t, sess.SetAutocommit(false))
		for what, call := range map[string]func() error{
			"Commit": func() error { return sess.Commit(inner) }, "Close": sess.Close, "SetAutocommit": func() error { return sess.SetAutocommit(true) },
		} {
			calls.Store(key, call)
			_, err = orm.Objects[beast](db).Get(inner)
			require.ErrorIs(t, err, atomic.ErrRowsOpen, what)
			require.NoError(t, sess.Rollback(inner))
		}
		require.NoError(t, sess.Close())
		calls.Delete(key)
	})
}
