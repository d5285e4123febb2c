package orm_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/uptrace/bun"

	"github.com/holdfast-go/holdfast/dialect"
	"github.com/holdfast-go/holdfast/models"
	"github.com/holdfast-go/holdfast/orm"
	"github.com/holdfast-go/holdfast/query"
)

type Rectangle struct {
	models.AutoID
	Name string
	A, B int64
	Area int64 `bun:"type:bigint GENERATED ALWAYS AS (a * b) STORED,scanonly"`
}

func TestS22_AColumnThatIsOnlyRead(t *testing.T) {
	each(t, func(t *testing.T, ctx context.Context, db *orm.DB) {
		require.NoError(t, orm.CreateTables(ctx, db, (*Rectangle)(nil)))
		all := orm.Objects[Rectangle](db)
		r := &Rectangle{Name: "r", A: 2, B: 3, Area: 99}
		require.NoError(t, all.Create(ctx, r))
		require.EqualValues(t, 6, r.Area)
		more := []*Rectangle{{Name: "s", A: 4, B: 5}, {Name: "t", A: 1, B: 1}}
		require.NoError(t, all.BulkCreate(ctx, more))
		require.EqualValues(t, 20, more[0].Area)
		r.A = 10
		require.NoError(t, all.Save(ctx, r))
		got, err := all.Filter(F("area").Ge(20)).OrderBy("-area").All(ctx)
		require.NoError(t, err)
		require.Len(t, got, 2)
		require.EqualValues(t, 30, got[0].Area)
		require.Equal(t, more[0], got[1])
		var fe *query.FieldError
		require.ErrorAs(t, all.Save(ctx, r, "area"), &fe)
		_, err = all.Update(ctx, query.Set("area", 1))
		require.ErrorAs(t, err, &fe)
		_, err = all.Update(ctx, query.Set("a", F("area")))
		require.NoError(t, err)
		greatest, err := orm.Aggregate[int64](ctx, all, query.Max(F("area")))
		require.NoError(t, err)
		require.EqualValues(t, 100, greatest)
		created, err := all.UpdateOrCreate(ctx, &Rectangle{Name: "t", A: 2, B: 2}, "name")
		require.NoError(t, err)
		require.False(t, created)
	})
}

type Subscription struct {
	models.AutoID
	Active bool   `bun:"default:true"`
	Name   string `bun:",unique"`
}

type Plan struct {
	models.AutoID
	Active *bool  `bun:",notnull,default:true"`
	Seats  int    `bun:",default:0"`
	Lang   string `bun:",notnull,nullzero,default:'en'"`
	Mode   string `bun:",nullzero,default:'on'"`
}

func TestS23_ADefaultAndAZero(t *testing.T) {
	each(t, func(t *testing.T, ctx context.Context, db *orm.DB) {
		err := orm.Objects[Subscription](db).Create(ctx, &Subscription{})
		require.ErrorContains(t, err, "nullzero")
		require.ErrorContains(t, orm.CreateTables(ctx, db, (*Subscription)(nil)), "field Active")

		require.NoError(t, orm.CreateTables(ctx, db, (*Plan)(nil)))
		all := orm.Objects[Plan](db)
		no, yes := false, true
		off, on := &Plan{Active: &no, Seats: 3, Lang: "ko", Mode: "off"}, &Plan{}
		require.NoError(t, all.BulkCreate(ctx, []*Plan{off, on}))
		require.Equal(t, &yes, on.Active)
		require.Equal(t, "en", on.Lang)
		for _, want := range []*Plan{off, on} {
			got, err := all.Filter(F("id").Eq(want.ID)).Get(ctx)
			require.NoError(t, err)
			require.Equal(t, want, got)
		}
	})
}

type Keyless struct {
	bun.BaseModel `bun:"table:keyless"`
	Name          string
	Lang          string `bun:",nullzero,default:'en'"`
}

func TestARowWithoutAKeyCannotBeReadAgain(t *testing.T) {
	each(t, func(t *testing.T, ctx context.Context, db *orm.DB) {
		require.NoError(t, orm.CreateTables(ctx, db, (*Keyless)(nil)))
		all := orm.Objects[Keyless](db)
		require.ErrorContains(t, all.Create(ctx, &Keyless{Name: "a"}), "no primary key")
		require.ErrorContains(t, all.BulkCreate(ctx, []*Keyless{{Name: "a"}}), "no primary key")
		require.NoError(t, all.Create(ctx, &Keyless{Name: "a", Lang: "ko"}))
	})
}

