package testdb

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/holdfast-go/holdfast/internal/testserver"
)

// Node is a machine of a cluster with a server on it. Its methods must not be
// called from several goroutines at once.
type Node struct {
	Name   string
	Engine Engine
	// Addr is the host and port at which the test reaches it.
	Addr string

	*machine
	cluster *Machines
	down    bool
	flags   []string // what its server was started with
}

// DSN reaches a database through this node alone, as the administrator; "" is the
// one that every server has.
func (n *Node) DSN(database string) string { return n.cluster.flavour.dsn([]string{n.Addr}, database) }

// Open opens a pool over the stock driver. It is closed after the test.
func (n *Node) Open(t testing.TB, database string) *sql.DB {
	t.Helper()
	db, err := n.pool(database)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

func (n *Node) pool(database string) (*sql.DB, error) {
	server, err := testserver.At(n.Engine, n.DSN(database))
	if err != nil {
		return nil, err
	}
	return server.Open()
}

// Run sends statements on a connection of their own.
func (n *Node) Run(ctx context.Context, database string, statements ...string) error {
	server, err := testserver.At(n.Engine, n.DSN(database))
	if err != nil {
		return err
	}
	if err := server.Run(ctx, statements...); err != nil {
		return fmt.Errorf("%s: %w", n.Name, err)
	}
	return nil
}

// Ask returns the one value that a query gives, as text; "" for NULL and for no
// row.
func (n *Node) Ask(ctx context.Context, database, query string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	db, err := n.pool(database)
	if err != nil {
		return "", err
	}
	defer func() { _ = db.Close() }()
	var value sql.NullString
	if err := db.QueryRowContext(ctx, query).Scan(&value); err != nil && !errors.Is(err, sql.ErrNoRows) {
		return "", fmt.Errorf("%s: %w", n.Name, err)
	}
	return value.String, nil
}

// begin starts the node's server and waits until it answers.
func (n *Node) begin(ctx context.Context, flags ...string) error {
	n.flags = flags
	if err := n.machine.start(flags...); err != nil {
		return err
	}
	return n.answers(ctx)
}

func (n *Node) answers(ctx context.Context) error {
	err := n.reach(ctx, n.Engine, func(at string) string { n.Addr = at; return n.DSN("") })
	n.down = err != nil
	return err
}

// Kill ends the server as SIGKILL does: connections are gone, what it had not told
// anybody is lost, its data is as it was.
func (n *Node) Kill(ctx context.Context) error {
	n.down = true
	if err := n.signal(ctx, "KILL"); err != nil {
		return err
	}
	if err := n.silent(ctx); err != nil || n.Engine != Postgres {
		return err
	}
	return n.unlock(ctx)
}

// Start starts a server that was killed, with its data and as what it was: a
// primary of PostgreSQL believes that it is one still.
func (n *Node) Start(ctx context.Context) error { return n.begin(ctx, n.flags...) }

// Restart makes a node that was killed, cut off or left behind a member of its
// cluster again, and waits until it is. Its data is the cluster's then.
func (n *Node) Restart(ctx context.Context) error { return n.cluster.flavour.restart(ctx, n) }

// Promote makes the node the one that is written to, and waits until it is. Whether
// an old primary of PostgreSQL still runs is the test's affair; Group Replication
// makes the old primary a secondary.
func (n *Node) Promote(ctx context.Context) error { return n.cluster.flavour.promote(ctx, n) }

// Pause stops all processes of the node: connections stay and nothing answers,
// until [Node.Resume].
func (n *Node) Pause(ctx context.Context) error { return n.signal(ctx, "STOP") }

// Resume undoes [Node.Pause].
func (n *Node) Resume(ctx context.Context) error { return n.signal(ctx, "CONT") }
