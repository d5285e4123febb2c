package clusters

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/atomic"
	"github.com/holdfast-go/holdfast/dialect"
	"github.com/holdfast-go/holdfast/dialect/mysql"
	"github.com/holdfast-go/holdfast/internal/proxy"
	"github.com/holdfast-go/holdfast/orm"
	"github.com/holdfast-go/holdfast/tests/testdb"
)

// transactions asks the server behind for the transactions on a shard.
func (b *bed) transactions(what, shard string) string {
	return fmt.Sprintf(`SELECT %s FROM performance_schema.events_transactions_current JOIN performance_schema.threads USING (thread_id)
		WHERE state = 'ACTIVE' AND autocommit = 'NO' AND processlist_db = 'vt_%s_%s'`, what, b.name, shard)
}

// noTransaction waits until none is open on the shard 0.
func (b *bed) noTransaction() {
	b.t.Helper()
	require.Eventually(b.t, func() bool {
		left, err := b.Backend.Ask(context.WithoutCancel(b.t.Context()), "", b.transactions("COUNT(*)", "0"))
		return err == nil && left == "0"
	}, 4*testdb.VitessTransactions, 50*time.Millisecond, "no transaction is open")
}

// endSession ends the session of the server behind in which a shard's transaction is.
func (b *bed) endSession(shard string) {
	b.t.Helper()
	ctx := context.WithoutCancel(b.t.Context())
	id := ""
	require.Eventually(b.t, func() bool {
		id, _ = b.Backend.Ask(ctx, "", b.transactions("processlist_id", shard))
		return id != ""
	}, 10*time.Second, 20*time.Millisecond, "a transaction on %s", shard)
	require.NoError(b.t, b.Backend.Run(ctx, "", "KILL "+id))
	require.Eventually(b.t, func() bool {
		left, err := b.Backend.Ask(ctx, "", "SELECT COUNT(*) FROM performance_schema.threads WHERE processlist_id = "+id)
		return err == nil && left == "0"
	}, 10*time.Second, 20*time.Millisecond, "its end")
}

// via leads to the database by another address.
func (b *bed) via(addr string) string {
	return strings.Replace(b.Nodes[0].DSN(b.name), b.Nodes[0].Addr, addr, 1) + single
}

// single keeps a block on one shard, without which ResolveCommit is refused.
const single = "?transaction_mode=%27SINGLE%27"

func vitessResolveCommit(b *bed) {
	for i, loss := range []struct {
		name   string
		action proxy.Action
		done   bool
	}{
		{"COMMIT does not arrive", proxy.CutRequest, false},
		{"the answer does not", proxy.CutReply, true},
	} {
		for _, resolve := range []bool{false, true} {
			var opts []atomic.Option
			if resolve {
				opts = append(opts, atomic.ResolveCommit())
			}
			id := 2*i + 1
			if resolve {
				id++
			}
			p := proxy.New(b.t, b.Nodes[0].Addr)
			db := b.open(b.via(p.Addr()), orm.WithCommitTimeout(20*time.Second))
			text := "\x03COMMIT"
			if resolve {
				text = "INTO holdfast_commits" // in front of COMMIT
			}
			p.On(text, loss.action)
			err := block(db, []string{fmt.Sprintf("INSERT INTO t VALUES (%d, 0)", id)}, opts...)
			require.Equal(b.t, !resolve, isUnknown(err), "%s: %v", loss.name, err)
			require.Equal(b.t, resolve && loss.done, err == nil, "%s: %v", loss.name, err)
			want := 0
			if loss.done {
				want = 1
			}
			b.soon(b.Nodes[0], fmt.Sprintf("SELECT COUNT(*) FROM t WHERE id = %d", id), want)
		}
	}
}

// A COMMIT that is late is not carried out any more, once it was asked for: the mark in
// front of it is refused, and vtgate reads no further.
func vitessLateCommit(b *bed) {
	p := proxy.New(b.t, b.Nodes[0].Addr)
	db := b.open(b.via(p.Addr()), orm.WithCommitTimeout(20*time.Second))
	late := p.On("INTO holdfast_commits", proxy.Strand)
	err := block(db, []string{"INSERT INTO t VALUES (1, 0)"}, atomic.ResolveCommit())
	require.ErrorIs(b.t, err, dialect.ErrConnectionLost)
	require.False(b.t, isUnknown(err), "%v", err)
	late.Release()
	b.noTransaction()
	assert.Empty(b.t, b.rows())
}

