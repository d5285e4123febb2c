package testdb

import (
	"context"
	_ "embed"
	"fmt"
	"slices"
	"time"

	"github.com/holdfast-go/holdfast/tests/images"
)

// mysqlPair is a primary of MySQL or MariaDB and a replica that follows it by its
// GTIDs.
type mysqlPair struct{ of Engine }

func (p mysqlPair) engine() Engine { return p.of }
func (p mysqlPair) names() []string {
	return []string{string(p.of) + "-1", string(p.of) + "-2"}
}

func (mysqlPair) dsn(hosts []string, database string) string { return galera{}.dsn(hosts, database) }

func (p mysqlPair) image(ctx context.Context, o clusterOptions) (string, error) {
	return usualImage(ctx, p.of, o)
}

// What the binary log has, the engine must have when its process is killed.
func (p mysqlPair) flags(n *Node) []string {
	flags := []string{
		"--max-connections=300", "--skip-name-resolve", "--character-set-server=utf8mb4", "--log-bin",
		"--innodb-flush-log-at-trx-commit=2", "--sync-binlog=0", "--innodb-doublewrite=OFF", "--innodb-buffer-pool-size=64M",
		"--server-id=" + fmt.Sprint(slices.Index(n.cluster.Nodes, n)+1),
	}
	if p.of == MySQL {
		flags = append(flags, "--mysqlx=OFF", "--gtid-mode=ON", "--enforce-gtid-consistency=ON")
	} else {
		flags = append(flags, "--log-slave-updates", "--gtid-strict-mode=ON", "--binlog-format=ROW")
	}
	return append(flags, n.cluster.options.flags...)
}

func (p mysqlPair) start(ctx context.Context, c *Machines) error {
	for _, node := range c.Nodes { // at once: each takes a while
		if err := node.machine.start(p.flags(node)...); err != nil {
			return err
		}
	}
	for _, node := range c.Nodes {
		node.flags = p.flags(node)
		if err := node.answers(ctx); err != nil {
			return err
		}
	}
	return p.follow(ctx, c.Nodes[1], c.Nodes[0])
}

// relay passes on what goes to another address, and what comes back from there as
// late as a file says, in milliseconds.
//
//go:embed relay.pl
var relay string

const (
	relayPort = "3307"
	relayLag  = "/tmp/lag"
)

// follow makes a node a replica of another. Both have begun with the same data.
func (p mysqlPair) follow(ctx context.Context, replica, primary *Node) error {
	if _, err := replica.run(ctx, "root", "sh", "-c", `echo 0 >`+relayLag+`
		setsid perl -e "$1" `+relayPort+` "$2" `+relayLag+` </dev/null >/dev/null 2>&1 &`, "sh", relay, primary.inside+":3306"); err != nil {
		return err
	}
	statements := []string{
		"CHANGE REPLICATION SOURCE TO SOURCE_HOST = '127.0.0.1', SOURCE_PORT = " + relayPort + ", SOURCE_USER = 'root', SOURCE_PASSWORD = '" +
			images.Password + "', SOURCE_AUTO_POSITION = 1, GET_SOURCE_PUBLIC_KEY = 1, SOURCE_CONNECT_RETRY = 1",
		"START REPLICA", "SET GLOBAL super_read_only = ON",
	}
	state := "SELECT service_state FROM performance_schema.replication_connection_status"
	if p.of == MariaDB {
		statements = []string{
			"CHANGE MASTER TO MASTER_HOST = '127.0.0.1', MASTER_PORT = " + relayPort + ", MASTER_USER = 'root', MASTER_PASSWORD = '" +
				images.Password + "', MASTER_USE_GTID = slave_pos, MASTER_CONNECT_RETRY = 1",
			"START SLAVE", "SET GLOBAL read_only = ON",
		}
		state = "SELECT variable_value FROM information_schema.global_status WHERE variable_name = 'slave_running'"
	}
	if err := replica.Run(ctx, "", statements...); err != nil {
		return err
	}
	return until(ctx, 30*time.Second, replica.Name+" follows", func(ctx context.Context) error {
		answer, err := replica.Ask(ctx, "", state)
		if err == nil && answer != "ON" {
			err = fmt.Errorf("state %q", answer)
		}
		return err
	})
}

// A node that comes back begins again with the image's data: the other's binary log
// has everything since. Under its old number it would pass over what is its own.
func (p mysqlPair) restart(ctx context.Context, n *Node) error {
	if !n.down {
		if err := n.Kill(ctx); err != nil {
			return err
		}
	}
	if _, err := n.run(ctx, "root", "sh", "-c", "rm -rf /var/lib/mysql/*"); err != nil {
		return err
	}
	n.flags = append(p.flags(n), fmt.Sprintf("--server-id=%d", time.Now().Unix()))
	if err := n.Start(ctx); err != nil {
		return err
	}
	return p.follow(ctx, n, n.cluster.Others(n)[0])
}

func (p mysqlPair) promote(ctx context.Context, n *Node) error {
	if p.of == MariaDB {
		return n.Run(ctx, "", "STOP SLAVE", "RESET SLAVE ALL", "SET GLOBAL read_only = OFF")
	}
	return n.Run(ctx, "", "STOP REPLICA", "RESET REPLICA ALL", "SET GLOBAL super_read_only = OFF", "SET GLOBAL read_only = OFF")
}

// lag delays what the replica receives, to the hundredth of a second.
func (p mysqlPair) lag(ctx context.Context, n *Node, behind time.Duration) error {
	_, err := n.run(ctx, "root", "sh", "-c", fmt.Sprintf("echo %d >%s", behind.Milliseconds(), relayLag))
	return err
}
