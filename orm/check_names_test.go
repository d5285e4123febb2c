package orm_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/uptrace/bun"

	"github.com/holdfast-go/holdfast/dialect"
	"github.com/holdfast-go/holdfast/models"
	"github.com/holdfast-go/holdfast/orm"
)

type Slip struct {
	bun.BaseModel `bun:"table:slip"`
	models.AutoID
	UserID int64  `bun:"userID,unique"`
	Name   string `bun:"type:varchar(20)"`
	N      int64
}

var slips = map[string]string{
	dialect.MySQL:    "id BIGINT AUTO_INCREMENT PRIMARY KEY, userid BIGINT NOT NULL UNIQUE, name VARCHAR(20) NOT NULL, n BIGINT NOT NULL) COLLATE utf8mb4_0900_bin",
	dialect.MariaDB:  "id BIGINT AUTO_INCREMENT PRIMARY KEY, userid BIGINT NOT NULL UNIQUE, name VARCHAR(20) NOT NULL, n BIGINT NOT NULL) COLLATE utf8mb4_nopad_bin",
	dialect.Postgres: "id bigserial PRIMARY KEY, userID bigint NOT NULL UNIQUE, name varchar(20) NOT NULL, n bigint NOT NULL)",
	dialect.SQLite:   "id INTEGER PRIMARY KEY AUTOINCREMENT, USERID BIGINT NOT NULL UNIQUE, name VARCHAR(20) NOT NULL, n BIGINT NOT NULL)",
}

// PostgreSQL makes userid of a column that is declared as userID without quotes, and then does not
// find the name of the field, which statements quote.
func TestS26_CheckKnowsNamesByTheirCase(t *testing.T) {
	each(t, func(t *testing.T, ctx context.Context, db *orm.DB) {
		_, err := db.Exec(ctx, "CREATE TABLE slip ("+slips[db.Server().Engine])
		require.NoError(t, err)
		err = orm.Check(ctx, db, (*Slip)(nil), orm.Index{Model: (*Slip)(nil), Fields: []string{"userID"}})
		created := orm.Objects[Slip](db).Create(ctx, &Slip{UserID: 1})
		if db.Server().Engine != dialect.Postgres {
			require.NoError(t, err)
			require.NoError(t, created)
			for range 2 {
				require.NoError(t, orm.CreateIndex(ctx, db, (*Slip)(nil), "userID"))
			}
			return
		}
		require.Error(t, created)
		var differs *orm.CheckError
		require.ErrorAs(t, err, &differs)
		got := map[orm.DifferenceKind]string{}
		for _, d := range differs.Differences {
			got[d.Kind] = d.Column + "/" + d.Want
		}
		require.Equal(t, map[orm.DifferenceKind]string{orm.NoColumn: "userID/", orm.ExtraColumn: "userid/", orm.NoUniqueKey: "userID/userID", orm.NoIndex: "/userID"}, got)

		_, err = db.Exec(ctx, `ALTER TABLE slip RENAME COLUMN userid TO "userID"`)
		require.NoError(t, err)
		require.NoError(t, orm.Check(ctx, db, (*Slip)(nil), orm.Index{Model: (*Slip)(nil), Fields: []string{"userID"}}))
		_, err = db.Exec(ctx, `ALTER TABLE slip RENAME TO "Slip"`)
		require.NoError(t, err)
		require.ErrorAs(t, orm.Check(ctx, db, (*Slip)(nil)), &differs)
		require.Equal(t, orm.NoTable, differs.Differences[0].Kind)
	})
}

// An index of the same name and columns may be one that does not serve all rows.
func TestS24_AnIndexOfSomeRowsIsNone(t *testing.T) {
	each(t, func(t *testing.T, ctx context.Context, db *orm.DB) {
		require.NoError(t, orm.CreateTables(ctx, db, (*Slip)(nil)))
		exec := func(text string) {
			t.Helper()
			_, err := db.Exec(ctx, text)
			require.NoError(t, err)
		}
		index := func(name string) error { return orm.CreateIndex(ctx, db, (*Slip)(nil), name) }
		drop := "DROP INDEX idx_slip_name"
		switch db.Server().Engine {
		case dialect.Postgres:
			require.NoError(t, index("n"))
			exec("UPDATE pg_index SET indisvalid = false WHERE indexrelid = to_regclass('idx_slip_n')") // as one is that was not finished
			require.ErrorContains(t, index("n"), "that is not valid")
			exec("CREATE INDEX idx_slip_name ON slip (name) WHERE n > 0")
			require.ErrorContains(t, index("name"), "of some of the rows")
		case dialect.SQLite:
			exec("CREATE INDEX idx_slip_name ON slip (name) WHERE n > 0")
			require.ErrorContains(t, index("name"), "of some of the rows")
		default:
			exec("CREATE INDEX idx_slip_name ON slip (name(3))")
			require.ErrorContains(t, index("name"), "of the first 3 characters")
			drop += " ON slip"
		}
		exec(drop)
		for range 2 {
			require.NoError(t, index("name"))
		}
	})
}
