package clusters

import (
	"context"
	"database/sql"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	hf "github.com/holdfast-go/holdfast/atomic"
	"github.com/holdfast-go/holdfast/orm"
	"github.com/holdfast-go/holdfast/tests/soak"
)

const (
	accounts = 20
	fortune  = 1000 // in each account
	movers   = 16
)

// bank is where the money is.
type bank struct {
	*bed
	ways []*orm.DB // what the movers use in turn

	moved    sync.Map // what became of each transfer, by its number
	next     atomic.Int64
	attempts atomic.Int64
}

// transfer is what Do returned, and whether it was to find out about a lost COMMIT.
type transfer struct {
	err     error
	way     int
	resolve bool
	began   time.Time
}

// outcome is what became of the transfers.
type outcome struct {
	done, failed, unknown          int
	doneMissing, failedThere, lost []string
	unresolved                     []transfer // that nobody found out about, though asked
}

// money moves amounts between accounts, on these ways to the database, while the
// fault happens. What the cluster needs to be whole again comes after it, and then
// the accounts are audited.
func money(b *bed, ways []*orm.DB, fault, repair func()) outcome {
	b.t.Helper()
	bk := &bank{bed: b, ways: ways}
	var rows []string
	for id := range accounts {
		rows = append(rows, fmt.Sprintf("(%d, %d)", id, fortune))
	}
	b.arrange("INSERT INTO t (id, v) VALUES "+strings.Join(rows, ", "),
		"CREATE TABLE transfer (id BIGINT PRIMARY KEY, source BIGINT NOT NULL, target BIGINT NOT NULL, amount BIGINT NOT NULL)")
	for _, way := range ways {
		way.SQL().SetMaxOpenConns(movers)
	}
	over := make(chan struct{})
	var moving sync.WaitGroup
	for mover := range movers {
		moving.Go(func() {
			for {
				select {
				case <-over:
					return
				default:
					bk.move(mover)
				}
			}
		})
	}
	half := moneyTime() / 2
	wait(half)
	fault()
	wait(half)
	close(over)
	moving.Wait()
	repair()
	return bk.audit()
}

func nothing() {}

// wait lets the movers go on for a while.
func wait(d time.Duration) { <-time.After(d) }

func moneyTime() time.Duration {
	if soak.Asked() {
		return time.Minute
	}
	return 3 * time.Second
}

// move moves money between two accounts, in any order, so that transfers run into
// each other. Half of the movers resolve a lost COMMIT.
func (b *bank) move(mover int) {
	id := b.next.Add(1)
	source := rand.IntN(accounts)
	target := (source + 1 + rand.IntN(accounts-1)) % accounts
	amount := 1 + rand.IntN(10)
	way := mover % len(b.ways)
	db := b.ways[way]
	opts := []hf.Option{hf.RetryPolicy{Max: 30, Base: 2 * time.Millisecond, Cap: 100 * time.Millisecond, Connection: true}}
	result := transfer{way: way, resolve: mover/len(b.ways)%2 == 0, began: time.Now()}
	if result.resolve {
		opts = append(opts, hf.ResolveCommit())
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(b.t.Context()), 20*time.Second)
	defer cancel()
	result.err = hf.Do(ctx, db, func(ctx context.Context) error {
		b.attempts.Add(1)
		exec := func(ctx context.Context, text string, args ...any) error {
			_, err := db.Exec(ctx, fmt.Sprintf(text, args...))
			return err
		}
		if err := exec(ctx, "UPDATE t SET v = v - %d WHERE id = %d", amount, source); err != nil {
			return err
		}
		credit := func(ctx context.Context) error {
			if err := exec(ctx, "UPDATE t SET v = v + %d WHERE id = %d", amount, target); err != nil {
				return err
			}
			return exec(ctx, "INSERT INTO transfer (id, source, target, amount) VALUES (%d, %d, %d, %d)", id, source, target, amount)
		}
		if b.flat {
			return credit(ctx)
		}
		return hf.Do(ctx, db, credit)
	}, opts...)
	b.moved.Store(id, result)
	if result.err != nil {
		wait(20 * time.Millisecond) // a node that refuses everything would be asked all the time
	}
}

