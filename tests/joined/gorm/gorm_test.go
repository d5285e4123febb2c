// Package gorm runs gorm over DB.SQL() inside a block: its Transaction opens a nested
// block, and one within that a savepoint as a text.
package gorm

import (
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
	gormmysql "gorm.io/driver/mysql"
	gormpostgres "gorm.io/driver/postgres"
	"gorm.io/gorm"
	"gorm.io/gorm/logger"

	godriver "github.com/go-sql-driver/mysql"
	"github.com/jackc/pgx/v5/pgconn"
	gormsqlite "github.com/libtnb/sqlite" // gorm's own needs cgo; this one is over Holdfast's driver

	"github.com/holdfast-go/holdfast/atomic"
	"github.com/holdfast-go/holdfast/dialect"
	"github.com/holdfast-go/holdfast/dialect/mysql"
	"github.com/holdfast-go/holdfast/dialect/postgres"
	"github.com/holdfast-go/holdfast/dialect/sqlite"
	"github.com/holdfast-go/holdfast/orm"
	"github.com/holdfast-go/holdfast/tests/testdb"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

type Booking struct {
	ID   int64
	Room string `gorm:"size:40;uniqueIndex"`
}

func source(at testdb.Database) dialect.Source {
	switch at.Engine {
	case testdb.Postgres:
		return postgres.Open(at.DSN)
	case testdb.SQLite:
		return sqlite.Open(at.DSN)
	default:
		return mysql.Open(at.DSN)
	}
}

// Gorm asks for the driver's error by a type assertion, and what DB.SQL() returns
// says more than that. A dialector that takes it out of the chain first is all that
// TranslateError needs; that of SQLite looks along the chain by itself.
type myTranslated struct{ *gormmysql.Dialector }

func (d myTranslated) Translate(err error) error {
	var of *godriver.MySQLError
	if errors.As(err, &of) {
		return d.Dialector.Translate(of)
	}
	return err
}

type pgTranslated struct{ *gormpostgres.Dialector }

func (d pgTranslated) Translate(err error) error {
	var of *pgconn.PgError
	if errors.As(err, &of) {
		return d.Dialector.Translate(of)
	}
	return err
}

func open(t *testing.T, at testdb.Database, db *orm.DB) *gorm.DB {
	t.Helper()
	var d gorm.Dialector
	switch at.Engine {
	case testdb.Postgres:
		d = pgTranslated{gormpostgres.New(gormpostgres.Config{Conn: db.SQL()}).(*gormpostgres.Dialector)}
	case testdb.SQLite:
		d = gormsqlite.New(gormsqlite.Config{Conn: db.SQL()})
	default:
		d = myTranslated{gormmysql.New(gormmysql.Config{Conn: db.SQL()}).(*gormmysql.Dialector)}
	}
	g, err := gorm.Open(d, &gorm.Config{TranslateError: true, Logger: logger.Discard})
	require.NoError(t, err)
	return g
}

func TestB24_GormInABlock(t *testing.T) {
	testdb.Each(t, func(t *testing.T, at testdb.Database) {
		ctx := t.Context()
		db, err := orm.Open(ctx, source(at))
		require.NoError(t, err)
		defer func() { require.NoError(t, db.Close()) }()
		g := open(t, at, db)
		require.NoError(t, g.WithContext(ctx).AutoMigrate(&Booking{}))
		rooms := func() (rooms []string) {
			require.NoError(t, g.WithContext(ctx).Model(&Booking{}).Order("id").Pluck("room", &rooms).Error)
			return rooms
		}
		asked := errors.New("asked")
		nested := func(ctx context.Context) error {
			return g.WithContext(ctx).Transaction(func(outer *gorm.DB) error {
				require.NoError(t, outer.Create(&Booking{Room: "outer"}).Error)
				require.ErrorIs(t, outer.Transaction(func(tx *gorm.DB) error {
					require.NoError(t, tx.Create(&Booking{Room: "undone"}).Error)
					return asked
				}), asked)
				// A failed statement is undone with its part alone.
				require.ErrorIs(t, outer.Transaction(func(tx *gorm.DB) error {
					return tx.Create(&Booking{Room: "outer"}).Error
				}), gorm.ErrDuplicatedKey)
				return outer.Transaction(func(tx *gorm.DB) error { return tx.Create(&Booking{Room: "kept"}).Error })
			})
		}
		require.ErrorIs(t, atomic.Do(ctx, db, func(ctx context.Context) error {
			require.NoError(t, nested(ctx))
			return asked
		}), asked)
		assert.Empty(t, rooms())
		require.NoError(t, atomic.Do(ctx, db, nested))
		assert.Equal(t, []string{"outer", "kept"}, rooms())
		require.NoError(t, g.WithContext(ctx).Where("1 = 1").Delete(&Booking{}).Error)
		require.NoError(t, nested(ctx), "outside any block")
		assert.Equal(t, []string{"outer", "kept"}, rooms())

		require.ErrorIs(t, g.WithContext(ctx).Create(&Booking{Room: "kept"}).Error, gorm.ErrDuplicatedKey)
	})
}
