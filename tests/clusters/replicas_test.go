package clusters

import (
	"context"
	"database/sql"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/uptrace/bun"

	hf "github.com/holdfast-go/holdfast/atomic"
	"github.com/holdfast-go/holdfast/dialect"
	"github.com/holdfast-go/holdfast/internal/proxy"
	"github.com/holdfast-go/holdfast/orm"
	"github.com/holdfast-go/holdfast/query"
	"github.com/holdfast-go/holdfast/tests/testdb"
)

// pairs runs a test on a primary with a replica of each engine.
func pairs(t *testing.T, test func(t *testing.T, b *bed)) {
	t.Helper()
	for _, kind := range []testdb.ClusterKind{testdb.PostgresPair, testdb.MySQLPair, testdb.MariaDBPair} {
		t.Run(string(kind), func(t *testing.T) {
			t.Parallel()
			test(t, newBed(t, testdb.Cluster(t, kind)))
		})
	}
}

type number struct {
	bun.BaseModel `bun:"table:t"`
	ID            int64 `bun:",pk"`
	V             int64
}

// reading opens the first node with the second as its replica.
func (b *bed) reading(opts ...orm.Option) *orm.DB {
	b.t.Helper()
	return b.on(b.Nodes[0], append(opts, orm.WithReplicas(b.source(b.Nodes[1].DSN(b.name))))...)
}

// where says which node a read with ctx is answered by.
func (b *bed) where(ctx context.Context, db *orm.DB) int {
	question := "SELECT @@server_id"
	if b.Nodes[0].Engine == testdb.Postgres {
		question = "SELECT 1 + pg_is_in_recovery()::int"
	}
	node := 0
	require.NoError(b.t, db.QueryRow(ctx, question).Scan(&node))
	return node
}

// readOnly runs fn in a block that a replica may answer.
func readOnly(ctx context.Context, db *orm.DB, fn func(ctx context.Context) error) error {
	return hf.Do(ctx, db, fn, hf.ReadOnly(), hf.Retry(3))
}

// value reads a row in a ReadOnly block, -1 for none.
func value(ctx context.Context, db *orm.DB, id int64) (v int64, err error) {
	err = readOnly(ctx, db, func(ctx context.Context) error {
		rows, err := orm.Objects[number](db).Filter(query.F("id").Eq(id)).All(ctx)
		v = -1
		if err == nil && len(rows) > 0 {
			v = rows[0].V
		}
		return err
	})
	return v, err
}

func set(ctx context.Context, db *orm.DB, id, v int64) error {
	return hf.Do(ctx, db, func(ctx context.Context) error {
		_, err := orm.Objects[number](db).Filter(query.F("id").Eq(id)).Update(ctx, query.Set("v", v))
		return err
	})
}

// Clients write, and read what they have written on a replica that is late.
func TestR03_OwnWritesAreRead(t *testing.T) {
	pairs(t, func(t *testing.T, b *bed) {
		const clients, writes = 16, 8
		db := b.reading(orm.ReplicaWait(time.Minute))
		for id := range clients {
			require.NoError(t, orm.Objects[number](db).Create(t.Context(), &number{ID: int64(id)}))
		}
		require.NoError(t, b.Caught(t.Context(), b.name, "SELECT count(*) FROM t"))
		require.NoError(t, b.Nodes[1].Lag(t.Context(), 200*time.Millisecond))
		stale := map[bool]int64{}
		for _, remembers := range []bool{false, true} {
			var missed, elsewhere atomic.Int64
			var all sync.WaitGroup
			for id := range clients {
				all.Go(func() {
					for n := range writes {
						ctx := t.Context()
						if remembers {
							ctx = hf.Seen(ctx, db)
						}
						if !assert.NoError(t, set(ctx, db, int64(id), int64(n)+1)) {
							return
						}
						err := readOnly(ctx, db, func(ctx context.Context) error {
							if b.where(ctx, db) == 2 {
								elsewhere.Add(1)
							}
							row, err := orm.Objects[number](db).Filter(query.F("id").Eq(int64(id))).Get(ctx)
							if err == nil && row.V != int64(n)+1 {
								missed.Add(1)
							}
							return err
						})
						assert.NoError(t, err)
					}
				})
			}
			all.Wait()
			stale[remembers] = missed.Load()
			assert.EqualValues(t, clients*writes, elsewhere.Load(), "read on the replica")
		}
		t.Logf("of %d reads %d were stale without Seen", clients*writes, stale[false])
		assert.Positive(t, stale[false], "the replica is late")
		assert.Zero(t, stale[true])
	})
}

