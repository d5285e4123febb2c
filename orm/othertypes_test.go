package orm_test

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/uptrace/bun"

	"github.com/holdfast-go/holdfast/dialect"
	"github.com/holdfast-go/holdfast/models"
	"github.com/holdfast-go/holdfast/orm"
	"github.com/holdfast-go/holdfast/query"
)

// inBits and its like have one field, of any Go type, in a column of a type with rules of
// its own.
type (
	inBits[V any] struct {
		bun.BaseModel `bun:"table:in_bits"`
		models.AutoID
		V V `bun:"type:bit(8)"`
	}
	inSeenBits[V any] struct {
		bun.BaseModel `bun:"table:in_bits"`
		models.AutoID
		V V `bun:"type:bit(8),scanonly"`
	}
	inBit[V any] struct {
		bun.BaseModel `bun:"table:in_bit"`
		models.AutoID
		V V `bun:"type:bit(1)"`
	}
	inMoney[V any] struct {
		bun.BaseModel `bun:"table:in_money"`
		models.AutoID
		V V `bun:"type:money"`
	}
	inInterval[V any] struct {
		bun.BaseModel `bun:"table:in_interval"`
		models.AutoID
		V V `bun:"type:interval"`
	}
	inRange[V any] struct {
		bun.BaseModel `bun:"table:in_range"`
		models.AutoID
		V V `bun:"type:int4range"`
	}
	inPath[V any] struct {
		bun.BaseModel `bun:"table:in_path"`
		models.AutoID
		V V `bun:"type:jsonpath"`
	}
	inZonedTime[V any] struct {
		bun.BaseModel `bun:"table:in_zoned_time"`
		models.AutoID
		V V `bun:"type:timetz"`
	}
	inTimeWithZone[V any] struct {
		bun.BaseModel `bun:"table:in_zoned_time"`
		models.AutoID
		V V `bun:"type:time(3) with time zone"`
	}
	inUUID[V any] struct {
		bun.BaseModel `bun:"table:in_uuid"`
		models.AutoID
		V V `bun:"type:uuid"`
	}
)

// ownSpan is an interval that says and reads itself.
type ownSpan struct{ text string }

func (s ownSpan) Value() (driver.Value, error) { return s.text, nil }

func (s *ownSpan) Scan(src any) error {
	s.text = fmt.Sprintf("own %s", src)
	return nil
}

func firstUse[R any](ctx context.Context, db *orm.DB) error {
	_, err := orm.Objects[R](db).Count(ctx)
	return err
}

