package orm_test

import (
	"context"
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/uptrace/bun"

	"github.com/holdfast-go/holdfast/atomic"
	"github.com/holdfast-go/holdfast/dialect"
	"github.com/holdfast-go/holdfast/models"
	"github.com/holdfast-go/holdfast/orm"
)

func TestS26_CheckFindsNoDifferenceInWhatCreateTablesMade(t *testing.T) {
	each(t, func(t *testing.T, ctx context.Context, db *orm.DB) {
		list := []any{
			(*Owner)(nil), (*Project)(nil), (*Audio)(nil), (*Document)(nil), (*Everything)(nil), (*Papers)(nil), (*Host)(nil), (*Fact)(nil),
			(*Rectangle)(nil), (*Plan)(nil), (*Keyless)(nil), (*Person)(nil), (*Invoice)(nil), (*Item)(nil),
		}
		require.NoError(t, orm.CreateTables(ctx, db, list...))
		require.NoError(t, orm.Check(ctx, db, list...))
		inBlock(ctx, t, db, func(ctx context.Context) { require.NoError(t, orm.Check(ctx, db, list...)) })
	})
}

type Checked struct {
	bun.BaseModel `bun:"table:checked"`
	ID            int64 `bun:",pk,autoincrement"`
	Missing       int64
	Name          string `bun:"type:varchar(40)"`
	Small         int64  `bun:"type:bigint"`
	Wide          int16
	Day           time.Time `bun:"type:date"`
	At            time.Time
	Filled        string `bun:"type:varchar(10)"`
	Given         *string
	Lang          string `bun:"type:varchar(10),nullzero,default:'en'"`
	Amount        string `bun:"type:decimal(10,2)"`
	Folded        string `bun:"type:varchar(10)"`
}

type Absent struct{ models.AutoID }

func TestS26_CheckFindsDifferences(t *testing.T) {
	declarations := map[string]string{
		dialect.MySQL: "id BIGINT NOT NULL PRIMARY KEY, name VARCHAR(20) COLLATE utf8mb4_0900_bin NOT NULL, small INT NOT NULL, wide BIGINT NOT NULL, day DATETIME(6) NOT NULL, " +
			"at DATETIME(3) NOT NULL, filled VARCHAR(10) COLLATE utf8mb4_0900_bin, given LONGTEXT COLLATE utf8mb4_0900_bin NOT NULL, lang VARCHAR(10) COLLATE utf8mb4_0900_bin, " +
			"amount DECIMAL(8,2) NOT NULL, folded VARCHAR(10) CHARACTER SET latin1 NOT NULL, extra INT NOT NULL",
		dialect.MariaDB: "id BIGINT NOT NULL PRIMARY KEY, name VARCHAR(20) COLLATE utf8mb4_nopad_bin NOT NULL, small INT NOT NULL, wide BIGINT NOT NULL, day DATETIME(6) NOT NULL, " +
			"at DATETIME(3) NOT NULL, filled VARCHAR(10) COLLATE utf8mb4_nopad_bin, given LONGTEXT COLLATE utf8mb4_nopad_bin NOT NULL, lang VARCHAR(10) COLLATE utf8mb4_nopad_bin, " +
			"amount DECIMAL(8,2) NOT NULL, folded VARCHAR(10) CHARACTER SET latin1 NOT NULL, extra INT NOT NULL",
		dialect.Postgres: `id bigint NOT NULL PRIMARY KEY, name varchar(20) NOT NULL, small int NOT NULL, wide bigint NOT NULL, day timestamptz NOT NULL, ` +
			`at timestamp NOT NULL, filled varchar(10), given text NOT NULL, lang varchar(10), amount numeric(8,2) NOT NULL, folded varchar(10) COLLATE folding NOT NULL, extra int NOT NULL`,
		dialect.SQLite: `id BIGINT NOT NULL PRIMARY KEY, name INTEGER NOT NULL, small INT NOT NULL, wide BIGINT NOT NULL, day DATETIME NOT NULL, ` +
			`at DATETIME NOT NULL, filled VARCHAR(10), given TEXT NOT NULL, lang VARCHAR(10), amount DECIMAL(10,2) NOT NULL, folded VARCHAR(10) NOT NULL, extra INT NOT NULL`,
	}
	each(t, func(t *testing.T, ctx context.Context, db *orm.DB) {
		engine := db.Server().Engine
		if engine == dialect.Postgres {
			_, err := db.Exec(ctx, "CREATE COLLATION folding (provider = icu, locale = 'und-u-ks-level2', deterministic = false)")
			require.NoError(t, err)
		}
		_, err := db.Exec(ctx, "CREATE TABLE checked ("+declarations[engine]+")")
		require.NoError(t, err)
		want := map[string]orm.DifferenceKind{
			"checked.missing": orm.NoColumn, "checked.name": orm.TooNarrow, "checked.small": orm.TooNarrow, "checked.day": orm.OtherType, "checked.at": orm.TooNarrow,
			"checked.filled": orm.MayBeNull, "checked.given": orm.NeverNull, "checked.lang": orm.NoDefault, "checked.amount": orm.TooNarrow, "checked.folded": orm.OtherText,
			"checked.extra": orm.ExtraColumn, "checked.id": orm.NotAutoIncrement, "absents.": orm.NoTable,
		}
		switch engine {
		case dialect.Postgres:
			want["checked.at"] = orm.NoZone
		case dialect.SQLite:
			want["checked.name"], want["checked.amount"] = orm.OtherType, orm.FloatDecimals
			delete(want, "checked.small")
			delete(want, "checked.at")
			delete(want, "checked.folded")
		}
		err = orm.Check(ctx, db, (*Checked)(nil), (*Absent)(nil))
		var differs *orm.CheckError
		require.ErrorAs(t, err, &differs)
		got := map[string]orm.DifferenceKind{}
		for _, d := range differs.Differences {
			got[d.Table+"."+d.Column] = d.Kind
			require.ErrorContains(t, err, d.String())
		}
		require.Equal(t, want, got)

		_, err = db.Exec(ctx, "CREATE TABLE absents (id BIGINT NOT NULL)")
		require.NoError(t, err)
		require.ErrorAs(t, orm.Check(ctx, db, (*Absent)(nil)), &differs)
		require.Equal(t, orm.OtherKey, differs.Differences[len(differs.Differences)-1].Kind)
		require.ErrorContains(t, differs, "the primary key is another: the model has id, the table none")
		require.ErrorContains(t, orm.Check(ctx, db, nil), "a model is nil")
	})
}