// What a token costs, on the wire.
func TestR04_ATokenCostsNoRoundTrip(t *testing.T) {
	pairs(t, func(t *testing.T, b *bed) {
		line := proxy.New(t, b.Nodes[0].Addr)
		way := *b.Nodes[0]
		way.Addr = line.Addr()
		db := b.on(&way, orm.MaxOpenConns(1))
		require.NoError(t, orm.Objects[number](db).Create(t.Context(), &number{ID: 1}))
		turns := func(ctx context.Context, write func(ctx context.Context) error) int {
			for range 2 { // what is said once for each connection, and prepared
				require.NoError(t, write(ctx))
			}
			return line.During(func() { require.NoError(t, write(ctx)) }).Turns
		}
		n := int64(0) // what changes nothing has no place in a history
		block := func(ctx context.Context) error { n++; return set(ctx, db, 1, n) }
		alone := func(ctx context.Context) error {
			n++
			_, err := orm.Objects[number](db).Filter(query.F("id").Eq(1)).Update(ctx, query.Set("v", n))
			return err
		}
		seen := hf.Seen(t.Context(), db)
		assert.Equal(t, 2, turns(t.Context(), block))
		assert.Equal(t, 2, turns(seen, block), "a block")
		assert.Equal(t, 1, turns(t.Context(), alone))
		want := 1
		if b.Nodes[0].Engine == testdb.Postgres {
			want = 2
		}
		assert.Equal(t, want, turns(seen, alone), "a statement outside any block")
		token := hf.SeenToken(seen, db)
		assert.Regexp(t, "^[A-Za-z0-9.:_-]+$", token)
		assert.NotEqual(t, "writer", token)
		assert.Equal(t, 2, turns(t.Context(), block), "nobody asks any more")
	})
}

// A token goes to another process as a text.
func TestR04_AcrossProcesses(t *testing.T) {
	pairs(t, func(t *testing.T, b *bed) {
		db, other := b.reading(orm.ReplicaWait(time.Minute)), b.reading(orm.ReplicaWait(time.Minute))
		require.NoError(t, orm.Objects[number](db).Create(t.Context(), &number{ID: 1}))
		require.NoError(t, b.Caught(t.Context(), b.name, "SELECT count(*) FROM t"))
		require.NoError(t, b.Nodes[1].Lag(t.Context(), 200*time.Millisecond))
		ctx := hf.Seen(t.Context(), db)
		require.Empty(t, hf.SeenToken(ctx, db))
		for n := range int64(20) {
			require.NoError(t, set(ctx, db, 1, n))
			there, err := hf.SeenFrom(t.Context(), other, hf.SeenToken(ctx, db))
			require.NoError(t, err)
			v, err := value(there, other, 1)
			require.NoError(t, err)
			assert.Equal(t, n, v)
		}
		for _, token := range []string{"x", "pg-1", "my-x", "ma-1-2", "pg-1-1-99999999999999999999", "my-", hf.SeenToken(ctx, db) + "'"} {
			_, err := hf.SeenFrom(t.Context(), db, token)
			assert.ErrorIs(t, err, hf.ErrToken, token)
		}
		// What somebody has made up is waited for in vain, for a while.
		quick := b.reading(orm.ReplicaWait(50 * time.Millisecond))
		made := map[testdb.Engine]string{
			testdb.Postgres: "pg-1-1-99999999", testdb.MySQL: "my-3e11fa47-71ca-11e1-9e33-c80aa9429562:1-5", testdb.MariaDB: "ma-0-1-99999999",
		}[b.Nodes[0].Engine]
		ctx, err := hf.SeenFrom(t.Context(), quick, made)
		require.NoError(t, err)
		for range 2 {
			v, err := value(ctx, quick, 1)
			require.NoError(t, err)
			assert.EqualValues(t, 19, v)
		}
	})
}

// It takes no right but those to read and to write.
func TestR04_APlainUser(t *testing.T) {
	pairs(t, func(t *testing.T, b *bed) {
		ctx := t.Context()
		if b.Nodes[0].Engine == testdb.Postgres {
			b.arrange("CREATE ROLE plain LOGIN PASSWORD 'plain'", "GRANT SELECT, INSERT, UPDATE ON t TO plain")
		} else {
			b.arrange("CREATE USER plain IDENTIFIED BY 'plain'", "GRANT SELECT, INSERT, UPDATE ON "+b.name+".t TO plain")
		}
		plain := func(node *testdb.Node) string {
			return strings.Replace(node.DSN(b.name), "://postgres:holdfast@", "://plain:plain@", 1)
		}
		if b.Nodes[0].Engine != testdb.Postgres {
			plain = func(node *testdb.Node) string {
				return strings.Replace(node.DSN(b.name), "root:holdfast@", "plain:plain@", 1)
			}
		}
		require.Eventually(t, func() bool {
			db, err := orm.Open(ctx, b.source(plain(b.Nodes[1])))
			return err == nil && db.Close() == nil
		}, 20*time.Second, 20*time.Millisecond)
		for name, more := range map[string]string{"": "", "compressed": "?compress=true"} {
			if more != "" && b.Nodes[0].Engine == testdb.Postgres {
				continue
			}
			t.Run(name, func(t *testing.T) {
				db := b.open(plain(b.Nodes[0])+more, orm.ReplicaWait(time.Minute), orm.WithReplicas(b.source(plain(b.Nodes[1])+more)))
				seen := hf.Seen(ctx, db)
				id := time.Now().UnixNano()
				require.NoError(t, orm.Objects[number](db).Create(seen, &number{ID: id}))
				for n := range int64(10) {
					require.NoError(t, set(seen, db, id, n+1))
					v, err := value(seen, db, id)
					require.NoError(t, err)
					assert.Equal(t, n+1, v)
				}
				assert.NotEqual(t, "writer", hf.SeenToken(seen, db))
				require.NoError(t, readOnly(seen, db, func(ctx context.Context) error {
					assert.Equal(t, 2, b.where(ctx, db))
					return nil
				}))
			})
		}
	})
}

