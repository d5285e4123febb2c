package statements

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"
	gormmysql "gorm.io/driver/mysql"
	gormpostgres "gorm.io/driver/postgres"
	"gorm.io/gorm"
	"gorm.io/gorm/clause"
	"gorm.io/gorm/logger"

	"github.com/holdfast-go/holdfast/tests/testdb"
)

// viaGorm is gorm without its transaction around each write, as its documentation on
// performance advises.
func viaGorm(b *testing.B, at testdb.Database) operations {
	var dialector gorm.Dialector
	if at.Engine == testdb.Postgres {
		dialector = gormpostgres.Open(at.DSN)
	} else {
		dialector = gormmysql.New(gormmysql.Config{Conn: mysqlPool(b, at.DSN)})
	}
	db, err := gorm.Open(dialector, &gorm.Config{SkipDefaultTransaction: true, Logger: logger.Discard})
	require.NoError(b, err)
	pool, err := db.DB()
	require.NoError(b, err)
	b.Cleanup(func() { _ = pool.Close() })
	conflict := clause.OnConflict{Columns: []clause.Column{{Name: "id"}}, DoUpdates: clause.AssignmentColumns([]string{"name", "price", "stock"})}
	return operations{
		insert: func(ctx context.Context, row *Audio) error { return db.WithContext(ctx).Create(row).Error },
		byID: func(ctx context.Context, id int64) (*Audio, error) {
			row := new(Audio)
			return row, db.WithContext(ctx).Where("id = ?", id).Take(row).Error
		},
		first: func(ctx context.Context, n int) (list []*Audio, err error) {
			return list, db.WithContext(ctx).Order("id").Limit(n).Find(&list).Error
		},
		update: func(ctx context.Context, row *Audio) error { return db.WithContext(ctx).Save(row).Error },
		change: func(ctx context.Context, id int64) error {
			return db.WithContext(ctx).Transaction(func(tx *gorm.DB) error {
				row := new(Audio)
				if err := tx.Clauses(clause.Locking{Strength: "UPDATE"}).Where("id = ?", id).Take(row).Error; err != nil {
					return err
				}
				row.Index++
				return tx.Save(row).Error
			})
		},
		insertMany: func(ctx context.Context, list []*Audio) error { return db.WithContext(ctx).Create(list).Error },
		upsertMany: func(ctx context.Context, list []*Product) error {
			return db.WithContext(ctx).Clauses(conflict).Create(list).Error
		},
		tree: func(ctx context.Context) (list []*Folder, err error) {
			return list, db.WithContext(ctx).Preload("Tracks").Order("id").Find(&list).Error
		},
		report: func(ctx context.Context) (list []Total, err error) {
			return list, db.WithContext(ctx).Model(&Track{}).Select("folder_id, COUNT(*) AS n, MAX(seconds) AS longest").Group("folder_id").Order("folder_id").Scan(&list).Error
		},
		page: func(ctx context.Context, after int64) (list []*Audio, err error) {
			return list, db.WithContext(ctx).Where("id > ?", after).Order("id").Limit(page).Find(&list).Error
		},
	}
}