type Ware struct {
	bun.BaseModel `bun:"table:ware"`
	models.AutoID
	Code  string          `bun:"type:varchar(20)"`
	Name  string          `bun:"type:varchar(20)"`
	Bare  string          `bun:"type:varchar(20)"`
	Doc   json.RawMessage `bun:",notnull"`
	Map   map[string]int  `bun:",notnull"`
	Gross int64
	Net   int64
	Tax   int64 `bun:",scanonly"`
	At    time.Time
	Day   models.Date
	Sold  bool
}

// What is declared by hand, in each engine's own words: what those words do to the values of a
// field is told, and other words for the same are not.
func TestS26_CheckKnowsTheWordsOfAnEngine(t *testing.T) {
	gross := "gross BIGINT NOT NULL, net BIGINT GENERATED ALWAYS AS (gross - 1) STORED, tax BIGINT GENERATED ALWAYS AS (gross - 2) STORED"
	my := "id BIGINT AUTO_INCREMENT PRIMARY KEY, code VARCHAR(20) NOT NULL, name VARCHAR(20) NOT NULL, bare VARCHAR(20) NOT NULL, doc JSON NOT NULL, map JSON NOT NULL, " +
		gross + ", at TIMESTAMP(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6), day DATE, sold TINYINT(1) NOT NULL"
	tables := map[string]struct {
		table string
		want  map[string]orm.DifferenceKind
	}{
		dialect.MySQL:   {my + ") COLLATE utf8mb4_0900_bin", map[string]orm.DifferenceKind{"net": orm.Computed, "at": orm.TooNarrow}},
		dialect.MariaDB: {my + ") COLLATE utf8mb4_nopad_bin", map[string]orm.DifferenceKind{"net": orm.Computed, "at": orm.TooNarrow}},
		dialect.Postgres: {"id bigserial PRIMARY KEY, code citext NOT NULL, name varchar(20) NOT NULL, bare varchar(20) NOT NULL, doc jsonb NOT NULL, map json NOT NULL, " +
			gross + ", at timestamptz NOT NULL, day date, sold boolean NOT NULL)", map[string]orm.DifferenceKind{"net": orm.Computed, "code": orm.OtherText}},
		dialect.SQLite: {"id INTEGER PRIMARY KEY, code STRING NOT NULL, name TEXT COLLATE NOCASE NOT NULL, bare COLLATE RTRIM NOT NULL, doc JSON NOT NULL, map JSON NOT NULL, " +
			gross + ", at TEXT NOT NULL, day TEXT, sold INTEGER NOT NULL)",
			map[string]orm.DifferenceKind{"net": orm.Computed, "code": orm.OtherType, "name": orm.OtherText, "bare": orm.OtherText, "doc": orm.OtherType}},
	}
	each(t, func(t *testing.T, ctx context.Context, db *orm.DB) {
		engine := db.Server().Engine
		if engine == dialect.Postgres {
			_, err := db.Exec(ctx, "CREATE EXTENSION IF NOT EXISTS citext")
			require.NoError(t, err)
		}
		_, err := db.Exec(ctx, "CREATE TABLE ware ("+tables[engine].table)
		require.NoError(t, err)
		var differs *orm.CheckError
		require.ErrorAs(t, orm.Check(ctx, db, (*Ware)(nil)), &differs)
		got := map[string]orm.DifferenceKind{}
		for _, d := range differs.Differences {
			if d.Kind != orm.MayBeNull || d.Column != "net" { // MariaDB has no NOT NULL for what it computes
				got[d.Column] = d.Kind
			}
		}
		require.Equal(t, tables[engine].want, got)
		if engine != dialect.SQLite {
			return
		}
		_, err = db.Exec(ctx, "DROP TABLE ware")
		require.NoError(t, err)
		_, err = db.Exec(ctx, "CREATE TABLE ware (id INTEGER PRIMARY KEY, code TEXT NOT NULL, name TEXT NOT NULL, bare TEXT NOT NULL, doc TEXT NOT NULL, map TEXT NOT NULL, "+
			"gross INTEGER NOT NULL, net INTEGER NOT NULL, tax INTEGER NOT NULL, at TEXT NOT NULL, day TEXT, sold INTEGER NOT NULL CHECK (sold IN (0, 1))) STRICT")
		require.NoError(t, err)
		require.NoError(t, orm.Check(ctx, db, (*Ware)(nil)), "a STRICT table has no other words")
	})
}

