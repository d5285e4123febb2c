package testdb

import (
	"context"
	"fmt"
	"path"
	"strings"
	"testing"
	"time"

	"github.com/holdfast-go/holdfast/tests/images"
)

// PoolerKind is what may stand between a program and its cluster.
type PoolerKind string

// The poolers. HAProxy and MySQL Router pool nothing, and lead to the first node
// that a connection can be made to; HAProxyByRole asks each node whether it takes
// writes, leads to the first that does, and ends the connections to one that no
// longer does.
const (
	PgBouncer   PoolerKind = "pgbouncer"
	Odyssey     PoolerKind = "odyssey"
	Pgpool      PoolerKind = "pgpool"
	HAProxy     PoolerKind = "haproxy"
	MySQLRouter PoolerKind = "mysql-router"

	HAProxyByRole PoolerKind = "haproxy-by-role"
)

const poolerPort = "6432"

// Pooler is one that runs.
type Pooler struct {
	Kind PoolerKind
	// Addr is the host and port at which the test reaches it.
	Addr string

	*machine
	cluster  *Machines
	settings []string
}

// Pooler starts one in front of the cluster. PgBouncer and Odyssey lead to one
// node, the first until [Pooler.Lead] says otherwise, HAProxy to that while it
// lives; the others know all of them.
// Settings are lines of PgBouncer's ini, Odyssey's rule, pgpool.conf or HAProxy's
// section, after those that are needed: "pool_mode=transaction". It ends with the
// cluster.
func (c *Machines) Pooler(t testing.TB, kind PoolerKind, settings ...string) *Pooler {
	t.Helper()
	NeedsCluster(t, string(kind))
	p := &Pooler{Kind: kind, cluster: c, settings: settings}
	began := time.Now()
	if err := p.start(t); err != nil {
		t.Fatalf("starting %s: %v", kind, err)
	}
	t.Logf("%s ready after %s", kind, time.Since(began).Round(100*time.Millisecond))
	return p
}

func (p *Pooler) start(t testing.TB) error {
	image := "poolers"
	if p.Kind == PgBouncer {
		image = "pgbouncer" // which the run has anyway
	}
	tag, err := builtImage(t.Context(), image, p.cluster.options) // which may take longer than a start
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(t.Context(), clusterLimit)
	defer cancel()
	if p.machine, err = boot(ctx, role{name: string(p.Kind), image: tag, port: poolerPort}); err != nil {
		return err
	}
	t.Cleanup(func() {
		if err := p.machine.Close(); err != nil {
			t.Error(err)
		}
	})
	if err := p.configure(ctx, p.cluster.Nodes[0]); err != nil {
		return err
	}
	if p.Kind == HAProxyByRole {
		if err := p.cluster.letCheck(ctx); err != nil {
			return err
		}
	}
	if err := p.command(append([]string{"setpriv", "--reuid=" + p.user(), "--clear-groups", "--"}, poolerCommands[p.Kind]...)...); err != nil {
		return err
	}
	return p.reach(ctx, p.cluster.flavour.engine(), func(at string) string { p.Addr = at; return p.DSN("") })
}

// DSN leads to a database of the cluster through the pooler.
func (p *Pooler) DSN(database string) string {
	return p.cluster.flavour.dsn([]string{p.Addr}, database)
}

// Lead makes another node the one that PgBouncer, Odyssey or HAProxy leads to, as
// what watches over a cluster does after it has promoted one. Connections that
// HAProxy has stay where they are.
func (p *Pooler) Lead(ctx context.Context, to *Node) error {
	if p.Kind == HAProxy {
		return p.switchTo(ctx, to)
	}
	if err := p.configure(ctx, to); err != nil {
		return err
	}
	return p.signal(ctx, "HUP")
}

// switchTo tells HAProxy, at its socket, which server takes new connections.
func (p *Pooler) switchTo(ctx context.Context, to *Node) error {
	const tell = `use IO::Socket::UNIX;
for (@ARGV) {
	my $socket = IO::Socket::UNIX->new("` + poolerDir + `socket") or die "socket: $!\n";
	print $socket "$_\n";
	my $answer = join "", <$socket>;
	die "$_: $answer" if $answer =~ /\S/;
}`
	orders := []string{"set server cluster/" + to.Name + " state ready"}
	for _, other := range p.cluster.Others(to) {
		orders = append(orders, "set server cluster/"+other.Name+" state maint")
	}
	_, err := p.run(ctx, "root", append([]string{"perl", "-e", tell}, orders...)...)
	return err
}

const poolerDir = "/tmp/pooler/"

