package tests

import (
	"github.com/holdfast-go/holdfast/dialect/mysql"
	"github.com/holdfast-go/holdfast/internal/backend"
	"github.com/holdfast-go/holdfast/internal/proxy"
	"github.com/holdfast-go/holdfast/tests/testdb"
)

// distant opens the database once more, through a proxy.
func (db *database) distant(s setup) (*database, *proxy.Proxy) {
	db.t.Helper()
	p := proxy.New(db.t, db.Addr)
	s.dsn = db.Via(p.Addr())
	return db.again(s), p
}

// loss is a way in which a COMMIT loses its answer.
type loss struct {
	name string
	done bool // the COMMIT is carried out
	// arm is called before the block; far is the database that it runs on.
	arm func(far *database, p *proxy.Proxy)
}

// losses are the ways from the moment on at which the COMMIT is sent.
var losses = []loss{
	{"cut before it arrives", false, func(far *database, p *proxy.Proxy) {
		far.wires.on("COMMIT", func(backend.Wire) { p.Next(proxy.CutRequest) })
	}},
	{"cut when it is done", true, func(far *database, p *proxy.Proxy) {
		far.wires.on("COMMIT", func(backend.Wire) { p.Next(proxy.CutReply) })
	}},
}

// eachLoss runs a test for each loss on a database that suffers it. SQLite has no
// network, and loses the answer in the process.
func (db *database) eachLoss(s setup, test func(l loss, far *database)) {
	db.t.Helper()
	if db.Engine == testdb.SQLite {
		for _, l := range []loss{{name: "not carried out"}, {name: "carried out", done: true}} {
			far := db.again(s)
			far.wires.loseCommit(map[bool]lostCommit{false: before, true: after}[l.done])
			test(l, far)
		}
		return
	}
	for _, l := range losses {
		far, p := db.distant(s)
		l.arm(far, p)
		test(l, far)
	}
}

// resolvable makes the table that ResolveCommit needs.
func (db *database) resolvable() {
	db.t.Helper()
	if db.Engine == testdb.MySQL || db.Engine == testdb.MariaDB {
		db.arrange(mysql.CommitsTable)
	}
}