type Longest struct {
	bun.BaseModel `bun:"table:a_table_with_quite_a_long_name"`
	models.AutoID
	FirstLongColumn  int64
	SecondLongColumn int64
}

func TestS24_AnIndexIsMadeOrThereIsAnError(t *testing.T) {
	each(t, func(t *testing.T, ctx context.Context, db *orm.DB) {
		require.NoError(t, orm.CreateTables(ctx, db, (*Longest)(nil), (*Rectangle)(nil)))
		for range 2 { // the second time it is there
			require.NoError(t, orm.CreateIndex(ctx, db, (*Longest)(nil), "first_long_column", "second_long_column"))
			require.NoError(t, orm.CreateIndex(ctx, db, (*Longest)(nil), "first_long_column", "-second_long_column"))
			require.NoError(t, orm.CreateIndex(ctx, db, (*Rectangle)(nil), "a", "-b"))
		}
		quote := `"`
		if e := db.Server().Engine; e == dialect.MySQL || e == dialect.MariaDB {
			quote = "`"
		}
		_, err := db.Exec(ctx, "CREATE INDEX idx_rectangles_b ON "+quote+"rectangles"+quote+" (a)")
		require.NoError(t, err)
		require.ErrorContains(t, orm.CreateIndex(ctx, db, (*Rectangle)(nil), "b"), "on other columns")
		if db.Server().Engine == dialect.Postgres || db.Server().Engine == dialect.SQLite { // whose indexes have names of one room
			_, err = db.Exec(ctx, `CREATE INDEX idx_rectangles_name ON a_table_with_quite_a_long_name (id)`)
			require.NoError(t, err)
			require.ErrorContains(t, orm.CreateIndex(ctx, db, (*Rectangle)(nil), "name"), "on another table")
		}
	})
}

type Person struct {
	models.AutoID
	Name string
	Born models.Date
	Died time.Time `bun:"type:date,nullzero"`
}

func TestS21_ADayIsAsItIsWritten(t *testing.T) {
	each(t, func(t *testing.T, ctx context.Context, db *orm.DB) {
		require.NoError(t, orm.CreateTables(ctx, db, (*Person)(nil)))
		all := orm.Objects[Person](db)
		seoul := time.FixedZone("KST", 9*3600)
		born := models.DateOf(time.Date(1990, 5, 17, 0, 0, 0, 0, seoul))
		p := &Person{Name: "Ada", Born: born, Died: time.Date(2050, 1, 2, 0, 0, 0, 0, seoul)}
		require.NoError(t, all.Create(ctx, p))
		require.NoError(t, all.Create(ctx, &Person{Name: "Bob"}))
		got, err := all.Filter(F("born").Eq(born), F("died").Eq(p.Died), F("born").Between(born, born), F("born").In(born, models.Date{}), F("died").Lt(time.Date(2050, 1, 3, 0, 0, 0, 0, time.UTC))).Get(ctx)
		require.NoError(t, err)
		require.Equal(t, born, got.Born)
		require.Equal(t, "2050-01-02", got.Died.Format(time.DateOnly))
		n, err := all.Filter(F("born").IsNull(), F("died").IsNull()).Count(ctx)
		require.NoError(t, err)
		require.EqualValues(t, 1, n)
		last, err := orm.Aggregate[models.Date](ctx, all, query.Max(F("born")))
		require.NoError(t, err)
		require.Equal(t, born, last)
		var ve *query.ValueError
		require.ErrorAs(t, all.Create(ctx, &Person{Died: time.Date(2050, 1, 2, 3, 0, 0, 0, seoul)}), &ve)
		require.Equal(t, "Person.died", ve.Field)
		require.ErrorAs(t, all.Create(ctx, &Person{Born: models.Date{Year: 2026, Month: 2, Day: 30}}), &ve)
		require.Equal(t, "Person.born", ve.Field)
		_, err = all.Filter(F("died").Lt(time.Now())).All(ctx)
		require.ErrorAs(t, err, &ve)
	})
}

type Invoice struct {
	models.AutoID
	Amount string  `bun:"type:decimal(30,10)"`
	Fee    string  `bun:"type:decimal(10,2),nullzero,default:0.5"`
	Price  *string `bun:"type:decimal(10,2)"`
}

