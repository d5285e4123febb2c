package orm_test

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/uptrace/bun"

	"github.com/holdfast-go/holdfast/models"
	"github.com/holdfast-go/holdfast/orm"
	"github.com/holdfast-go/holdfast/query"
)

// likeATime is a text in the form that times have on SQLite, which has no type for them.
const likeATime = "2026-03-01 12:00:00.000000+00:00"

// caption is a text that speaks for itself.
type caption struct{ text string }

func (c caption) Value() (driver.Value, error) { return c.text, nil }

func (c *caption) Scan(src any) error {
	switch src := src.(type) {
	case string:
		c.text = src
	case []byte:
		c.text = string(src)
	default:
		return errors.New("no text")
	}
	return nil
}

// Spoken is what a view puts out, whose columns are expressions.
type Spoken struct {
	bun.BaseModel `bun:"table:spoken"`
	ID            int64 `bun:",pk"`
	Text          string
	Bytes         []byte
	Pointer       *string
	Null          sql.NullString `bun:"null_"`
	Generic       sql.Null[string]
	Own           caption `bun:"type:text"`
}

// Voice is joined to Spoken, and has it prefetched.
type Voice struct {
	ID       int64 `bun:",pk"`
	Name     string
	SpokenID int64
	Spoken   *Spoken   `bun:"rel:belongs-to,join:spoken_id=id"`
	All      []*Spoken `bun:"rel:has-many,join:spoken_id=id"`
}

// annotatedName is an Owner with a text that is computed.
type annotatedName struct {
	bun.BaseModel `bun:"table:owners"`
	models.AutoID
	Name  string
	Shown string  `bun:",scanonly"`
	Maybe *string `bun:",scanonly"`
}

func TestS01_AComputedTextThatLooksLikeATime(t *testing.T) {
	each(t, func(t *testing.T, ctx context.Context, db *orm.DB) {
		require.NoError(t, orm.Objects[Owner](db).Create(ctx, &Owner{Name: likeATime}))
		named := orm.Objects[annotatedName](db).Annotate("shown", query.Lower(F("name"))).Annotate("maybe", query.Upper(F("name")))
		got, err := named.Get(ctx)
		require.NoError(t, err)
		require.Equal(t, []string{likeATime, likeATime, likeATime}, []string{got.Name, got.Shown, *got.Maybe})
		for row, err := range named.Iterate(ctx) {
			require.NoError(t, err)
			require.Equal(t, likeATime, row.Shown)
		}

		_, err = db.Exec(ctx, "CREATE VIEW spoken AS SELECT id, LOWER(name) AS text, LOWER(name) AS bytes, LOWER(name) AS pointer, LOWER(name) AS null_, "+
			"LOWER(name) AS generic, LOWER(name) AS own FROM owners")
		require.NoError(t, err)
		text := likeATime
		want := Spoken{ID: got.ID, Text: text, Bytes: []byte(text), Pointer: &text, Null: sql.NullString{String: text, Valid: true},
			Generic: sql.Null[string]{V: text, Valid: true}, Own: caption{text}}
		row, err := orm.Objects[Spoken](db).Get(ctx)
		require.NoError(t, err)
		require.Equal(t, want, *row)
		found, err := orm.FindMany(ctx, orm.Objects[Spoken](db), []int64{got.ID})
		require.NoError(t, err)
		require.Equal(t, want, *found[got.ID])
		sel, err := orm.Select[Spoken](ctx, orm.Objects[Spoken](db), F("id"), F("text"), F("bytes"), F("pointer"), F("null_"), F("generic"), F("own"))
		require.NoError(t, err)
		require.Equal(t, []Spoken{want}, sel)

		_, err = db.Exec(ctx, "CREATE TABLE voices (id BIGINT PRIMARY KEY, name VARCHAR(60) NOT NULL, spoken_id BIGINT NOT NULL)")
		require.NoError(t, err) // a view cannot be referred to
		voices := orm.Objects[Voice](db)
		require.NoError(t, voices.Create(ctx, &Voice{ID: 1, Name: likeATime, SpokenID: got.ID}))
		voice, err := voices.Related("spoken").Prefetch("all").Get(ctx)
		require.NoError(t, err)
		require.Equal(t, want, *voice.Spoken)
		require.Equal(t, want, *voice.All[0])
		changed, err := voices.UpdateReturning(ctx, query.Set("name", query.Lower(F("name"))))
		require.NoError(t, err)
		require.Equal(t, likeATime, changed[0].Name)
		gone, err := voices.DeleteReturning(ctx)
		require.NoError(t, err)
		require.Equal(t, likeATime, gone[0].Name)
	})
}
