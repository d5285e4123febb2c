package peers

import (
	"context"
	"database/sql"
	"errors"

	"github.com/holdfast-go/holdfast/atomic"
	"github.com/holdfast-go/holdfast/dialect"
	"github.com/holdfast-go/holdfast/dialect/mysql"
	"github.com/holdfast-go/holdfast/dialect/postgres"
	"github.com/holdfast-go/holdfast/internal/block"
	"github.com/holdfast-go/holdfast/orm"
	"github.com/holdfast-go/holdfast/tests/testdb"
)

// Holdfast is this project, as it comes.
var Holdfast = Library{
	Name: "Holdfast", Module: "github.com/holdfast-go/holdfast", Engines: all(), Open: openHoldfast,
	Unknown: func(err error) bool { return errors.Is(err, atomic.ErrCommitUnknown) },
}

func openHoldfast(ctx context.Context, engine testdb.Engine, dsn string, size int) (DB, error) {
	db, err := orm.Open(ctx, source(engine, dsn), orm.MaxOpenConns(size), orm.MaxIdleConns(size))
	if err != nil {
		return nil, err
	}
	return &holdfastDB{db}, nil
}

func source(engine testdb.Engine, dsn string) dialect.Source {
	if engine == testdb.Postgres {
		return postgres.Open(dsn)
	}
	return mysql.Open(dsn)
}

type holdfastDB struct{ *orm.DB }

// Exec implements Statements.
func (db *holdfastDB) Exec(ctx context.Context, query string, args ...any) error {
	_, err := db.DB.Exec(ctx, query, args...)
	return err
}

// Number implements Statements.
func (db *holdfastDB) Number(ctx context.Context, query string, args ...any) (n int64, err error) {
	err = db.QueryRow(ctx, query, args...).Scan(&n)
	return n, err
}

// Block implements DB.
func (db *holdfastDB) Block(ctx context.Context, fn Func, wishes ...Wish) error {
	var options []atomic.Option
	for _, wish := range wishes {
		switch wish {
		case SerializableReadOnly:
			options = append(options, atomic.Isolation(sql.LevelSerializable), atomic.ReadOnly())
		case RepeatableRead:
			options = append(options, atomic.Isolation(sql.LevelRepeatableRead))
		case Retrying:
			options = append(options, atomic.Retry(5))
		case Resolving:
			options = append(options, atomic.ResolveCommit())
		}
	}
	return atomic.Do(ctx, db, func(ctx context.Context) error { return fn(ctx, holdfastBlock{db}) }, options...)
}

// InUse implements DB.
func (db *holdfastDB) InUse() int { return block.Of(db).Database().Pool.Stats().InUse }

type holdfastBlock struct{ *holdfastDB }

// Block implements Block.
func (b holdfastBlock) Block(ctx context.Context, fn Func) error { return b.holdfastDB.Block(ctx, fn) }