var poolerCommands = map[PoolerKind][]string{
	PgBouncer: {"pgbouncer", poolerDir + "settings"},
	Odyssey:   {"odyssey", poolerDir + "settings"},
	Pgpool:    {"pgpool", "-n", "-f", poolerDir + "settings", "-a", poolerDir + "pool_hba.conf"},
	HAProxy:   {"haproxy", "-db", "-f", poolerDir + "settings"},

	HAProxyByRole: {"haproxy", "-db", "-f", poolerDir + "settings"},
	MySQLRouter:   {"mysqlrouter", "-c", poolerDir + "settings"},
}

// user is who it runs as: none of them likes root.
func (p *Pooler) user() string {
	if p.Kind == Pgpool {
		return "postgres"
	}
	return "nobody"
}

func (p *Pooler) configure(ctx context.Context, to *Node) error {
	files := map[string]string{"settings": p.text(to)}
	if p.Kind == Pgpool {
		files["pool_hba.conf"] = "host all all all scram-sha-256\n"
		files["pool_passwd"] = "postgres:TEXT" + images.Password + "\n"
	}
	for name, text := range files {
		const write = `mkdir -p "$(dirname "$0")"; printf '%s' "$1" >"$0"; chown -R "$2": "$(dirname "$0")"`
		if _, err := p.run(ctx, "root", "sh", "-c", write, path.Join(poolerDir, name), text, p.user()); err != nil {
			return err
		}
	}
	return nil
}

func (p *Pooler) text(to *Node) string {
	more := strings.Join(p.settings, "\n") + "\n"
	port := kinds[to.Engine].port
	var lines []string
	switch p.Kind {
	case PgBouncer:
		return fmt.Sprintf("[databases]\n* = host=%s port=%s user=postgres password=%s\n[pgbouncer]\n"+
			"listen_addr=*\nlisten_port=%s\nunix_socket_dir=\nauth_type=any\nserver_login_retry=0.2\n%s",
			to.inside, port, images.Password, poolerPort, more)
	case Odyssey:
		return fmt.Sprintf(`daemonize no
log_to_stdout yes
log_session no
log_format "%%p %%t %%l [%%i %%s] (%%c) %%m\n"
listen { host "*" port %s }
storage "one" { type "remote" host "%s" port %s }
database default { user default {
	authentication "none"
	storage "one"
	storage_user "postgres"
	storage_password "%s"
	%s
} }
`, poolerPort, to.inside, port, images.Password, more)
	case Pgpool:
		lines = []string{
			"listen_addresses='*'", "port=" + poolerPort, "unix_socket_directories='/tmp'", "pcp_socket_dir='/tmp'",
			"pid_file_name='/tmp/pooler/pid'", "logdir='/tmp/pooler'", "work_dir='/tmp/pooler'",
			"backend_clustering_mode='streaming_replication'", "enable_pool_hba=on", "pool_passwd='pool_passwd'",
			"sr_check_period=1", "sr_check_user='postgres'", "sr_check_password='" + images.Password + "'",
			"health_check_period=1", "health_check_timeout=3", "health_check_user='postgres'", "health_check_password='" + images.Password + "'",
		}
		for i, node := range p.cluster.Nodes {
			lines = append(lines, fmt.Sprintf("backend_hostname%d='%s'\nbackend_port%d=%s\nbackend_weight%d=1\nbackend_flag%d='ALLOW_TO_FAILOVER'", i, node.inside, i, port, i, i))
		}
	case HAProxy, HAProxyByRole:
		lines = []string{
			"global", "stats socket " + poolerDir + "socket mode 600 level admin",
			"defaults", "mode tcp", "timeout connect 2s", "timeout client 1h", "timeout server 1h", "timeout check 3s",
			"listen cluster", "bind *:" + poolerPort,
		}
		if p.Kind == HAProxyByRole {
			lines = append(lines, roleCheck(to.Engine)...)
			lines = append(lines, "default-server on-marked-down shutdown-sessions")
		}
		for _, node := range p.cluster.Nodes {
			line := fmt.Sprintf("server %s %s:%s check inter 500ms fall 2 rise 1", node.Name, node.inside, port)
			if node != to {
				line += " backup"
			}
			lines = append(lines, line)
		}
	case MySQLRouter:
		var destinations []string
		for _, node := range p.cluster.Nodes {
			destinations = append(destinations, node.inside+":"+port)
		}
		lines = []string{
			"[DEFAULT]", "logging_folder=", "runtime_folder=/tmp/pooler", "data_folder=/tmp/pooler", "[routing:cluster]",
			"bind_address=0.0.0.0", "bind_port=" + poolerPort, "routing_strategy=first-available",
			"destinations=" + strings.Join(destinations, ","),
		}
	}
	return strings.Join(lines, "\n") + "\n" + more
}