// newer has a row that is 1 on the replica and 2 on the writer.
func (b *bed) newer() (db *orm.DB, row orm.QuerySet[number]) {
	ctx := b.t.Context()
	db = b.reading()
	require.NoError(b.t, orm.Objects[number](db).Create(ctx, &number{ID: 1, V: old}))
	require.NoError(b.t, b.Caught(ctx, b.name, "SELECT count(*) FROM t"))
	require.NoError(b.t, b.Nodes[1].Lag(ctx, time.Minute))
	require.NoError(b.t, set(ctx, db, 1, fresh))
	return db, orm.Objects[number](db).Filter(query.F("id").Eq(1))
}

const old, fresh = 1, 2

// Where what is sent goes.
func TestR01_WhoAnswers(t *testing.T) {
	pairs(t, func(t *testing.T, b *bed) {
		ctx := t.Context()
		db, row := b.newer()
		read := func(ctx context.Context, q orm.QuerySet[number]) int64 {
			row, err := q.Get(ctx)
			require.NoError(t, err)
			return row.V
		}
		assert.EqualValues(t, fresh, read(ctx, row))
		assert.EqualValues(t, old, read(ctx, row.OnReplica()))
		n, err := row.OnReplica().Filter(query.F("v").Eq(old)).Count(ctx)
		require.NoError(t, err)
		assert.EqualValues(t, 1, n)
		for row, err := range row.OnReplica().Iterate(ctx) {
			require.NoError(t, err)
			assert.EqualValues(t, old, row.V)
		}
		values, err := orm.Select[int64](ctx, row.OnReplica(), query.F("v"))
		require.NoError(t, err)
		assert.Equal(t, []int64{old}, values, "Select")
		require.NoError(t, readOnly(ctx, db, func(ctx context.Context) error {
			assert.EqualValues(t, old, read(ctx, row))
			return nil
		}))
		tx, err := db.SQL().BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
		require.NoError(t, err)
		var v int64
		require.NoError(t, tx.QueryRowContext(ctx, "SELECT v FROM t WHERE id = 1").Scan(&v))
		assert.EqualValues(t, old, v, "database/sql")
		require.NoError(t, tx.Commit())
		require.NoError(t, hf.Do(ctx, db, func(ctx context.Context) error {
			assert.EqualValues(t, fresh, read(ctx, row), "serializable")
			return nil
		}, hf.ReadOnly(), hf.Isolation(sql.LevelSerializable)))
	})
}

// What is in a block reads where the block does.
func TestR02_ABlockStaysWhereItIs(t *testing.T) {
	pairs(t, func(t *testing.T, b *bed) {
		ctx := t.Context()
		db, row := b.newer()
		read := func(ctx context.Context, q orm.QuerySet[number]) int64 {
			row, err := q.Get(ctx)
			require.NoError(t, err)
			return row.V
		}
		require.NoError(t, hf.Do(ctx, db, func(ctx context.Context) error {
			assert.EqualValues(t, fresh, read(ctx, row.OnReplica()), "in a block that writes")
			assert.ErrorIs(t, readOnly(ctx, db, func(context.Context) error { return nil }), hf.ErrOption)
			assert.NoError(t, hf.Do(ctx, db, func(ctx context.Context) error {
				assert.EqualValues(t, old, read(ctx, row), "a block of its own")
				return nil
			}, hf.ReadOnly(), hf.Propagation(hf.Independent)))
			return hf.Do(ctx, db, func(ctx context.Context) error {
				assert.EqualValues(t, fresh, read(ctx, row))
				return nil
			})
		}))
		err := readOnly(ctx, db, func(ctx context.Context) error {
			assert.Equal(t, 2, b.where(ctx, db))
			require.NoError(t, hf.Do(ctx, db, func(ctx context.Context) error {
				assert.EqualValues(t, old, read(ctx, row), "nested")
				return nil
			}))
			_, err := row.Update(ctx, query.Set("v", 3))
			return err
		})
		assert.ErrorIs(t, err, dialect.ErrReadOnly)
		session, in, err := db.Session(ctx)
		require.NoError(t, err)
		assert.EqualValues(t, fresh, read(in, row.OnReplica()), "in a session")
		require.NoError(t, session.Close())

		_, err = row.OnReplica().Update(ctx, query.Set("v", 3))
		assert.ErrorContains(t, err, "OnReplica")
		_, err = row.OnReplica().Delete(ctx)
		assert.ErrorContains(t, err, "OnReplica")
		assert.ErrorContains(t, orm.Objects[number](db).OnReplica().Create(ctx, &number{ID: 2}), "OnReplica")
		assert.ErrorIs(t, row.SelectForUpdate().OnReplica().Err(), orm.ErrLockOptions)
	})
}