// transfers are the ids of those that are there, read in pages: vttablet gives no more than
// 10,000 rows.
func transfers(t *testing.T, db *sql.DB) map[int64]bool {
	t.Helper()
	const page = 5000
	there := map[int64]bool{}
	for last, full := int64(-1), true; full; {
		before := len(there)
		rows, err := db.QueryContext(t.Context(), fmt.Sprintf("SELECT id FROM transfer WHERE id > %d ORDER BY id LIMIT %d", last, page))
		require.NoError(t, err)
		for rows.Next() {
			require.NoError(t, rows.Scan(&last))
			there[last] = true
		}
		require.NoError(t, rows.Err())
		require.NoError(t, rows.Close())
		full = len(there) == before+page
	}
	return there
}

// audit looks at every node: they must agree.
func (b *bank) audit() (o outcome) {
	b.t.Helper()
	const digest = "SELECT CONCAT((SELECT COUNT(*) FROM transfer), ' ', (SELECT SUM(v) FROM t), ' ', (SELECT SUM(v * id) FROM t))"
	require.NoError(b.t, b.Caught(b.t.Context(), b.name, digest), "all nodes have the same")
	writer, err := b.Writer(b.t.Context())
	require.NoError(b.t, err)
	assert.Equal(b.t, accounts*fortune, b.number(writer, "SELECT SUM(v) FROM t"), "the sum")
	assert.Zero(b.t, b.number(writer, `SELECT COUNT(*) FROM t a WHERE a.v <> 1000
		+ (SELECT COALESCE(SUM(amount), 0) FROM transfer WHERE target = a.id)
		- (SELECT COALESCE(SUM(amount), 0) FROM transfer WHERE source = a.id)`), "accounts that do not agree with their transfers")

	there := transfers(b.t, writer.Open(b.t, b.name))
	b.moved.Range(func(key, value any) bool {
		id, result := key.(int64), value.(transfer)
		err := result.err
		switch {
		case err == nil:
			o.done++
			if !there[id] {
				o.doneMissing = append(o.doneMissing, strconv.FormatInt(id, 10))
			}
		case isUnknown(err):
			o.unknown++
			if result.resolve {
				o.unresolved = append(o.unresolved, result)
			}
			if !there[id] {
				o.lost = append(o.lost, strconv.FormatInt(id, 10))
			}
		default:
			o.failed++
			if there[id] {
				o.failedThere = append(o.failedThere, fmt.Sprintf("%d: %v", id, err))
			}
		}
		return true
	})
	b.t.Logf("%d transfers done, %d failed, %d of unknown outcome (%d of these are not there, %d had asked); %d attempts",
		o.done, o.failed, o.unknown, len(o.lost), len(o.unresolved), b.attempts.Load())
	assert.Empty(b.t, o.failedThere, "transfers that failed and are there")
	assert.Positive(b.t, o.done)
	return o
}

// kept is what has to hold wherever a COMMIT that was acknowledged is not lost.
func (o outcome) kept(t *testing.T) outcome {
	t.Helper()
	assert.Empty(t, o.doneMissing, "transfers that were done and are missing")
	return o
}

// resolved is what has to hold where a server that can know is reached again within
// the limit of COMMIT: whoever asks gets an answer, but on ways to what stays away.
func (o outcome) resolved(t *testing.T, but ...int) outcome {
	t.Helper()
	for _, left := range o.unresolved {
		if !slices.Contains(but, left.way) {
			assert.NoError(t, left.err, "nobody found out, though it was asked")
		}
	}
	return o
}

// known is what has to hold where nothing happened to any machine.
func (o outcome) known(t *testing.T) {
	t.Helper()
	o.kept(t)
	assert.Zero(t, o.unknown, "transfers of unknown outcome")
}
