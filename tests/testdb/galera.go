package testdb

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/holdfast-go/holdfast/tests/images"
)

type galera struct{}

func (galera) engine() Engine  { return MariaDB }
func (galera) names() []string { return []string{"galera-1", "galera-2", "galera-3"} }

func (galera) dsn(hosts []string, database string) string {
	return "root:" + images.Password + "@tcp(" + hosts[0] + ")/" + database
}

func (galera) image(ctx context.Context, o clusterOptions) (string, error) {
	return builtImage(ctx, "galera", o)
}

// A node that is silent is given up sooner than by default (5 and 15 seconds), so
// that a test of a cut need not wait that long. All begin with the same data, and
// are told so: a node needs what came after it, and no copy of everything.
func (galera) flags(n *Node) []string {
	var addresses []string
	for _, node := range n.cluster.Nodes {
		addresses = append(addresses, node.inside)
	}
	return append([]string{
		"--max-connections=300", "--skip-name-resolve", "--character-set-server=utf8mb4",
		"--innodb-flush-log-at-trx-commit=0", "--innodb-doublewrite=OFF", "--innodb-buffer-pool-size=64M",
		"--binlog-format=ROW", "--innodb-autoinc-lock-mode=2", "--wsrep-on=ON",
		"--wsrep-provider=/usr/lib/galera/libgalera_smm.so", "--wsrep-sst-method=rsync",
		"--wsrep-provider-options=gcache.size=64M;evs.keepalive_period=PT0.5S;evs.inactive_check_period=PT0.25S;" +
			"evs.suspect_timeout=PT3S;evs.inactive_timeout=PT5S;evs.install_timeout=PT5S",
		"--wsrep-start-position=8a94f357-aab4-11df-86ab-c80aa9429562:0",
		"--wsrep-cluster-name=holdfast", "--wsrep-node-name=" + n.Name, "--wsrep-node-address=" + n.inside,
		"--wsrep-cluster-address=gcomm://" + strings.Join(addresses, ","),
	}, n.cluster.options.flags...)
}

func (g galera) start(ctx context.Context, c *Machines) error {
	first := c.Nodes[0]
	if err := first.begin(ctx, append(g.flags(first), "--wsrep-new-cluster")...); err != nil {
		return err
	}
	first.flags = g.flags(first)       // should it ever come back, it finds the others
	for _, node := range c.Nodes[1:] { // at once, they are in each other's way
		node.flags = g.flags(node)
		if err := g.join(ctx, node); err != nil {
			return err
		}
	}
	return nil
}

func (g galera) join(ctx context.Context, n *Node) error {
	if err := n.Start(ctx); err != nil {
		return err
	}
	return g.synced(ctx, n)
}

func (galera) synced(ctx context.Context, n *Node) error {
	return until(ctx, time.Minute, n.Name+" is synced", func(ctx context.Context) error {
		state, err := n.Ask(ctx, "", "SELECT variable_value FROM information_schema.global_status WHERE variable_name = 'wsrep_local_state_comment'")
		if err == nil && state != "Synced" {
			err = fmt.Errorf("state %q", state)
		}
		return err
	})
}

// A node that was only cut off joins by itself. One that was killed starts anew: it
// does not know how far it had come.
func (g galera) restart(ctx context.Context, n *Node) error {
	if !n.down {
		return g.synced(ctx, n)
	}
	if _, err := n.run(ctx, "root", "sh", "-c", "rm -rf /var/lib/mysql/* /var/lib/mysql/.[a-z]*"); err != nil {
		return err
	}
	return g.join(ctx, n)
}

func (galera) promote(context.Context, *Node) error {
	return fmt.Errorf("every node of a %s cluster may be written to", Galera)
}
