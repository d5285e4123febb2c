package clusters

import (
	"context"
	"errors"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/atomic"
	"github.com/holdfast-go/holdfast/dialect"
	"github.com/holdfast-go/holdfast/dialect/mysql"
	"github.com/holdfast-go/holdfast/dialect/postgres"
	"github.com/holdfast-go/holdfast/orm"
	"github.com/holdfast-go/holdfast/tests/soak"
	"github.com/holdfast-go/holdfast/tests/testdb"
)

// moment is how long what has to wait is watched waiting.
const moment = 300 * time.Millisecond

// bed is a fresh database of a cluster, with a table t (id, v) and the one that
// ResolveCommit writes to.
type bed struct {
	*testdb.Machines
	t    *testing.T
	name string
	flat bool // no savepoints
}

func newBed(t *testing.T, c *testdb.Machines) *bed {
	t.Helper()
	b := &bed{Machines: c, t: t, name: c.NewDatabase(t)}
	b.tables()
	return b
}

func (b *bed) tables() {
	b.t.Helper()
	b.arrange("CREATE TABLE t (id BIGINT NOT NULL PRIMARY KEY, v BIGINT NOT NULL)")
	if b.Nodes[0].Engine == testdb.Postgres {
		b.arrange(postgres.CommitsTable)
	} else {
		b.arrange(mysql.CommitsTable)
	}
}

// withoutMarks leaves ResolveCommit the numbers of PostgreSQL's transactions alone.
func (b *bed) withoutMarks() *bed {
	b.t.Helper()
	b.arrange("DROP TABLE holdfast_commits")
	return b
}

// arrange sends statements to the writer and waits until all nodes have the tables.
func (b *bed) arrange(statements ...string) {
	b.t.Helper()
	writer, err := b.Writer(b.t.Context())
	require.NoError(b.t, err)
	require.NoError(b.t, writer.Run(b.t.Context(), b.name, statements...))
	require.NoError(b.t, b.Caught(b.t.Context(), b.name, "SELECT count(*) FROM t"))
}

// open opens the database by the library, as this DSN leads to it.
func (b *bed) open(dsn string, opts ...orm.Option) *orm.DB {
	b.t.Helper()
	return b.openFrom(b.source(dsn), opts...)
}

func (b *bed) openFrom(source dialect.Source, opts ...orm.Option) *orm.DB {
	b.t.Helper()
	db, err := orm.Open(b.t.Context(), source, opts...)
	require.NoError(b.t, err)
	b.t.Cleanup(func() { require.NoError(b.t, db.Close()) })
	return db
}

func (b *bed) source(dsn string) dialect.Source {
	if b.Nodes[0].Engine == testdb.Postgres {
		return postgres.Open(dsn)
	}
	return mysql.Open(dsn)
}

// on opens the database through one node.
func (b *bed) on(node *testdb.Node, opts ...orm.Option) *orm.DB {
	b.t.Helper()
	return b.open(node.DSN(b.name), opts...)
}

// number asks a node.
func (b *bed) number(node *testdb.Node, query string) int {
	b.t.Helper()
	text, err := node.Ask(b.t.Context(), b.name, query)
	require.NoError(b.t, err)
	n, err := strconv.Atoi(text)
	require.NoError(b.t, err, "%s", query)
	return n
}

// soon waits until a query on a node gives a number.
func (b *bed) soon(node *testdb.Node, query string, want int) {
	b.t.Helper()
	text := ""
	require.Eventually(b.t, func() bool {
		text, _ = node.Ask(b.t.Context(), b.name, query)
		return text == strconv.Itoa(want)
	}, 30*time.Second, 20*time.Millisecond, "%s on %s", query, node.Name)
}

// block runs statements in one, on a ctx that ends if the cluster hangs.
func block(db *orm.DB, statements []string, opts ...atomic.Option) error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	return atomic.Do(ctx, db, func(ctx context.Context) error {
		for _, statement := range statements {
			if _, err := db.Exec(ctx, statement); err != nil {
				return err
			}
		}
		return nil
	}, opts...)
}

// going runs fn beside the test; the channel has what it returned.
func going(fn func() error) <-chan error {
	done := make(chan error, 1)
	go func() { done <- fn() }()
	return done
}

// rounds is how often what needs luck, or a cluster of its own each time, is tried.
func rounds(usual, long int) int {
	if soak.Asked() {
		return long
	}
	return usual
}

func isUnknown(err error) bool { return errors.Is(err, atomic.ErrCommitUnknown) }

// isConflict reports whether Retry would run the block again.
func isConflict(err error) bool {
	return errors.Is(err, dialect.ErrDeadlock) || errors.Is(err, dialect.ErrSerializationFailure)
}

// ways opens the database through nodes.
func (b *bed) ways(nodes ...int) (ways []*orm.DB) {
	for _, n := range nodes {
		ways = append(ways, b.on(b.Nodes[n], orm.WithCommitTimeout(20*time.Second)))
	}
	return ways
}
