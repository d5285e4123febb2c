package orm

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"reflect"
	"sync"
	"time"

	"github.com/uptrace/bun"
	bundialect "github.com/uptrace/bun/dialect"
	"github.com/uptrace/bun/schema"

	"github.com/holdfast-go/holdfast/atomic"
	"github.com/holdfast-go/holdfast/dialect"
	"github.com/holdfast-go/holdfast/internal/backend"
	"github.com/holdfast-go/holdfast/internal/block"
	"github.com/holdfast-go/holdfast/internal/render"
	"github.com/holdfast-go/holdfast/internal/seam"
)

// DB is an opened database. It is safe for use by several goroutines and meant
// to be kept for the life of the program.
type DB struct {
	executor *block.Executor
	models   *render.Models
	readers  sync.Map // *render.Model → *reader
	hops     sync.Map // model and path → []render.Hop, of what can be prefetched
	uniques  sync.Map // *render.Model → []tableIndex, where they have to be asked for
	counted  sync.Map // *render.Model → []*render.Field, where they have to be asked for
	cursors  *sealer  // nil without CursorKey
	bun      func() *bun.DB
}

var errNoDatabase = errors.New(seam.NoDatabase)

// Open connects to a database and asks the server who it is. src comes from the
// package of the engine: mysql.Open(dsn), postgres.Open(dsn), sqlite.Open(path),
// or From of each for a pool that is open already. Errors of the connection are
// a *dialect.OpenError, which names the setting at fault and never holds a
// password.
//
// Unless options say otherwise, a pool that Open opened holds up to 4
// connections for each processor and 16 at least, keeps half of them when idle,
// and closes one after 30 minutes; on SQLite it has no limit, and keeps 2. A pool
// given to From is left as it is.
func Open(ctx context.Context, src dialect.Source, opts ...Option) (*DB, error) {
	s := settings{wait: time.Second}
	for i, o := range opts {
		if o == nil {
			return nil, &dialect.OpenError{Setting: "options", Problem: fmt.Sprintf("option %d of orm.Open is nil", i+1)}
		}
		o(&s)
	}
	if err := s.limits(); err != nil {
		return nil, err
	}
	cursors, err := newSealer(s.cursorKeys)
	if err != nil {
		return nil, err
	}
	database, err := backend.Connect(ctx, src)
	if err != nil {
		return nil, err
	}
	models, err := render.NewModels(database.Server, database.Schema)
	if err != nil {
		_ = database.Close()
		return nil, err
	}
	if err := s.defaults(database); err != nil {
		_ = database.Close()
		return nil, err
	}
	s.pool.apply(database)
	executor := block.New(database, s.Settings)
	if len(s.replicas) > 0 {
		if err := executor.Open(ctx, block.NewReplicas(s.replicas, s.wait, s.pool.apply)); err != nil {
			return nil, errors.Join(fmt.Errorf("orm: WithReplicas: %w", err), executor.Close())
		}
	}
	return &DB{
		executor: executor, models: models, cursors: cursors,
		bun: sync.OnceValue(func() *bun.DB { return bunOver(executor) }),
	}, nil
}

// Close closes the pool, unless the application handed it in (From).
func (db *DB) Close() error { return db.executor.Close() }

// Executor makes a *DB the database of atomic.Do. It is for the library's own
// packages, a seam without promises.
func (db *DB) Executor() seam.Executor {
	if db == nil {
		return nil
	}
	return db.executor
}

// Server is what the server said of itself when the database was opened.
func (db *DB) Server() dialect.Server { return db.executor.Database().Server }

// Stats is the pool, as database/sql counts it: how many connections are open and in
// use, and how often and how long somebody has waited for one. It is for a gauge, and
// sends nothing. With [WithReplicas] it is the writer's pool. What [DB.Migrations]
// returns has a pool of its own; the Stats of [DB.SQL], which has no connections, are
// always 0.
func (db *DB) Stats() sql.DBStats { return db.executor.Database().Pool.Stats() }

// SQL is the database as a *sql.DB. Its calls look at their ctx: in a block of
// this database they run on the block's connection and under its rules, and
// BeginTx opens a nested block; outside any block they go to the pool. So code
// written for database/sql, or for a library on top of it, takes part in
// atomic.Do by passing ctx on.
//
// It works in this direction only: a transaction that BeginTx opens outside any
// block is reached by its *sql.Tx, not by a ctx, and what is called meanwhile
// with the same ctx runs beside it. Call atomic.Do around such code. A *sql.Conn of
// it is a session and keeps one connection from its first statement to its Close
// (rule S27). Prepare sends nothing, and Raw of a *sql.Conn hands out no connection
// of the driver. PingContext asks the server outside any block, for a health check;
// with the ctx of a block it asks nothing, and returns nil.
//
// A text of several statements goes through if it has no values and asks for no rows:
// outside a block, and in one on PostgreSQL and SQLite. Else it is
// dialect.ErrUnsupported (rule B15).
func (db *DB) SQL() *sql.DB { return db.executor.SQL() }

// Bun is the database as a *bun.DB, over [DB.SQL], under the same rules. bun writes
// values into the text of its statements instead of binding them: what rule S1
// promises does not hold for them.
func (db *DB) Bun() *bun.DB { return db.bun() }

// Session pins a connection to the ctx that it returns. It is what statements
// outside a block need when autocommit is off (rule A2). Close it.
func (db *DB) Session(ctx context.Context) (*atomic.Session, context.Context, error) {
	return atomic.OpenSession(ctx, db)
}

// bunOver lets bun's dialect for MySQL ask for the version before it is put
// behind the executor, which may refuse a question outside a session (rule A2).
func bunOver(executor *block.Executor) *bun.DB {
	database := executor.Database()
	if d := database.Schema; d.Name() == bundialect.MySQL {
		d.Init(database.Pool)
		return bun.NewDB(executor.SQL(), initialized{d})
	}
	return bun.NewDB(executor.SQL(), database.Schema)
}

type initialized struct{ schema.Dialect }

func (initialized) Init(*sql.DB) {}

// model returns the model of T and the way to read its rows.
func (db *DB) model(t reflect.Type) (*render.Model, error) {
	if db == nil {
		return nil, errNoDatabase
	}
	m, err := db.models.Of(t)
	if err != nil {
		return nil, err
	}
	if err := db.reader(m).err; err != nil {
		return nil, err
	}
	return m, nil
}
