package testdb

import (
	"archive/tar"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/moby/moby/client"

	"github.com/holdfast-go/holdfast/tests/images"
)

// TwoShards is the database of a [Vitess] cluster whose rows are on two shards, by
// their id: "-80" has 1, 2, 3 and 5, "80-" has 4 and 6. It has the tables that
// its vschema names, once they are created. Databases of [Machines.NewDatabase] are
// on one.
//
// All of them are there from the start: those that vtcombo makes later have replicas,
// which it cannot start where mysqld is on another machine.
const TwoShards = "two_shards"

// vitess is a machine with vtgate and its vttablets and one with the mysqld of all
// shards, where the shard 0 of a database db is the database vt_db_0.
type vitess struct{}

func (vitess) engine() Engine  { return MySQL }
func (vitess) names() []string { return []string{"vtgate", "mysqld"} }

func (vitess) dsn(hosts []string, database string) string { return galera{}.dsn(hosts, database) }

// image is what both machines are made of. vtgate's gets the program later.
func (v vitess) image(ctx context.Context, o clusterOptions) (string, error) {
	image, err := usualImage(ctx, MySQL, o)
	if err == nil {
		_, err = v.program(ctx, image, o)
	}
	return image, err
}

// program is the file to put into a container of the image.
func (vitess) program(ctx context.Context, image string, o clusterOptions) (string, error) {
	docker, err := Docker(ctx)
	if err != nil {
		return "", err
	}
	defer func() { _ = docker.Close() }()
	inspected, err := docker.ImageInspect(ctx, image)
	if err != nil {
		return "", err
	}
	return images.Vtcombo.Ensure(ctx, inspected.Architecture, o.report)
}

func (v vitess) start(ctx context.Context, c *Machines) error {
	gate, backend := c.Nodes[0], c.Nodes[1]
	c.Nodes, c.Backend = c.Nodes[:1], backend
	for i := range 20 {
		c.unused = append(c.unused, fmt.Sprintf("hf_%d", i+1))
	}
	if err := backend.begin(ctx, append([]string{
		"--max-connections=1000", "--skip-name-resolve", "--mysqlx=OFF", "--server-id=1",
		"--log-bin", "--gtid-mode=ON", "--enforce-gtid-consistency=ON",
		"--innodb-flush-log-at-trx-commit=2", "--sync-binlog=0", "--innodb-doublewrite=OFF", "--innodb-buffer-pool-size=64M",
	}, c.options.flags...)...); err != nil {
		return err
	}
	if err := v.install(ctx, gate); err != nil {
		return err
	}
	// It refuses to run as root.
	words := append([]string{"env", "VTDATAROOT=" + vitessDir, "chroot", "--userspec=mysql", "/", vitessDir + images.Vtcombo.Name()}, v.flags(backend, c.unused)...)
	if err := gate.machine.command(words...); err != nil {
		return err
	}
	return gate.answers(ctx)
}

const vitessDir = "/vitess/"

// The end of a transaction that nobody ends comes sooner than by default: a test waits
// for it.
func (vitess) flags(backend *Node, databases []string) []string {
	const alone = ` replica_count:1 rdonly_count:-1} `
	topology := `keyspaces:{name:"` + TwoShards + `" shards:{name:"-80"} shards:{name:"80-"}` + alone
	for _, name := range databases {
		topology += `keyspaces:{name:"` + name + `" shards:{name:"0"}` + alone
	}
	flags := []string{
		"--proto-topo=" + topology + `cells:"test"`,
		"--schema-dir=" + vitessDir + "schema", "--tablet-types-to-wait=PRIMARY", "--port=15000",
		"--mysql-auth-server-impl=none", "--mysql-server-port=3306", "--mysql-server-bind-address=0.0.0.0",
		"--db-host=" + backend.inside, "--db-port=3306", "--db-charset=utf8mb4", "--mycnf-server-id=1",
		"--queryserver-config-transaction-timeout=" + VitessTransactions.String(),
		"--queryserver-config-pool-size=50", "--queryserver-config-transaction-cap=200", "--queryserver-config-txpool-timeout=10s",
	}
	for _, user := range []string{"app", "dba", "allprivs", "appdebug", "filtered", "repl"} {
		flags = append(flags, "--db-"+user+"-user=root", "--db-"+user+"-password="+images.Password)
	}
	return flags
}

// VitessTransactions is after how long a [Vitess] cluster rolls a transaction back
// that is still open.
const VitessTransactions = 5 * time.Second

// install puts the program and its settings into the machine.
func (v vitess) install(ctx context.Context, gate *Node) error {
	inspected, err := gate.docker.ContainerInspect(ctx, gate.id, client.ContainerInspectOptions{})
	if err != nil {
		return err
	}
	name, err := v.program(ctx, inspected.Container.Image, gate.cluster.options)
	if err != nil {
		return err
	}
	program, err := os.Open(name)
	if err != nil {
		return err
	}
	defer func() { _ = program.Close() }()
	archive, w := io.Pipe()
	go func() { _ = w.CloseWithError(v.pack(w, program)) }()
	_, err = gate.docker.CopyToContainer(ctx, gate.id, client.CopyToContainerOptions{DestinationPath: "/", Content: archive})
	_ = archive.Close()
	if err != nil {
		return fmt.Errorf("copying %s: %w", images.Vtcombo.Name(), err)
	}
	_, err = gate.run(ctx, "root", "chown", "mysql:", vitessDir)
	return err
}

func (vitess) pack(w io.Writer, program *os.File) error {
	const vschema = `{"sharded": true, "vindexes": {"by": {"type": "hash"}, "by_text": {"type": "xxhash"}}, "tables": {
		"t": {"column_vindexes": [{"column": "id", "name": "by"}]},
		"holdfast_commits": {"column_vindexes": [{"column": "id", "name": "by_text"}]}}}`
	info, err := program.Stat()
	if err != nil {
		return err
	}
	files := tar.NewWriter(w)
	if err := files.WriteHeader(&tar.Header{Name: vitessDir + images.Vtcombo.Name(), Mode: 0o755, Size: info.Size()}); err != nil {
		return err
	}
	if _, err := io.Copy(files, program); err != nil {
		return err
	}
	if err := files.WriteHeader(&tar.Header{Name: vitessDir + "schema/" + TwoShards + "/vschema.json", Mode: 0o644, Size: int64(len(vschema))}); err != nil {
		return err
	}
	if _, err := io.WriteString(files, vschema); err != nil {
		return err
	}
	return files.Close()
}

func (vitess) restart(ctx context.Context, n *Node) error {
	if n != n.cluster.Backend {
		return errors.New("vtgate has its databases in memory, and does not come back")
	}
	return n.Start(ctx)
}

func (vitess) promote(context.Context, *Node) error {
	return errors.New("a Vitess cluster has one mysqld")
}
