package orm_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/orm"
	"github.com/holdfast-go/holdfast/query"
)

// Exists finds what All would: an Offset passes over rows that are different.
func TestS32_ExistsCountsWhatDistinctLeaves(t *testing.T) {
	each(t, func(t *testing.T, ctx context.Context, db *orm.DB) {
		project, _ := studio(ctx, t, db, 3)
		projects := orm.Objects[Project](db)
		twice := projects.Join("a", query.Select(orm.Objects[Audio](db), F("project_id")), F("id").Eq(F("a.project_id")))
		for name, q := range map[string]orm.QuerySet[Project]{
			"rows": twice, "different ones": twice.Distinct(), "an Offset": twice.Offset(1), "beyond": twice.Offset(3), "different beyond": twice.Distinct().Offset(1),
			"a Limit": twice.Distinct().Offset(1).Limit(5), "none": twice.Distinct().Limit(0), "without a Join": projects.Distinct().Offset(1), "behind all": projects.Distinct().Offset(2),
			"related": twice.Distinct().Related("owner").OrderBy("-name").Offset(1), "one of them": twice.Filter(F("id").Eq(project.ID)).Distinct(),
			"by its relation": twice.Filter(F("owner.name").Eq("Ada")).Distinct().Offset(1), "nothing": twice.Filter(F("id").Eq(-1)).Distinct().Offset(1),
			"computed from nothing": projects.Filter(query.Any("missing")),
		} {
			rows, err := q.All(ctx)
			if err != nil {
				_, err = q.Exists(ctx)
				require.Error(t, err, name)
				continue
			}
			found, err := q.Exists(ctx)
			require.NoError(t, err, name)
			require.Equal(t, len(rows) > 0, found, name)
			n, err := q.Count(ctx)
			require.NoError(t, err, name)
			require.EqualValues(t, len(rows), n, name)
		}
	})
}
