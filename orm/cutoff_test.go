package orm_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/uptrace/bun"

	"github.com/holdfast-go/holdfast/dialect"
	"github.com/holdfast-go/holdfast/models"
	"github.com/holdfast-go/holdfast/orm"
	"github.com/holdfast-go/holdfast/query"
)

// Etiquette has columns that hold less than others.
type Etiquette struct {
	bun.BaseModel `bun:"table:etiquette"`
	models.AutoID
	Text  string
	Short string `bun:"type:varchar(5)"`
	Fixed string `bun:"type:char(5)"`
	Price string `bun:"type:decimal(6,2)"`
	Large string `bun:"type:decimal(12,2)"`
	Code  string `bun:"type:varchar(20),unique"`
}

// Servers cut blanks off without an error, and SQLite keeps a text of any length.
func TestS20_ComputedTextsAreNotCutOff(t *testing.T) {
	each(t, func(t *testing.T, ctx context.Context, db *orm.DB) {
		require.NoError(t, orm.CreateTables(ctx, db, (*Etiquette)(nil)))
		all := orm.Objects[Etiquette](db)
		row := Etiquette{Text: "x ", Short: "éé", Fixed: "ab", Price: "1.50", Large: "12345678.25", Code: "one"}
		require.NoError(t, all.Create(ctx, &row))
		short, fixed, text := F("short"), F("fixed"), F("text")
		chosen := func(v string) query.Expr { return query.Case().When(F("id").Gt(0), v).Else("b") }
		kept := func() Etiquette {
			got, err := all.Get(ctx)
			require.NoError(t, err)
			return *got
		}
		for name, c := range map[string]query.Assignment{
			"longer":              query.Set("short", query.Concat(short, "abcd")),
			"only blanks longer":  query.Set("short", query.Concat(short, "    ")),
			"chosen":              query.Set("short", chosen("abc   ")),
			"another column":      query.Set("short", query.Replace(text, "x", "abcdef")),
			"of a sub-select":     query.Set("short", query.Concat(query.Select(orm.Objects[Audio](db), query.Cast[string](query.Count())), "     ")),
			"ends with a blank":   query.Set("fixed", query.Concat(fixed, " ")),
			"a column with one":   query.Set("fixed", text),
			"chosen with a blank": query.Set("fixed", chosen("a ")),
			"longer than fixed":   query.Set("fixed", query.Concat(fixed, "abcd")),
		} {
			_, err := all.Update(ctx, c)
			require.Error(t, err, name)
			_, err = all.UpdateReturning(ctx, c)
			require.Error(t, err, name)
			require.Error(t, all.BulkCreate(ctx, []*Etiquette{{Code: "one", Price: "0", Large: "0"}}, query.OnConflict("code").Set(c)), name)
			require.Equal(t, row, kept(), name)
		}
		n, err := all.Filter(F("id").Lt(0)).Update(ctx, query.Set("short", query.Concat(short, text)), query.Set("fixed", query.Upper(text)))
		require.NoError(t, err)
		require.Zero(t, n, "no row, and none that does not fit")
		_, err = all.Update(ctx, query.Set("short", query.Concat(short, " ", "é ")), query.Set("fixed", query.Concat(fixed, "", " é")), query.Set("text", short))
		require.NoError(t, err)
		row.Short, row.Fixed, row.Text = "éé é ", "ab é", "éé"
		require.Equal(t, row, kept())
		_, err = all.Update(ctx, query.Set("fixed", query.NullIf(query.Trim(short), "x")), query.Set("code", short))
		require.NoError(t, err)
		row.Fixed, row.Code = "éé é", row.Short
		require.Equal(t, row, kept())
	})
}

func TestS20_DecimalNumbersOfAnotherColumnFit(t *testing.T) {
	each(t, func(t *testing.T, ctx context.Context, db *orm.DB) {
		require.NoError(t, orm.CreateTables(ctx, db, (*Etiquette)(nil)))
		all := orm.Objects[Etiquette](db)
		require.NoError(t, all.Create(ctx, &Etiquette{Price: "1.50", Large: "12345678.25"}))
		_, err := all.Update(ctx, query.Set("price", F("large")))
		require.Error(t, err)
		if db.Server().Engine == dialect.SQLite {
			require.ErrorIs(t, err, dialect.ErrUnsupported)
		}
		_, err = all.Update(ctx, query.Set("large", F("price")))
		require.NoError(t, err)
		got, err := all.Get(ctx)
		require.NoError(t, err)
		require.Equal(t, "1.50", got.Large)
	})
}