func TestS20_DecimalNumbersAreExactOrRefused(t *testing.T) {
	each(t, func(t *testing.T, ctx context.Context, db *orm.DB) {
		require.NoError(t, orm.CreateTables(ctx, db, (*Invoice)(nil)))
		all := orm.Objects[Invoice](db)
		large, near := "12345678901234567890.1234567891", "12345678901234567890.1234567892"
		price := "1.50"
		require.NoError(t, all.Create(ctx, &Invoice{Amount: large, Price: &price}))
		for _, c := range []query.Cond{F("amount").Eq(large), F("fee").Eq("0.50"), F("amount").In(near, large), F("amount").Ne(near), query.Not(F("amount").Eq(near)), F("price").Eq("1.5"), F("price").Between("1.4999", "1.501"), F("price").Lt("1.5000001")} {
			n, err := all.Filter(c).Count(ctx)
			require.NoError(t, err)
			require.EqualValues(t, 1, n)
		}
		_, err := all.Update(ctx, query.Set("amount", "0"), query.Set("price", "1"))
		require.NoError(t, err)
		var ve *query.ValueError
		_, err = all.Update(ctx, query.Set("price", "1.005"))
		require.ErrorAs(t, err, &ve)
		_, err = all.Update(ctx, query.Set("price", F("price").Mul("1.1")))
		if db.Server().Engine == dialect.SQLite {
			require.ErrorIs(t, err, dialect.ErrUnsupported)
			_, err = all.Update(ctx, query.Set("amount", F("amount").Add("1.123")))
			require.ErrorIs(t, err, dialect.ErrUnsupported)
			_, err = orm.Aggregate[string](ctx, all, query.Sum(F("amount")))
			require.ErrorIs(t, err, dialect.ErrUnsupported)
			_, err = all.OrderBy("amount").All(ctx)
			require.ErrorIs(t, err, dialect.ErrUnsupported)
			return
		}
		require.ErrorAs(t, err, &ve)
		for range 3 {
			_, err = all.Update(ctx, query.Set("amount", F("amount").Add("1.123")))
			require.NoError(t, err)
		}
		got, err := all.Get(ctx)
		require.NoError(t, err)
		require.Equal(t, "3.369", strings.TrimRight(got.Amount, "0"))
		_, err = all.Update(ctx, query.Set("amount", F("amount").Sub("0.0000000001").Mul(3)))
		require.NoError(t, err)
		sum, err := orm.Aggregate[string](ctx, all, query.Sum(F("amount")))
		require.NoError(t, err)
		require.Equal(t, "10.1069999997", sum)
	})
}

func TestS25_NumbersInJSONSurvive(t *testing.T) {
	each(t, func(t *testing.T, ctx context.Context, db *orm.DB) {
		require.NoError(t, orm.CreateTables(ctx, db, (*Papers)(nil)))
		p := &Papers{Text: "0", Bytes: []byte("0"), Any: map[string]any{"id": int64(1499366092322157987), "x": 1.5}}
		require.NoError(t, orm.Objects[Papers](db).Create(ctx, p))
		for range 2 {
			got, err := orm.Objects[Papers](db).Get(ctx)
			require.NoError(t, err)
			require.Equal(t, "1499366092322157987", got.Any.(map[string]any)["id"].(interface{ String() string }).String())
			require.InDelta(t, 1.5, got.Any.(map[string]any)["x"], 0)
			require.NoError(t, orm.Objects[Papers](db).Save(ctx, got))
		}
		var ve *query.ValueError
		require.ErrorAs(t, orm.Objects[Papers](db).Create(ctx, &Papers{Text: "0", Any: map[string]any{"a": "\xff"}}), &ve)
		require.Equal(t, "Papers.any", ve.Field)
	})
}

// SQLite: what has the form of a stored time, and comes from no column.
func TestATextThatLooksLikeATime(t *testing.T) {
	each(t, func(t *testing.T, ctx context.Context, db *orm.DB) {
		const text = "2026-03-01 12:00:00.000000+00:00"
		require.NoError(t, orm.Objects[Owner](db).Create(ctx, &Owner{Name: text}))
		got, err := orm.Aggregate[string](ctx, orm.Objects[Owner](db), query.Max(F("name")))
		require.NoError(t, err)
		require.Equal(t, text, got)
		var row *string
		require.NoError(t, db.QueryRow(ctx, "SELECT MAX(name) FROM owners").Scan(&row))
		require.Equal(t, text, *row)
	})
}
