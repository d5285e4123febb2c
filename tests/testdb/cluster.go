package testdb

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/holdfast-go/holdfast/internal/testserver"
)

// ClusterKind is a kind of cluster that a test can ask for.
type ClusterKind string

// The clusters.
const (
	// PostgresPair is a primary and a standby that streams from it, of the image
	// of the other PostgreSQL servers.
	PostgresPair ClusterKind = "postgres-pair"
	// Galera is three nodes of MariaDB, all of which may be written to.
	Galera ClusterKind = "galera"
	// GroupReplication is three nodes of MySQL, of the image of the other MySQL
	// servers. The first is the primary, unless the cluster is [MultiPrimary].
	GroupReplication ClusterKind = "group-replication"
	// MySQLPair and MariaDBPair are a primary and a replica that follows it by its
	// GTIDs, of the images of the other servers.
	MySQLPair   ClusterKind = "mysql-pair"
	MariaDBPair ClusterKind = "mariadb-pair"
	// Vitess is vtgate with its vttablets, and the mysqld behind them.
	Vitess ClusterKind = "vitess"
)

// clustersVariable lists the clusters and poolers that a run is to start, or says
// "all". Those of usualClusters need no image but the other tests'; those of
// namedClusters take so long to build that "all" leaves them out.
const (
	clustersVariable = "HOLDFAST_TEST_CLUSTERS"
	usualClusters    = "postgres-pair,pgbouncer"
	namedClusters    = "vitess"
)

// NeedsCluster skips a test of a kind of cluster or pooler that takes long to start
// or to build, unless the person who started the run has asked for it. [Cluster] and
// [Machines.Pooler] ask it, too.
func NeedsCluster(t testing.TB, name string) {
	t.Helper()
	list := os.Getenv(clustersVariable)
	if list == "" {
		list = usualClusters
	}
	target := "test-clusters"
	if slices.Contains(strings.Split(namedClusters, ","), name) {
		target = "test-" + name
	} else if list == "all" {
		return
	}
	if !slices.Contains(strings.Split(list, ","), name) {
		t.Skipf("%s=%s leaves %s out; \"make %s\" runs it", clustersVariable, list, name, target)
	}
}

// clusterLimit bounds the start of a cluster whose images are there.
const clusterLimit = 3 * time.Minute

// flavour is how one kind of cluster is run.
type flavour interface {
	engine() Engine
	// image returns what its nodes are made of.
	image(ctx context.Context, o clusterOptions) (string, error)
	// names are its nodes'.
	names() []string
	// start starts the servers of machines that have none yet.
	start(ctx context.Context, c *Machines) error
	// restart makes a node that was killed, cut off or left behind a member again.
	restart(ctx context.Context, n *Node) error
	// promote makes a node the one that is written to.
	promote(ctx context.Context, n *Node) error
	// dsn reaches one node, or several of which the engine finds the writer.
	dsn(hosts []string, database string) string
}

func flavourOf(kind ClusterKind) flavour {
	switch kind {
	case PostgresPair:
		return postgresPair{}
	case Galera:
		return galera{}
	case GroupReplication:
		return groupReplication{}
	case MySQLPair:
		return mysqlPair{MySQL}
	case MariaDBPair:
		return mysqlPair{MariaDB}
	case Vitess:
		return vitess{}
	default:
		return nil
	}
}

// Machines is a running cluster.
type Machines struct {
	Kind ClusterKind
	// Nodes are in the order in which they were started: the primary of a new
	// cluster is the first.
	Nodes []*Node
	// Backend is the server behind the only node of a [Vitess] cluster; nil otherwise.
	Backend *Node

	flavour flavour
	options clusterOptions
	unused  []string // databases that are there from the start
}

// ClusterOption says how a cluster differs from the usual one of its kind.
type ClusterOption func(*clusterOptions)

type clusterOptions struct {
	synchronous string
	multi       bool
	flags       []string
	report      func(string)
}

// NodeFlags are added to the command line of each node.
func NodeFlags(flags ...string) ClusterOption {
	return func(o *clusterOptions) { o.flags = append(o.flags, flags...) }
}

// Cluster starts a cluster for this test alone, which may kill its nodes and cut
// their lines, and removes it after the test. Like a server's container, its
// machines live no longer than this process, however that ends. They are on
// Docker's default network, with addresses that stay while servers on them come
// and go: nothing but they themselves could be left behind.
func Cluster(t testing.TB, kind ClusterKind, opts ...ClusterOption) *Machines {
	t.Helper()
	f := flavourOf(kind)
	if f == nil {
		t.Fatalf("there is no cluster %q", kind)
	}
	testserver.Restrict(t, f.engine())
	NeedsCluster(t, string(kind))
	c := &Machines{Kind: kind, flavour: f, options: clusterOptions{report: func(s string) { t.Log(s) }}}
	for _, opt := range opts {
		opt(&c.options)
	}
	t.Cleanup(func() {
		if err := c.close(); err != nil {
			t.Error(err)
		}
	})
	began := time.Now()
	if err := c.start(t.Context()); err != nil {
		t.Fatalf("starting a cluster %s: %v%s", kind, err, c.logs())
	}
	t.Logf("%s ready after %s", kind, time.Since(began).Round(100*time.Millisecond))
	return c
}

