package orm_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/uptrace/bun"

	"github.com/holdfast-go/holdfast/dialect"
	"github.com/holdfast-go/holdfast/models"
	"github.com/holdfast-go/holdfast/orm"
	"github.com/holdfast-go/holdfast/query"
)

type (
	noZero struct {
		ID        int64     `bun:",pk"`
		DeletedAt time.Time `bun:",soft_delete"`
	}
	unixTime struct {
		ID        int64 `bun:",pk"`
		DeletedAt int64 `bun:",soft_delete,nullzero"`
	}
	dayDeleted struct {
		ID        int64       `bun:",pk"`
		DeletedAt models.Date `bun:",soft_delete,nullzero"`
	}
	bigDeleted struct {
		ID        int64     `bun:",pk"`
		DeletedAt time.Time `bun:"type:bigint,soft_delete,nullzero"`
	}
	notNullDeleted struct {
		ID        int64      `bun:",pk"`
		DeletedAt *time.Time `bun:",soft_delete,notnull"`
	}
	twiceDeleted struct {
		ID int64 `bun:",pk"`
		models.SoftDelete
		GoneAt *time.Time `bun:",soft_delete"`
	}
	hiddenDeleted struct {
		ID int64 `bun:",pk"`
		models.SoftDelete
		DeletedAt *time.Time `json:"deleted_at"`
	}
	ownDeleted struct {
		ID int64 `bun:",pk"`
		models.SoftDelete
		DeletedAt *time.Time `bun:",soft_delete" json:"deleted_at"`
	}
)

func TestS64_WhatCannotMarkARow(t *testing.T) {
	each(t, func(t *testing.T, ctx context.Context, db *orm.DB) {
		for want, err := range map[string]error{
			"tag it nullzero":    orm.Objects[noZero](db).Err(),
			"make it a time":     orm.Objects[unixTime](db).Err(),
			"make it a time.":    orm.Objects[dayDeleted](db).Err(),
			"make it a time.T":   orm.Objects[bigDeleted](db).Err(),
			"no pk, notnull":     orm.Objects[notNullDeleted](db).Err(),
			"is tagged too":      orm.Objects[twiceDeleted](db).Err(),
			"DeletedAt hides":    orm.Objects[hiddenDeleted](db).Err(),
			"Audio has no":       orm.Objects[Audio](db).WithDeleted().Err(),
			"OnlyDeleted: Audio": orm.Objects[Audio](db).OnlyDeleted().Err(),
			"Project has no":     orm.Objects[Audio](db).WithDeleted("project").Err(),
		} {
			require.ErrorContains(t, err, want)
		}
		require.NoError(t, orm.Objects[ownDeleted](db).WithDeleted().Err())
		require.NoError(t, orm.CreateTables(ctx, db, (*BookTopic)(nil), (*Book)(nil), (*Rack)(nil), (*Topic)(nil)))
		var fe *query.FieldError
		require.ErrorAs(t, orm.Objects[Book](db).WithDeleted("rac").Err(), &fe)
		require.ErrorAs(t, orm.Objects[Book](db).WithDeleted("rack.name").Err(), &fe)
		err := orm.Objects[Rack](db).Prefetch("books", func(r orm.Related) orm.Related { return r.WithDeleted("topic") }).Err()
		require.ErrorAs(t, err, &fe)
		type Lone struct {
			bun.BaseModel `bun:"table:project"`
			models.AutoID
			Audio []*Audio `bun:"rel:has-many,join:id=project_id"`
		}
		err = orm.Objects[Lone](db).Prefetch("audio", func(r orm.Related) orm.Related { return r.OnlyDeleted() }).Err()
		require.ErrorContains(t, err, "Audio has no column tagged soft_delete")
		_, err = orm.Objects[Audio](db).Restore(ctx)
		require.ErrorContains(t, err, "Audio has no column tagged soft_delete")
		require.ErrorContains(t, orm.Objects[Audio](db).RestoreRow(ctx, &Audio{}), "Audio has no column tagged soft_delete")

		require.NoError(t, orm.Check(ctx, db, (*Book)(nil), (*Rack)(nil), (*Topic)(nil)))
		if db.Server().Engine == dialect.SQLite {
			return // which changes no columns
		}
		drop := "ALTER TABLE rack ALTER COLUMN deleted_at SET NOT NULL"
		if isMySQL(db) {
			drop = "ALTER TABLE rack MODIFY deleted_at DATETIME(6) NOT NULL"
		}
		_, err = db.Exec(ctx, drop)
		require.NoError(t, err)
		require.ErrorContains(t, orm.Check(ctx, db, (*Rack)(nil)), "Rack.deleted_at: "+string(orm.NeverNull))
	})
}
