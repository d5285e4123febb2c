package orm_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/orm"
	"github.com/holdfast-go/holdfast/query"
)

// A page of Before comes in the query's order, whatever of it is read.
func TestS44_SelectReadsAPageOfBeforeInItsOrder(t *testing.T) {
	each(t, func(t *testing.T, ctx context.Context, db *orm.DB) {
		_, rows := studio(ctx, t, db, 6)
		all := orm.Objects[Audio](db).OrderBy("index")
		before := all.Before(rows[4])
		for name, c := range map[string]struct {
			q    query.Query
			put  []query.Operand
			want []int64
		}{
			"a page": {before.Limit(3), []query.Operand{F("index")}, []int64{1, 2, 3}}, "all": {before, []query.Operand{F("index")}, []int64{0, 1, 2, 3}},
			"the last": {all.Before(nil).Limit(2), []query.Operand{F("index")}, []int64{4, 5}}, "descending": {orm.Objects[Audio](db).OrderBy("-index").Before(rows[1]).Limit(2), []query.Operand{F("index")}, []int64{3, 2}},
			"between":     {before.After(rows[0]).Limit(2), []query.Operand{F("index")}, []int64{2, 3}},
			"a Selection": {query.Select(before.Limit(3), F("index")), nil, []int64{1, 2, 3}}, "limited itself": {query.Select(before, F("index")).Limit(3), nil, []int64{1, 2, 3}},
			"ordered itself": {query.Select(before, F("index")).OrderBy("-index"), nil, []int64{3, 2, 1, 0}},
			"filtered":       {query.Select(before.Limit(3), F("index")).Filter(F("index").Gt(1)).OrderBy("index"), nil, []int64{2, 3}},
			"selected from":  {query.Select(query.Select(before.Limit(3), F("index")), F("index").Add(1).As("next")).OrderBy("-next"), nil, []int64{4, 3, 2}},
			"looked in":      {all.Filter(F("id").In(query.Select(before.Limit(2), F("id")))), []query.Operand{F("index")}, []int64{2, 3}},
			"forward":        {all.After(rows[3]).Limit(2), []query.Operand{F("index")}, []int64{4, 5}},
			"an aggregate":   {before, []query.Operand{query.Count()}, []int64{4}},
		} {
			got, err := orm.Select[int64](ctx, c.q, c.put...)
			require.NoError(t, err, name)
			require.Equal(t, c.want, got, name)
		}
		for _, q := range []query.Query{before.Limit(3), query.Select(before.Limit(3), F("index"))} {
			var put []query.Operand
			if _, whole := q.(orm.QuerySet[Audio]); whole {
				put = append(put, F("index"))
			}
			n := 0
			for _, err := range orm.IterateSelect[int64](ctx, q, put...) {
				require.ErrorContains(t, err, "is read with All or orm.Select")
				n++
			}
			require.Equal(t, 1, n)
		}
	})
}
