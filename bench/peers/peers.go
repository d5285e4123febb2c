package peers

import (
	"context"
	"runtime/debug"
	"slices"

	"github.com/holdfast-go/holdfast/tests/testdb"
)

// Library is one way of working with transactions.
type Library struct {
	Name   string
	Module string // whose version counts; "" for the standard library's
	// Variant is true for one that differs from another in its round trips alone.
	Variant bool
	// Engines that it works on.
	Engines []testdb.Engine
	// Open opens a pool of at most so many connections and keeps as many. dsn is
	// the driver's form without any setting.
	Open func(ctx context.Context, engine testdb.Engine, dsn string, pool int) (DB, error)
	// Unknown reports whether an error says that nobody knows whether a
	// transaction was committed; nil if the library has no such error.
	Unknown func(error) bool
}

// On reports whether the library works on an engine.
func (l Library) On(engine testdb.Engine) bool { return slices.Contains(l.Engines, engine) }

// Version is the version of the library that is linked into this program.
func (l Library) Version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return ""
	}
	if l.Module == "" {
		return info.GoVersion
	}
	for _, dep := range info.Deps {
		if dep.Path == l.Module && dep.Replace == nil {
			return dep.Version
		}
	}
	return ""
}

// Statements are what both a database and a block send. Placeholders are ? on
// every engine.
type Statements interface {
	Exec(ctx context.Context, query string, args ...any) error
	// Number runs a query for one number.
	Number(ctx context.Context, query string, args ...any) (int64, error)
}

// DB is a library's handle on a database: what a function uses that knows of no
// transaction. A library that finds the transaction in ctx does so here.
type DB interface {
	Statements
	// Block runs fn in a transaction, or with the ctx of a block in what the
	// library makes of that.
	Block(ctx context.Context, fn Func, wishes ...Wish) error
	// InUse counts the connections that are out of the pool.
	InUse() int
	Close() error
}

// Func is what runs in a block. ctx is the one that the library hands out.
type Func func(ctx context.Context, b Block) error

// Block is a transaction, or a savepoint in it.
type Block interface {
	Statements
	// Block runs fn in a savepoint.
	Block(ctx context.Context, fn Func) error
}

// Wish is what a block asks for. A library that cannot ignores it.
type Wish int

// The wishes.
const (
	SerializableReadOnly Wish = iota
	// RepeatableRead asks for that isolation level.
	RepeatableRead
	// Retrying asks for the block to be run again after a deadlock or a
	// serialization failure.
	Retrying
	// Resolving asks for the outcome of a COMMIT that had no answer to be found
	// out.
	Resolving
)

// All returns every library, Holdfast first.
func All() []Library {
	return []Library{
		Holdfast, DatabaseSQL, DatabaseSQLInterpolated, Bun, BunPgx, Gorm, GormPrepared, Ent, Trm, Transactor, Cockroach, Pgx,
	}
}

// The engines of a library that works on all of them.
func all() []testdb.Engine { return testdb.Servers() }
