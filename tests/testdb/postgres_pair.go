package testdb

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/holdfast-go/holdfast/tests/images"
)

// Synchronous has COMMIT on the primary of a [PostgresPair] wait for its standby,
// to the degree that synchronous_commit names: "on" or "remote_apply".
func Synchronous(degree string) ClusterOption {
	return func(o *clusterOptions) { o.synchronous = degree }
}

type postgresPair struct{}

func (postgresPair) engine() Engine  { return Postgres }
func (postgresPair) names() []string { return []string{"postgres-1", "postgres-2"} }

func (postgresPair) dsn(hosts []string, database string) string {
	if database == "" {
		database = "postgres"
	}
	dsn := "postgres://postgres:" + images.Password + "@" + strings.Join(hosts, ",") + "/" + database + "?sslmode=disable"
	if len(hosts) > 1 {
		dsn += "&target_session_attrs=read-write"
	}
	return dsn
}

func (postgresPair) image(ctx context.Context, o clusterOptions) (string, error) {
	return usualImage(ctx, Postgres, o)
}

// What a test changes must not stand here: it is set by ALTER SYSTEM, which a flag
// overrides. wal_keep_size keeps what a standby that is cut off will need.
func (p postgresPair) flags(c *Machines) []string {
	flags := []string{
		"-c", "max_connections=200", "-c", "max_prepared_transactions=20",
		"-c", "fsync=off", "-c", "full_page_writes=off", "-c", "wal_keep_size=256MB", "-c", "max_wal_size=256MB",
		"-c", "deadlock_timeout=50ms", "-c", "jit=off", "-c", "wal_retrieve_retry_interval=200ms",
		"-c", "cluster_name=holdfast",
	}
	return append(flags, c.options.flags...)
}

func (p postgresPair) start(ctx context.Context, c *Machines) error {
	primary := c.Nodes[0]
	if err := primary.begin(ctx, p.flags(c)...); err != nil {
		return err
	}
	return p.follow(ctx, c.Nodes[1], primary)
}

// follow makes a node a standby of another, with a copy of its data.
func (p postgresPair) follow(ctx context.Context, standby, primary *Node) error {
	// The line about replication is missing in the stock image.
	if _, err := primary.run(ctx, "root", "sh", "-c", `grep -q '^host replication all all' "$PGDATA/pg_hba.conf" ||
		echo 'host replication all all scram-sha-256' >>"$PGDATA/pg_hba.conf"`); err != nil {
		return err
	}
	// Only now would a COMMIT that waits for a standby find none.
	if err := primary.Run(ctx, "", "ALTER SYSTEM RESET synchronous_standby_names", "SELECT pg_reload_conf()"); err != nil {
		return err
	}
	from := fmt.Sprintf("host=%s port=5432 user=postgres password=%s application_name=%s", primary.inside, images.Password, standby.Name)
	if _, err := standby.run(ctx, "root", "sh", "-c", `rm -rf "$PGDATA"; mkdir -p "$PGDATA"; chown postgres: "$PGDATA"; chmod 700 "$PGDATA"`); err != nil {
		return err
	}
	if _, err := standby.run(ctx, "postgres", "sh", "-c",
		`$(echo /usr/lib/postgresql/*/bin)/pg_basebackup -R -X stream -c fast --no-sync -D "$PGDATA" -d "$1"`, "sh", from); err != nil {
		return err
	}
	if err := standby.begin(ctx, p.flags(standby.cluster)...); err != nil {
		return err
	}
	if err := until(ctx, 30*time.Second, standby.Name+" streams", func(ctx context.Context) error {
		state, err := primary.Ask(ctx, "", "SELECT state FROM pg_stat_replication WHERE application_name = '"+standby.Name+"'")
		if err == nil && state != "streaming" {
			err = fmt.Errorf("state %q", state)
		}
		return err
	}); err != nil {
		return err
	}
	if degree := standby.cluster.options.synchronous; degree != "" {
		return p.synchronise(ctx, primary, degree)
	}
	return nil
}

func (postgresPair) synchronise(ctx context.Context, primary *Node, degree string) error {
	if err := primary.Run(ctx, "",
		"ALTER SYSTEM SET synchronous_commit = '"+degree+"'",
		"ALTER SYSTEM SET synchronous_standby_names = '*'", "SELECT pg_reload_conf()"); err != nil {
		return err
	}
	return until(ctx, 20*time.Second, "COMMIT waits for the standby", func(ctx context.Context) error {
		state, err := primary.Ask(ctx, "", "SELECT sync_state FROM pg_stat_replication")
		if err == nil && state != "sync" {
			err = fmt.Errorf("sync_state %q", state)
		}
		return err
	})
}

func (p postgresPair) restart(ctx context.Context, n *Node) error {
	other := n.cluster.Others(n)[0]
	if !n.down {
		if err := n.Kill(ctx); err != nil {
			return err
		}
	}
	return p.follow(ctx, n, other)
}

// unlock lets a server start where one was killed. What was killed may be there for a
// while as a process that nobody has taken leave of, and a server that finds its number
// in the lock file does not start.
func (n *Node) unlock(ctx context.Context) error {
	const gone = `for stat in /proc/[0-9]*/stat; do
		read -r pid name state rest <"$stat" 2>/dev/null || continue
		[ "$name" != "(postgres)" ] || [ "$state" = Z ] || exit 1
	done
	rm -f "$PGDATA/postmaster.pid"`
	return until(ctx, 20*time.Second, n.Name+" is gone", func(ctx context.Context) error {
		_, err := n.run(ctx, "root", "sh", "-c", gone)
		return err
	})
}

func (postgresPair) promote(ctx context.Context, n *Node) error {
	promoted, err := n.Ask(ctx, "", "SELECT pg_promote(true, 30)")
	if err == nil && promoted != "true" {
		err = fmt.Errorf("pg_promote answers %q", promoted)
	}
	return err
}

// Lag has a standby of PostgreSQL, or the replica of a pair, show what the primary
// has committed this much later; 0 ends it. A standby of PostgreSQL still receives
// everything at once.
func (n *Node) Lag(ctx context.Context, behind time.Duration) error {
	if pair, ok := n.cluster.flavour.(mysqlPair); ok {
		return pair.lag(ctx, n, behind)
	}
	if n.Engine != Postgres {
		return errors.New("only the replica of a pair is held back so")
	}
	set := fmt.Sprintf("ALTER SYSTEM SET recovery_min_apply_delay = '%dms'", behind.Milliseconds())
	if err := n.Run(ctx, "", set, "SELECT pg_reload_conf()"); err != nil {
		return err
	}
	want := fmt.Sprint(behind.Milliseconds())
	return until(ctx, 10*time.Second, n.Name+" has read its settings", func(ctx context.Context) error {
		got, err := n.Ask(ctx, "", "SELECT setting FROM pg_settings WHERE name = 'recovery_min_apply_delay'")
		if err == nil && got != want {
			err = fmt.Errorf("recovery_min_apply_delay is %s", got)
		}
		return err
	})
}
