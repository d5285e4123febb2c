package orm_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/internal/testserver"
	"github.com/holdfast-go/holdfast/orm"
	"github.com/holdfast-go/holdfast/query"
)

// What is made of a query with OnReplica is answered where the query is. The replica
// here is another database, which has other rows. That takes a server which tells where it
// stands: MySQL and MariaDB do with a binary log and GTIDs, as the clusters of tests/clusters
// have them (TestR01_WhoAnswers).
func TestR01_WhatIsMadeOfAQueryOnAReplica(t *testing.T) {
	t.Parallel()
	testserver.Each(t, func(t *testing.T, at testserver.Database) {
		ctx := t.Context()
		other := testserver.New(t, at.Engine)
		apart := open(t, other)
		require.NoError(t, orm.CreateTables(ctx, apart, (*Owner)(nil)))
		require.NoError(t, orm.Objects[Owner](apart).BulkCreate(ctx, []*Owner{{Name: "replica"}, {Name: "replica 2"}}))
		db, err := orm.Open(ctx, source(at), orm.WithReplicas(source(other)))
		require.NoError(t, err)
		t.Cleanup(func() { require.NoError(t, db.Close()) })
		require.NoError(t, orm.CreateTables(ctx, db, (*Owner)(nil)))
		here := orm.Objects[Owner](db).OrderBy("id")
		require.NoError(t, here.Create(ctx, &Owner{Name: "writer"}))
		there := here.OnReplica()
		name := F("name")
		named := query.Select(there, name)
		for what, c := range map[string]struct {
			q      query.Query
			put    []query.Operand
			writer bool
		}{
			"columns": {there, []query.Operand{name}, false}, "an aggregate": {there, []query.Operand{query.Min(name)}, false}, "a Selection": {named, nil, false},
			"filtered": {named.Filter(name.Ne("")), nil, false}, "limited": {named.Limit(1), nil, false}, "selected from": {query.Select(named, query.Max(name).As("name")), nil, false},
			"joined": {query.Select(there.Join("o", query.Select(here, F("id")), F("id").Eq(F("o.id"))), name), nil, false},
			"named":  {query.With("w", named), nil, false}, "a union": {query.Union(named, query.Select(there.Filter(name.Eq("x")), name)), nil, false},
			"a union with another": {query.Union(named, query.Select(here, name)), nil, true}, "the other way round": {query.Union(query.Select(here, name), named), nil, true},
			"the writer's": {query.Select(here, name), nil, true}, "looked in": {query.Select(here.Filter(F("id").In(query.Select(there, F("id")))), name), nil, true},
		} {
			got, err := orm.Select[string](ctx, c.q, c.put...)
			require.NoError(t, err, what)
			var iterated []string
			for row, err := range orm.IterateSelect[string](ctx, c.q, c.put...) {
				require.NoError(t, err, what)
				iterated = append(iterated, row)
			}
			for _, list := range [][]string{got, iterated} {
				require.NotEmpty(t, list, what)
				assert.Equal(t, c.writer, list[0] == "writer", what)
			}
		}
		n, err := there.Count(ctx)
		require.NoError(t, err)
		assert.EqualValues(t, 2, n)
		found, err := there.Filter(name.Eq("replica")).Exists(ctx)
		require.NoError(t, err)
		assert.True(t, found)
		least, err := orm.Aggregate[string](ctx, there, query.Min(name))
		require.NoError(t, err)
		assert.Equal(t, "replica", least)
		row, err := there.First(ctx)
		require.NoError(t, err)
		assert.Equal(t, "replica", row.Name)
		inBlock(ctx, t, db, func(ctx context.Context) {
			got, err := orm.Select[string](ctx, there, name)
			require.NoError(t, err)
			assert.Equal(t, []string{"writer"}, got, "a block stays where it is")
		})
	}, testserver.Postgres)
}

// Nothing is locked on a replica, by whatever way the rows are read.
func TestR02_NothingIsLockedOnAReplica(t *testing.T) {
	each(t, func(t *testing.T, ctx context.Context, db *orm.DB) {
		studio(ctx, t, db, 1)
		q := orm.Objects[Audio](db).SelectForUpdate().OnReplica()
		inBlock(ctx, t, db, func(ctx context.Context) {
			_, all := q.All(ctx)
			_, first := q.First(ctx)
			_, exists := q.Exists(ctx)
			_, count := q.Count(ctx)
			_, selected := orm.Select[int64](ctx, q, F("id"))
			_, selection := orm.Select[int64](ctx, query.Select(q, F("id")))
			_, aggregate := orm.Aggregate[int64](ctx, q, query.Count())
			_, plan := q.Explain(ctx)
			var iterated, rows error
			for _, err := range orm.IterateSelect[int64](ctx, q, F("id")) {
				iterated = err
			}
			for _, err := range q.Iterate(ctx) {
				rows = err
			}
			for what, err := range map[string]error{
				"All": all, "First": first, "Exists": exists, "Count": count, "Select": selected, "a Selection": selection, "Aggregate": aggregate, "Explain": plan,
				"IterateSelect": iterated, "Iterate": rows, "Err": q.Err(),
			} {
				assert.ErrorIs(t, err, orm.ErrLockOptions, what)
			}
		})
	})
}
