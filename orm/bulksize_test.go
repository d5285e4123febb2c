package orm_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/uptrace/bun"

	"github.com/holdfast-go/holdfast/models"
	"github.com/holdfast-go/holdfast/orm"
	"github.com/holdfast-go/holdfast/query"
)

type Sheaf struct {
	bun.BaseModel `bun:"table:sheaves"`
	models.AutoID
	Number int64 `bun:",unique"`
	Doc    struct{ Text string }
	Pages  []struct{ Text string }
	Own    settings `bun:"type:json"`
}

// How long the JSON of a struct or a list is, or what a Valuer says, is known once it is
// bound. MariaDB takes statements of 16 MiB.
func TestS09_WhatIsBoundDecidesHowManyRowsAStatementHas(t *testing.T) {
	long := strings.Repeat("x", 17<<10)
	eachCounted(t, func(t *testing.T, db *orm.DB, turns func(run func()) int) {
		ctx := context.Background()
		all := orm.Objects[Sheaf](db)
		for name, fill := range map[string]func(d *Sheaf, text string){
			"a struct": func(d *Sheaf, text string) { d.Doc.Text = text },
			"a list":   func(d *Sheaf, text string) { d.Pages = []struct{ Text string }{{text}} },
			"a Valuer": func(d *Sheaf, text string) { d.Own.Name = text },
		} {
			require.NoError(t, orm.CreateTables(ctx, db, (*Sheaf)(nil)))
			rows := make([]*Sheaf, 260)
			fresh := func(text string) {
				_, err := all.Delete(ctx)
				require.NoError(t, err)
				for i := range rows {
					rows[i] = &Sheaf{Number: int64(i)}
					fill(rows[i], text)
				}
			}
			fresh("x")
			require.Equal(t, 1+1, turns(func() { fresh("x"); require.NoError(t, all.BulkCreate(ctx, rows)) }), name)
			require.Equal(t, 1+3, turns(func() { fresh(long); require.NoError(t, all.BulkCreate(ctx, rows)) }), "%s: two statements, and COMMIT", name)
			if name != "a struct" {
				continue // the others below go by the same sizes
			}
			require.GreaterOrEqual(t, turns(func() {
				again := make([]*Sheaf, len(rows)) // without keys
				for i := range again {
					again[i] = &Sheaf{Number: int64(i)}
					fill(again[i], long)
				}
				require.NoError(t, all.BulkCreate(ctx, again, query.OnConflict("number").Update()))
			}), 3, name)
			longer := strings.Repeat(long, 10)
			for i, d := range rows[:50] {
				fill(d, fmt.Sprint(i, longer))
			}
			require.GreaterOrEqual(t, turns(func() { require.NoError(t, all.BulkSave(ctx, rows[:50])) }), 3, "%s: more than 8 MiB", name)
			n, err := all.Count(ctx)
			require.NoError(t, err)
			require.EqualValues(t, len(rows), n)
		}
	})
}