func (c *Machines) start(ctx context.Context) error {
	image, err := c.flavour.image(ctx, c.options)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeoutCause(ctx, clusterLimit, fmt.Errorf("not ready after %s", clusterLimit))
	defer cancel()
	for _, name := range c.flavour.names() {
		kind := kinds[c.flavour.engine()]
		m, err := boot(ctx, role{name: name, image: image, port: kind.port, data: kind.data, env: kind.env})
		if err != nil {
			return err
		}
		c.Nodes = append(c.Nodes, &Node{machine: m, Name: name, Engine: c.flavour.engine(), cluster: c})
	}
	return c.flavour.start(ctx, c)
}

// all returns the nodes, and what stands behind them.
func (c *Machines) all() []*Node {
	if c.Backend == nil {
		return c.Nodes
	}
	return append(slices.Clone(c.Nodes), c.Backend)
}

func (c *Machines) close() error {
	errs := make([]error, len(c.all()))
	var closing sync.WaitGroup
	for i, node := range c.all() {
		closing.Go(func() { errs[i] = node.machine.Close() })
	}
	closing.Wait()
	return errors.Join(errs...)
}

// logs shows what the nodes wrote last.
func (c *Machines) logs() string {
	var all strings.Builder
	for _, node := range c.all() {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		fmt.Fprintf(&all, "\n--- %s\n%s", node.Name, node.wrote(ctx))
		cancel()
	}
	return all.String()
}

// DSN leads to a database of the cluster by way of the nodes given, or of all: on
// PostgreSQL to the one among them that can be written to, on the others to the
// first.
func (c *Machines) DSN(database string, nodes ...*Node) string {
	if len(nodes) == 0 {
		nodes = c.Nodes
	}
	var hosts []string
	for _, node := range nodes {
		hosts = append(hosts, node.Addr)
	}
	return c.flavour.dsn(hosts, database)
}

// NewDatabase makes an empty database, waits until all nodes that run have it, and
// returns its name. It ends with the cluster.
func (c *Machines) NewDatabase(t testing.TB) string {
	t.Helper()
	if c.Kind == Vitess {
		if len(c.unused) == 0 {
			t.Fatalf("no database of %s is left", c.Kind)
		}
		name := c.unused[0]
		c.unused = c.unused[1:]
		return name
	}
	name := "hf_" + strings.ToLower(rand.Text()[:16])
	writer, err := c.Writer(t.Context())
	if err == nil {
		err = writer.Run(t.Context(), "", "CREATE DATABASE "+name)
	}
	if err != nil {
		t.Fatalf("making a database on %s: %v", c.Kind, err)
	}
	if err := c.Caught(t.Context(), name, "SELECT 1"); err != nil {
		t.Fatal(err)
	}
	return name
}

// Writer returns the first node that runs and takes writes.
func (c *Machines) Writer(ctx context.Context) (*Node, error) {
	var errs []error
	for _, node := range c.Nodes {
		question := "SELECT CASE WHEN @@super_read_only + @@read_only THEN 0 ELSE 1 END"
		switch c.Kind {
		case PostgresPair:
			question = "SELECT CASE WHEN pg_is_in_recovery() THEN 0 ELSE 1 END"
		case MariaDBPair:
			question = "SELECT 1 - @@read_only"
		case Galera:
			question = "SELECT variable_value = 'ON' FROM information_schema.global_status WHERE variable_name = 'wsrep_ready'"
		case Vitess:
			question = "SELECT 1"
		}
		answer, err := node.Ask(ctx, "", question)
		if err == nil && answer == "1" {
			return node, nil
		}
		errs = append(errs, fmt.Errorf("%s: %s %w", node.Name, answer, err))
	}
	return nil, fmt.Errorf("no node of %s takes writes: %w", c.Kind, errors.Join(errs...))
}

// Caught waits until a query gives the same on every node that runs.
func (c *Machines) Caught(ctx context.Context, database, query string) error {
	return until(ctx, time.Minute, "all nodes have the same", func(ctx context.Context) error {
		first, from := "", (*Node)(nil)
		for _, node := range c.Nodes {
			if node.down {
				continue
			}
			got, err := node.Ask(ctx, database, query)
			switch {
			case err != nil:
				return err
			case from == nil:
				first, from = got, node
			case got != first:
				return fmt.Errorf("%s: %s on %s, %s on %s", query, first, from.Name, got, node.Name)
			}
		}
		return nil
	})
}

// Others returns all nodes but one.
func (c *Machines) Others(node *Node) []*Node {
	return slices.DeleteFunc(slices.Clone(c.Nodes), func(n *Node) bool { return n == node })
}