// What a block has written into such a table is there after its rollback.
func TestS26_CheckFindsTablesWithoutTransactions(t *testing.T) {
	each(t, func(t *testing.T, ctx context.Context, db *orm.DB) {
		type plain struct {
			bun.BaseModel `bun:"table:plain"`
			ID            int64 `bun:",pk,autoincrement"`
		}
		storages := map[string][]string{dialect.MySQL: {"MyISAM", "MEMORY"}, dialect.MariaDB: {"MyISAM", "Aria"}}[db.Server().Engine]
		require.NoError(t, orm.CreateTables(ctx, db, (*plain)(nil)))
		require.NoError(t, orm.Check(ctx, db, (*plain)(nil)))
		for _, storage := range storages {
			_, err := db.Exec(ctx, "ALTER TABLE plain ENGINE = "+storage)
			require.NoError(t, err)
			var differs *orm.CheckError
			require.ErrorAs(t, orm.Check(ctx, db, (*plain)(nil)), &differs)
			require.Equal(t, []orm.Difference{{Model: "Plain", Table: "plain", Kind: orm.NoTransactions, Want: "InnoDB", Have: storage}}, differs.Differences)
			require.ErrorIs(t, atomic.Do(ctx, db, func(ctx context.Context) error {
				require.NoError(t, orm.Objects[plain](db).Create(ctx, &plain{}))
				return context.Canceled
			}), context.Canceled)
			n, err := orm.Objects[plain](db).Count(ctx)
			require.NoError(t, err)
			require.EqualValues(t, 1, n, "no block can undo that")
			_, err = orm.Objects[plain](db).Delete(ctx)
			require.NoError(t, err)
		}
	})
}