// KILL is not permitted through vtgate: what hangs is waited for, until vttablet's own
// limit for transactions.
func vitessHangs(b *bed) {
	err := b.Nodes[0].Run(b.t.Context(), "", "KILL 1")
	require.ErrorContains(b.t, err, "VT07001")
	p := proxy.New(b.t, b.Nodes[0].Addr)
	// The mark goes ahead by itself, and the COMMIT stays on its way.
	db := b.open(b.via(p.Addr())+"&multiStatements=false", orm.WithCommitTimeout(12*testdb.VitessTransactions))
	lost := p.On("\x03COMMIT", proxy.Strand)
	err = block(db, []string{"INSERT INTO t VALUES (1, 0)"}, atomic.ResolveCommit())
	b.t.Log(err)
	require.Error(b.t, err)
	require.False(b.t, isUnknown(err), "%v", err)
	lost.Release()
	assert.Empty(b.t, b.rows())
}

// The server behind ends the session: vtgate says 2006 or 2013 in an answer of its
// own, and does not say what became of COMMIT.
func vitessKilledBehind(b *bed) {
	ctx := b.t.Context()
	db := b.open(b.via(b.Nodes[0].Addr), orm.WithCommitTimeout(20*time.Second))
	do := run(db)
	for id, opts := range [][]atomic.Option{nil, {atomic.ResolveCommit()}, {atomic.ResolveCommit(), atomic.RetryPolicy{Max: 2, Connection: true}}} {
		attempts := 0
		err := atomic.Do(ctx, db, func(ctx context.Context) error {
			if err := do(ctx, "INSERT INTO t VALUES (?, ?)", id, 0); err != nil {
				return err
			}
			if attempts++; attempts == 1 {
				b.endSession("0")
			}
			return nil
		}, opts...)
		b.t.Logf("at COMMIT, %d attempts: %v", attempts, err)
		assert.Equal(b.t, len(opts) == 0, isUnknown(err), "%v", err)
		assert.Equal(b.t, len(opts) == 2, err == nil, "%v", err)
	}
	assert.Equal(b.t, "2:0", b.rows())

	// Before a statement: it and the block fail, and nothing else of it is carried out.
	for _, swallow := range []bool{false, true} {
		err := atomic.Do(ctx, db, func(ctx context.Context) error {
			if err := do(ctx, "INSERT INTO t VALUES (10, 0)"); err != nil {
				return err
			}
			b.endSession("0")
			err := do(ctx, "INSERT INTO t VALUES (11, 0)")
			if !swallow {
				return err
			}
			_ = do(ctx, "INSERT INTO t VALUES (12, 0)")
			return nil
		})
		b.t.Logf("before a statement: %v", err)
		assert.ErrorIs(b.t, err, dialect.ErrConnectionLost)
		assert.False(b.t, isUnknown(err), "%v", err)
		assert.Equal(b.t, "2:0", b.rows())
	}
}

// vttablet ends a transaction that takes too long. What comes before it is gone, and
// so nothing that comes after it may be kept, whatever fn makes of the error.
func vitessTooLong(b *bed) {
	ctx := b.t.Context()
	db := b.on(b.Nodes[0])
	insert := func(ctx context.Context, id int) error { return run(db)(ctx, "INSERT INTO t VALUES (?, 0)", id) }
	for name, after := range map[string]func(context.Context) error{
		"nothing more":  func(context.Context) error { return nil },
		"one statement": func(ctx context.Context) error { return insert(ctx, 2) },
		"nested, and more": func(ctx context.Context) error {
			for id := 2; id < 5; id++ {
				_ = atomic.Do(ctx, db, func(ctx context.Context) error { return insert(ctx, id) })
			}
			_ = insert(ctx, 6)
			return nil
		},
	} {
		err := atomic.Do(ctx, db, func(ctx context.Context) error {
			if err := insert(ctx, 1); err != nil {
				return err
			}
			b.noTransaction()
			return after(ctx)
		})
		b.t.Logf("%s: %v", name, err)
		assert.Error(b.t, err, name)
		assert.Empty(b.t, b.rows(), name)
	}
}

// The work for a key is done once, whoever asks at the same time, and its result is kept
// with it.
func vitessOnce(b *bed) {
	db := b.on(b.Nodes[0])
	b.arrange(mysql.OnceTable, "INSERT INTO t VALUES (1, 0)")
	add := func(ctx context.Context) (int, error) {
		v := 0
		if err := run(db)(ctx, "UPDATE t SET v = v + 1 WHERE id = 1"); err != nil {
			return 0, err
		}
		err := db.QueryRow(ctx, "SELECT v FROM t WHERE id = 1").Scan(&v)
		return v, err
	}
	for key := 1; key <= 3; key++ {
		var asking sync.WaitGroup
		for range 8 {
			asking.Go(func() {
				got, err := atomic.Once(b.t.Context(), db, fmt.Sprint("key ", key), add, atomic.Retry(20), atomic.Wait(30*time.Second))
				assert.NoError(b.t, err)
				assert.Equal(b.t, key, got)
			})
		}
		asking.Wait()
		assert.Equal(b.t, fmt.Sprint("1:", key), b.rows())
	}
}
