package tests

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	hf "github.com/holdfast-go/holdfast/atomic"
	"github.com/holdfast-go/holdfast/internal/block"
	"github.com/holdfast-go/holdfast/internal/proxy"
	"github.com/holdfast-go/holdfast/tests/soak"
	"github.com/holdfast-go/holdfast/tests/testdb"
)

const (
	accounts = 50
	fortune  = 1000 // in each account
	movers   = 200
)

// bank is where the money is.
type bank struct {
	*database
	proxy *proxy.Proxy

	moved    sync.Map // what Do returned, by the number of the transfer
	next     atomic.Int64
	attempts atomic.Int64
}

// Money is moved by many, in any order of accounts, so that they run into each
// other all the time, while connections are killed and cut at random. It never
// becomes more or less; every transfer that Do called done is there, and none
// that it called failed. SQLite has no connections to kill and one writer.
func TestMoneyIsNeitherMadeNorLost(t *testing.T) {
	each(t, func(t *testing.T, db *database) {
		db.resolvable()
		var rows []string
		for id := range accounts {
			rows = append(rows, fmt.Sprintf("(%d, %d)", id, fortune))
		}
		db.arrange("INSERT INTO t (id, v) VALUES "+strings.Join(rows, ", "),
			"CREATE TABLE transfer (id BIGINT PRIMARY KEY, source BIGINT NOT NULL, target BIGINT NOT NULL, amount BIGINT NOT NULL)")
		if db.Engine == testdb.Postgres { // the others look for deadlocks at once
			db.arrange("ALTER DATABASE " + db.Name + " SET deadlock_timeout = '20ms'")
		}
		far, p := db.distant(setup{pool: 60, Settings: block.Settings{CommitTimeout: 5 * time.Minute}})
		b := &bank{database: far, proxy: p}

		ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), moneyTime())
		defer cancel()
		var trouble, moving sync.WaitGroup
		trouble.Go(func() { b.makeTrouble(ctx) })
		for mover := range movers {
			moving.Go(func() {
				for ctx.Err() == nil {
					b.move(context.WithoutCancel(ctx), mover)
				}
			})
		}
		moving.Wait()
		trouble.Wait()
		p.Cut()
		b.settled()
		b.audit(t)
	}, testdb.Servers()...)
}

func moneyTime() time.Duration {
	if d, err := time.ParseDuration(os.Getenv("HOLDFAST_MONEY")); err == nil {
		return d
	}
	if soak.Asked() {
		return 30 * time.Second
	}
	return 3 * time.Second
}

// move moves money between two accounts. Half of the movers resolve a lost
// COMMIT, and a part of each half does not retry what has failed.
func (b *bank) move(ctx context.Context, mover int) {
	id := b.next.Add(1)
	source := rand.IntN(accounts)
	target := (source + 1 + rand.IntN(accounts-1)) % accounts
	amount := 1 + rand.IntN(10)
	resolve, retry := mover%2 == 0, mover%6 < 4
	var opts []hf.Option
	if resolve {
		opts = append(opts, hf.ResolveCommit())
	}
	if retry {
		opts = append(opts, hf.RetryPolicy{Max: 30, Base: time.Millisecond, Cap: 50 * time.Millisecond, Connection: true})
	}
	err := hf.Do(ctx, b, func(ctx context.Context) error {
		b.attempts.Add(1)
		for _, account := range []int{source, target} {
			if _, err := b.number(ctx, "SELECT v FROM t WHERE id = ? FOR UPDATE", account); err != nil {
				return fmt.Errorf("account %d: %s", account, err) // its kind is hidden
			}
		}
		return hf.Do(ctx, b, func(ctx context.Context) error {
			if err := b.exec(ctx, "UPDATE t SET v = v - ? WHERE id = ?", amount, source); err != nil {
				return err
			}
			if err := b.exec(ctx, "UPDATE t SET v = v + ? WHERE id = ?", amount, target); err != nil {
				return err
			}
			return b.exec(ctx, "INSERT INTO transfer (id, source, target, amount) VALUES (?, ?, ?, ?)", id, source, target, amount)
		})
	}, opts...)
	b.moved.Store(id, err)
	if resolve {
		assert.NotErrorIs(b.t, err, hf.ErrCommitUnknown, "with ResolveCommit")
	}
}

// makeTrouble ends connections, by the server and on the network, at whatever
// moment they are in.
func (b *bank) makeTrouble(ctx context.Context) {
	kill := "KILL %d"
	if b.Engine == testdb.Postgres {
		kill = "SELECT pg_terminate_backend(%d)"
	}
	tick := time.NewTicker(15 * time.Millisecond)
	defer tick.Stop()
	for n := 0; ; n++ {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		switch n % 3 {
		case 0:
			if id := b.wires.anyID(); id != 0 {
				_, _ = b.Admin.ExecContext(context.Background(), fmt.Sprintf(kill, id)) // it may have ended by itself
			}
		case 1:
			b.proxy.Next(proxy.CutReply)
		case 2:
			b.proxy.On("COMMIT", []proxy.Action{proxy.CutRequest, proxy.CutReply, proxy.CutSent}[rand.IntN(3)])
		}
	}
}

func (b *bank) audit(t *testing.T) {
	assert.Equal(t, accounts*fortune, b.look("SELECT sum(v) FROM t"), "the sum")
	assert.Equal(t, 0, b.look(`SELECT count(*) FROM t a WHERE a.v <> 1000
		+ (SELECT COALESCE(sum(amount), 0) FROM transfer WHERE target = a.id)
		- (SELECT COALESCE(sum(amount), 0) FROM transfer WHERE source = a.id)`), "accounts that do not agree with their transfers")

	there := map[int64]bool{}
	rows, err := b.Admin.QueryContext(t.Context(), "SELECT id FROM transfer")
	require.NoError(t, err)
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var id int64
		require.NoError(t, rows.Scan(&id))
		there[id] = true
	}
	require.NoError(t, rows.Err())
	done, unknown, failed := 0, 0, 0
	b.moved.Range(func(id, result any) bool {
		err, _ := result.(error)
		switch {
		case err == nil:
			done++
			assert.True(t, there[id.(int64)], "transfer %d is missing", id)
		case errors.Is(err, hf.ErrCommitUnknown):
			unknown++
		default:
			failed++
			assert.False(t, there[id.(int64)], "transfer %d failed and is there: %v", id, err)
		}
		return true
	})
	t.Logf("%d transfers done, %d failed, %d of unknown outcome; %d attempts", done, failed, unknown, b.attempts.Load())
	assert.Positive(t, done)
}
