package testdb

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/holdfast-go/holdfast/tests/images"
)

// MultiPrimary has all nodes of a [GroupReplication] cluster take writes.
func MultiPrimary() ClusterOption { return func(o *clusterOptions) { o.multi = true } }

type groupReplication struct{}

func (groupReplication) engine() Engine  { return MySQL }
func (groupReplication) names() []string { return []string{"mysql-1", "mysql-2", "mysql-3"} }

func (groupReplication) dsn(hosts []string, database string) string {
	return galera{}.dsn(hosts, database)
}

func (groupReplication) image(ctx context.Context, o clusterOptions) (string, error) {
	return usualImage(ctx, MySQL, o)
}

// A node that is silent is expelled as soon as it is suspected, and one that sees
// no majority gives up after three seconds: by default it would wait for ever. What
// the binary log has, InnoDB must have when its process is killed.
func (groupReplication) flags(n *Node) []string {
	var seeds []string
	for _, node := range n.cluster.Nodes {
		seeds = append(seeds, node.inside+":33061")
	}
	number := fmt.Sprint(slices.Index(n.cluster.Nodes, n) + 1)
	flags := []string{
		"--max-connections=300", "--skip-name-resolve", "--mysqlx=OFF",
		"--innodb-flush-log-at-trx-commit=2", "--sync-binlog=0", "--innodb-doublewrite=OFF", "--innodb-buffer-pool-size=64M",
		"--server-id=" + number, "--report-host=" + n.inside, "--gtid-mode=ON", "--enforce-gtid-consistency=ON", "--log-bin",
		"--plugin-load-add=group_replication.so",
		"--loose-group-replication-group-name=8a94f357-aab4-11df-86ab-c80aa9429562",
		"--loose-group-replication-local-address=" + n.inside + ":33061",
		"--loose-group-replication-group-seeds=" + strings.Join(seeds, ","),
		"--loose-group-replication-recovery-get-public-key=ON",
		"--loose-group-replication-message-cache-size=134217728",
		"--loose-group-replication-member-expel-timeout=0",
		"--loose-group-replication-unreachable-majority-timeout=3",
		"--loose-group-replication-autorejoin-tries=0",
	}
	if n.cluster.options.multi {
		flags = append(flags, "--loose-group-replication-single-primary-mode=OFF",
			"--loose-group-replication-enforce-update-everywhere-checks=ON")
	}
	return append(flags, n.cluster.options.flags...)
}

func (g groupReplication) start(ctx context.Context, c *Machines) error {
	for _, node := range c.Nodes { // all at once: each takes a while
		if err := node.machine.start(append(g.flags(node), "--loose-group-replication-start-on-boot=OFF")...); err != nil {
			return err
		}
	}
	for i, node := range c.Nodes {
		if err := node.answers(ctx); err != nil {
			return err
		}
		// Without it, one that comes back would be alone, and take writes.
		node.flags = append(g.flags(node), "--loose-group-replication-start-on-boot=ON")
		join := []string{
			"CHANGE REPLICATION SOURCE TO SOURCE_USER = 'root', SOURCE_PASSWORD = '" + images.Password + "' FOR CHANNEL 'group_replication_recovery'",
			"START GROUP_REPLICATION",
		}
		if i == 0 {
			join = slices.Insert(join, 1, "SET GLOBAL group_replication_bootstrap_group = ON")
			join = append(join, "SET GLOBAL group_replication_bootstrap_group = OFF")
		}
		if err := node.Run(ctx, "", join...); err != nil {
			return err
		}
	}
	for _, node := range c.Nodes {
		if err := g.online(ctx, node); err != nil {
			return err
		}
	}
	return nil
}

// online waits until a node is a member, in its own eyes as in the group's.
func (g groupReplication) online(ctx context.Context, n *Node) error {
	return until(ctx, time.Minute, n.Name+" is online", func(ctx context.Context) error { return g.isOnline(ctx, n) })
}

// isOnline asks another node as well: one that was cut off has itself for a member until it
// hears that it was expelled.
func (groupReplication) isOnline(ctx context.Context, n *Node) error {
	const members = "performance_schema.replication_group_members"
	state, err := n.Ask(ctx, "", "SELECT CONCAT(@@server_uuid, ' ', me.member_state, ' ', (SELECT COUNT(*) FROM "+members+" WHERE member_state = 'ONLINE') > 1) FROM "+
		members+" me WHERE me.member_id = @@server_uuid")
	if err != nil {
		return err
	}
	uuid, own, _ := strings.Cut(state, " ")
	if own != "ONLINE 1" {
		return fmt.Errorf("state %q", own)
	}
	for _, other := range n.cluster.Others(n) {
		if other.down {
			continue
		}
		state, err = other.Ask(ctx, "", "SELECT member_state FROM "+members+" WHERE member_id = '"+uuid+"'")
		if err == nil && state == "ONLINE" {
			return nil
		}
		if err == nil {
			err = fmt.Errorf("state %q in the eyes of %s", state, other.Name)
		}
	}
	return err
}

// One that was expelled, or gave up, has to be told to join.
func (g groupReplication) restart(ctx context.Context, n *Node) error {
	if n.down {
		if err := n.Start(ctx); err != nil {
			return err
		}
		return g.online(ctx, n)
	}
	return until(ctx, 2*time.Minute, n.Name+" is a member again", func(ctx context.Context) error {
		state, err := n.Ask(ctx, "", "SELECT member_state FROM performance_schema.replication_group_members WHERE member_id = @@server_uuid")
		switch {
		case err != nil:
			return err
		case state == "ONLINE":
			return g.isOnline(ctx, n)
		case state == "RECOVERING":
			return fmt.Errorf("state %s", state)
		}
		if err := n.Run(ctx, "", "STOP GROUP_REPLICATION", "START GROUP_REPLICATION"); err != nil {
			return err
		}
		return g.online(ctx, n)
	})
}

func (g groupReplication) promote(ctx context.Context, n *Node) error {
	uuid, err := n.Ask(ctx, "", "SELECT @@server_uuid")
	if err != nil {
		return err
	}
	_, err = n.Ask(ctx, "", "SELECT group_replication_set_as_primary('"+uuid+"')")
	return err
}