// A value that a server writes in its own way, and would not come back as it was given, has
// no field of a Go type that takes it as it comes.
func TestS20_TypesThatComeBackChanged(t *testing.T) {
	each(t, func(t *testing.T, ctx context.Context, db *orm.DB) {
		refused := func(err error) {
			t.Helper()
			assert.ErrorContains(t, err, "Value and Scan methods")
		}
		if engine := db.Server().Engine; engine == dialect.Postgres || engine == dialect.SQLite { // others have no such types
			refused(firstUse[inMoney[string]](ctx, db))
			refused(firstUse[inMoney[*string]](ctx, db))
			refused(firstUse[inMoney[sql.NullString]](ctx, db))
			refused(firstUse[inInterval[string]](ctx, db))
			refused(firstUse[inInterval[any]](ctx, db))
			refused(firstUse[inRange[string]](ctx, db))
		}
		refused(firstUse[inBits[string]](ctx, db))
		switch db.Server().Engine {
		case dialect.SQLite: // which has no bits, and keeps the number
			require.NoError(t, orm.CreateTables(ctx, db, (*inBits[uint8])(nil)))
			require.NoError(t, orm.Objects[inBits[uint8]](db).Create(ctx, &inBits[uint8]{V: 53}))
			got, err := orm.Objects[inBits[uint8]](db).Filter(F("v").Eq(53)).Get(ctx)
			require.NoError(t, err)
			require.Equal(t, uint8(53), got.V)
		case dialect.Postgres:
			refused(firstUse[inBits[int]](ctx, db))
			refused(firstUse[inPath[string]](ctx, db))
			refused(firstUse[inZonedTime[string]](ctx, db))
			refused(firstUse[inTimeWithZone[string]](ctx, db))
			refused(firstUse[inUUID[[16]byte]](ctx, db))
			require.NoError(t, orm.CreateTables(ctx, db, (*inInterval[ownSpan])(nil), (*inZonedTime[ownSpan])(nil)))
			require.NoError(t, orm.Objects[inInterval[ownSpan]](db).Create(ctx, &inInterval[ownSpan]{V: ownSpan{"1.5 hours"}}))
			got, err := orm.Objects[inInterval[ownSpan]](db).Get(ctx)
			require.NoError(t, err)
			require.Equal(t, "own 01:30:00", got.V.text)
		default:
			refused(firstUse[inBits[uint8]](ctx, db))
			refused(firstUse[inBits[int]](ctx, db))
			refused(firstUse[inBits[*uint64]](ctx, db))
			refused(firstUse[inBits[bool]](ctx, db))
			refused(firstUse[inBits[[]byte]](ctx, db))
			refused(firstUse[inSeenBits[uint8]](ctx, db))
			refused(firstUse[inBit[int]](ctx, db))
			refused(firstUse[inUUID[[]byte]](ctx, db))
			require.NoError(t, orm.CreateTables(ctx, db, (*inBit[bool])(nil)))
			all := orm.Objects[inBit[bool]](db)
			require.NoError(t, all.BulkCreate(ctx, []*inBit[bool]{{V: true}, {V: false}}))
			for _, v := range []bool{true, false} {
				got, err := all.Filter(F("v").Eq(v)).Get(ctx)
				require.NoError(t, err)
				require.Equal(t, v, got.V)
			}
			_, err := db.Exec(ctx, "CREATE TABLE in_bits (id bigint PRIMARY KEY, v bit(8) NOT NULL)")
			require.NoError(t, err)
			_, err = db.Exec(ctx, "INSERT INTO in_bits VALUES (1, 53)")
			require.NoError(t, err)
			seen, err := orm.Objects[inSeenBits[[]byte]](db).Get(ctx)
			require.NoError(t, err)
			require.Equal(t, []byte{53}, seen.V)
		}
	})
}

// identifier is a text in PostgreSQL's type for the names of what is in a database.
type identifier struct {
	bun.BaseModel `bun:"table:identifiers"`
	models.AutoID
	Name  string  `bun:"type:name"`
	Other *string `bun:"type:name"`
}

func TestS20_NamesOfPostgreSQLHave63Bytes(t *testing.T) {
	each(t, func(t *testing.T, ctx context.Context, db *orm.DB) {
		if db.Server().Engine != dialect.Postgres {
			return // no other has the type
		}
		require.NoError(t, orm.CreateTables(ctx, db, (*identifier)(nil)))
		all, fits := orm.Objects[identifier](db), strings.Repeat("é", 31)+"a"
		long := fits + "b"
		require.NoError(t, all.Create(ctx, &identifier{Name: fits, Other: &fits}))
		got, err := all.Filter(F("name").Eq(fits), F("other").In(fits)).Get(ctx)
		require.NoError(t, err)
		require.Equal(t, fits, got.Name)

		var ve *query.ValueError
		require.ErrorAs(t, all.Create(ctx, &identifier{Name: long}), &ve)
		require.Equal(t, "identifier.name", strings.ToLower(ve.Field))
		got.Other = &long
		require.ErrorAs(t, all.Save(ctx, got), &ve)
		// Beside the column it would be cut off too, and found.
		for _, c := range []query.Cond{F("name").Eq(long), F("other").Eq(&long), F("name").In(long, fits), F("name").Eq([]byte(long))} {
			_, err := all.Filter(c).Exists(ctx)
			require.ErrorAs(t, err, &ve)
		}
	})
}