type Keyed struct {
	bun.BaseModel `bun:"table:keyed"`
	models.AutoID
	Email  string `bun:"type:varchar(40),unique"`
	Shop   int64  `bun:",unique:item"`
	Item   int64  `bun:",unique:item"`
	Status string `bun:"type:varchar(10)"`
}

func TestS26_CheckFindsMissingKeysAndIndexes(t *testing.T) {
	each(t, func(t *testing.T, ctx context.Context, db *orm.DB) {
		missing := func(models ...any) (list []string) {
			t.Helper()
			err := orm.Check(ctx, db, models...)
			var differs *orm.CheckError
			if err != nil {
				require.ErrorAs(t, err, &differs)
				for _, d := range differs.Differences {
					list = append(list, string(d.Kind)+" "+d.Column+"/"+d.Want)
				}
			}
			return list
		}
		exec := func(text string) {
			t.Helper()
			_, err := db.Exec(ctx, text)
			require.NoError(t, err)
		}
		claim := orm.Index{Model: (*Keyed)(nil), Fields: []string{"status", "-id"}}
		require.NoError(t, orm.CreateTables(ctx, db, (*Keyed)(nil)))
		require.Empty(t, missing((*Keyed)(nil)))
		require.Empty(t, missing(orm.Index{Model: (*Keyed)(nil), Fields: []string{"id"}}, orm.Index{Model: (*Keyed)(nil), Fields: []string{"email"}}))
		require.Equal(t, []string{string(orm.NoIndex) + " /status, -id"}, missing(claim, (*Keyed)(nil)))
		require.NoError(t, orm.CreateIndex(ctx, db, (*Keyed)(nil), "status"))
		require.Len(t, missing(claim), 1)
		require.NoError(t, orm.CreateIndex(ctx, db, (*Keyed)(nil), "status", "id", "shop"))
		require.Empty(t, missing(claim))

		exec("DROP TABLE keyed")
		plain := map[string]string{
			dialect.MySQL:    "id BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY, email VARCHAR(40) COLLATE utf8mb4_0900_bin NOT NULL, shop BIGINT NOT NULL, item BIGINT NOT NULL, status VARCHAR(10) COLLATE utf8mb4_0900_bin NOT NULL, UNIQUE (email(10)), UNIQUE (shop, item, id)",
			dialect.MariaDB:  "id BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY, email VARCHAR(40) COLLATE utf8mb4_nopad_bin NOT NULL, shop BIGINT NOT NULL, item BIGINT NOT NULL, status VARCHAR(10) COLLATE utf8mb4_nopad_bin NOT NULL, UNIQUE (email(10)), UNIQUE (shop, item, id)",
			dialect.Postgres: "id bigserial PRIMARY KEY, email varchar(40) NOT NULL, shop bigint NOT NULL, item bigint NOT NULL, status varchar(10) NOT NULL, UNIQUE (shop, item, id)",
			dialect.SQLite:   "id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, email VARCHAR(40) NOT NULL, shop BIGINT NOT NULL, item BIGINT NOT NULL, status VARCHAR(10) NOT NULL, UNIQUE (shop, item, id)",
		}
		exec("CREATE TABLE keyed (" + plain[db.Server().Engine] + ")")
		switch db.Server().Engine {
		case dialect.Postgres, dialect.SQLite:
			exec("CREATE UNIQUE INDEX some_emails ON keyed (email) WHERE shop > 0")
			exec("CREATE UNIQUE INDEX folded_emails ON keyed (lower(email))")
		}
		require.ElementsMatch(t, []string{string(orm.NoUniqueKey) + " email/email", string(orm.NoUniqueKey) + " /shop, item"}, missing((*Keyed)(nil)))
		exec("CREATE UNIQUE INDEX keyed_email ON keyed (email)")
		exec("CREATE UNIQUE INDEX keyed_item ON keyed (item, shop)")
		require.Empty(t, missing((*Keyed)(nil)))

		require.ErrorContains(t, orm.Check(ctx, db, orm.Index{Model: (*Keyed)(nil)}), "an Index needs")
		require.ErrorContains(t, orm.Check(ctx, db, orm.Index{Fields: []string{"id"}}), "an Index needs")
		require.ErrorContains(t, orm.Check(ctx, db, orm.Index{Model: (*Keyed)(nil), Fields: []string{"state"}}), "state")
	})
}
