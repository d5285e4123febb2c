package orm_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/uptrace/bun"

	"github.com/holdfast-go/holdfast/atomic"
	"github.com/holdfast-go/holdfast/dialect"
	"github.com/holdfast-go/holdfast/dialect/sqlite"
	"github.com/holdfast-go/holdfast/internal/testserver"
	"github.com/holdfast-go/holdfast/models"
	"github.com/holdfast-go/holdfast/orm"
	"github.com/holdfast-go/holdfast/query"
)

// Product is what is imported.
type Product struct {
	bun.BaseModel `bun:"table:product"`
	models.AutoID
	models.Timestamps
	models.Versioned
	Name  string `bun:"type:varchar(100),unique"`
	Price int64
	Stock int64
	State string `bun:",notnull,nullzero,default:'new'"`
	Note  *string
}

func withProducts(t *testing.T, test func(t *testing.T, ctx context.Context, db *orm.DB)) {
	t.Helper()
	each(t, func(t *testing.T, ctx context.Context, db *orm.DB) {
		require.NoError(t, orm.CreateTables(ctx, db, (*Product)(nil)))
		test(t, ctx, db)
	})
}

func named(ctx context.Context, t *testing.T, db *orm.DB, name string) *Product {
	t.Helper()
	p, err := orm.Objects[Product](db).Filter(F("name").Eq(name)).Get(ctx)
	require.NoError(t, err)
	return p
}

func TestS40_OnConflictUpdates(t *testing.T) {
	withProducts(t, func(t *testing.T, ctx context.Context, db *orm.DB) {
		products := orm.Objects[Product](db)
		note := "kept"
		old := []*Product{{Name: "b", Price: 10, Stock: 1, Note: &note}, {Name: "d", Price: 20, Stock: 2, State: "old"}}
		require.NoError(t, products.BulkCreate(ctx, old))
		_, err := products.Update(ctx, query.Set("created_at", start), query.Set("version", 7))
		require.NoError(t, err)
		check := func(rows []*Product) {
			t.Helper()
			for _, row := range rows {
				require.Equal(t, named(ctx, t, db, row.Name), row, "the structs hold what the database has")
			}
		}

		rows := []*Product{{Name: "d", Price: 21}, {Name: "a", Price: 5, State: "own"}, {Name: "b", Price: 11, State: "changed"}, {Name: "c", Price: 7}}
		require.NoError(t, products.BulkCreate(ctx, rows, query.OnConflict("name").Update("price")))
		check(rows)
		d, b, c := rows[0], rows[2], rows[3]
		require.EqualValues(t, 21, d.Price)
		require.EqualValues(t, 2, d.Stock)
		require.Equal(t, "old", d.State)
		require.EqualValues(t, 8, d.Version)
		require.Equal(t, start, d.CreatedAt)
		require.WithinDuration(t, time.Now(), d.UpdatedAt, time.Minute)
		require.Equal(t, old[1].ID, d.ID)
		require.Equal(t, "new", b.State, "it is not named")
		require.Equal(t, note, *b.Note)
		require.EqualValues(t, 1, c.Version)
		require.Equal(t, "new", c.State)

		rows = []*Product{{Name: "d", Price: 1, Stock: 1}, {Name: "b", Price: 2, Stock: 2, State: "changed"}, {Name: "e", State: "mine"}}
		require.NoError(t, products.BulkCreate(ctx, rows, query.OnConflict("name").Update()))
		check(rows)
		require.EqualValues(t, 1, rows[0].Stock)
		require.Equal(t, "old", rows[0].State, "the row left it to the server")
		require.Equal(t, "changed", rows[1].State)
		require.Nil(t, rows[1].Note)

		rows = []*Product{{Name: "d", Price: 5, Stock: 10}, {Name: "f", Price: 6, Stock: 10}}
		require.NoError(t, products.BulkCreate(ctx, rows, query.OnConflict("name").Update("price").
			Set(query.Set("stock", F("stock").Add(query.Excluded("stock"))), query.Set("note", "again"))))
		check(rows)
		require.EqualValues(t, 5, rows[0].Price)
		require.EqualValues(t, 11, rows[0].Stock)
		require.Equal(t, "again", *rows[0].Note)
		require.EqualValues(t, 10, rows[1].Stock)
		require.Nil(t, rows[1].Note)

		var many []*Product
		for i := range 2500 {
			many = append(many, &Product{Name: fmt.Sprintf("many %d", i), Stock: 1})
		}
		for n := range int64(3) {
			for _, row := range many {
				*row = Product{Name: row.Name, Stock: 1}
			}
			require.NoError(t, products.BulkCreate(ctx, many, query.OnConflict("name").Set(query.Set("stock", F("stock").Add(query.Excluded("stock"))))))
			for _, row := range many {
				require.EqualValues(t, n+1, row.Stock)
			}
		}
		check(many[1200:1210])
		require.NoError(t, products.BulkCreate(ctx, nil, query.OnConflict("name").Update()))
	})
}

func TestS40_OnConflictDoesNothing(t *testing.T) {
	withProducts(t, func(t *testing.T, ctx context.Context, db *orm.DB) {
		products := orm.Objects[Product](db)
		require.NoError(t, products.Create(ctx, &Product{Name: "b", Price: 10}))
		before := named(ctx, t, db, "b")
		rows := []*Product{{Name: "b", Price: 11}, {Name: "a", Price: 1}, {Name: "c", State: "own"}, {Name: "a", Price: 1}}
		require.NoError(t, products.BulkCreate(ctx, rows, query.OnConflict("name").DoNothing()))
		require.Equal(t, []*Product{{Name: "b", Price: 11}, {Name: "a", Price: 1}, {Name: "c", State: "own"}, {Name: "a", Price: 1}}, rows)
		require.Equal(t, before, named(ctx, t, db, "b"))
		require.EqualValues(t, 1, named(ctx, t, db, "a").Version)
		require.Equal(t, "own", named(ctx, t, db, "c").State)

		// It passes over no other error, as IGNORE does.
		if db.Server().Engine != dialect.SQLite { // which adds no constraints
			_, err := db.Exec(ctx, "ALTER TABLE product ADD CONSTRAINT affordable CHECK (price < 1000)")
			require.NoError(t, err)
			err = products.BulkCreate(ctx, []*Product{{Name: "e", Price: 5000}}, query.OnConflict("name").DoNothing())
			require.ErrorIs(t, err, dialect.ErrCheckViolation)
		}
	})
}

func TestS40_OnConflictRefuses(t *testing.T) {
	withProducts(t, func(t *testing.T, ctx context.Context, db *orm.DB) {
		products := orm.Objects[Product](db)
		on := query.OnConflict("name")
		var fe *query.FieldError
		var ve *query.ValueError
		try := func(c query.Conflict, rows ...*Product) error {
			if len(rows) == 0 {
				rows = []*Product{{Name: "a"}}
			}
			copies := make([]Product, len(rows))
			for i, row := range rows {
				if row != nil {
					copies[i] = *row
				}
			}
			err := products.BulkCreate(ctx, rows, c)
			require.Error(t, err)
			for i, row := range rows {
				if row != nil {
					require.Equal(t, copies[i], *row, "the structs are left as they were")
				}
			}
			return err
		}
		require.ErrorContains(t, try(query.OnConflict().DoNothing()), "names the columns")
		require.ErrorContains(t, try(on), "is followed by")
		require.ErrorContains(t, try(on.DoNothing().Update("price")), "is followed by")
		require.ErrorAs(t, try(query.OnConflict("nme").DoNothing()), &fe)
		require.ErrorAs(t, try(query.OnConflict("name", "name").DoNothing()), &fe)
		require.ErrorAs(t, try(on.Update("prce")), &fe)
		require.ErrorAs(t, try(on.Update("id")), &fe)
		require.ErrorAs(t, try(on.Set(query.Set("id", 5))), &fe)
		require.ErrorAs(t, try(on.Set(query.Set("name", "another"))), &fe) // the row could not be read again by its key
		require.ErrorAs(t, try(on.Set(query.Set("prce", 5))), &fe)
		require.ErrorAs(t, try(on.Set(query.Set("price", query.Excluded("prce")))), &fe)
		require.ErrorAs(t, try(on.Set(query.Set("price", query.Excluded("name")))), &ve)
		require.ErrorAs(t, try(on.Update("state")), &fe, "the row leaves it to the server")
		require.ErrorAs(t, try(query.OnConflict("state").DoNothing()), &fe, "the row leaves it to the server")
		require.ErrorAs(t, try(query.OnConflict("note").Update("price")), &ve, "NULL equals no key")
		require.ErrorContains(t, try(on.Update("price"), &Product{Name: "a"}, &Product{Name: "b"}, &Product{Name: "a"}), "the rows 0 and 2")
		require.ErrorContains(t, try(on.Update("price"), &Product{Name: "a"}, nil), "row 1")
		require.ErrorContains(t, products.BulkCreate(ctx, nil, on.DoNothing(), on.DoNothing()), "one OnConflict")
		require.Error(t, try(query.OnConflict("price").Update("stock")), "no unique key")
		_, err := products.Update(ctx, query.Set("price", query.Excluded("price")))
		require.ErrorContains(t, err, "query.Excluded")
		_, err = products.Filter(F("price").Eq(query.Excluded("price"))).All(ctx)
		require.ErrorContains(t, err, "query.Excluded")
		n, err := products.Count(ctx)
		require.NoError(t, err)
		require.Zero(t, n)
	})
}

// Badge has a unique key of two columns, a key that is given, and others.
type Badge struct {
	bun.BaseModel `bun:"table:badge"`
	ID            int64  `bun:",pk"`
	House         string `bun:"type:varchar(20),unique:place"`
	Door          *int64 `bun:",unique:place"`
	Code          *int64 `bun:",unique"`
	Holder        string
}

// Where no server can say which key is meant, nothing is sent if another could be.
func TestS40_AnotherUniqueKey(t *testing.T) {
	each(t, func(t *testing.T, ctx context.Context, db *orm.DB) {
		require.NoError(t, orm.CreateTables(ctx, db, (*Badge)(nil), (*Product)(nil)))
		badges := orm.Objects[Badge](db)
		n := func(i int64) *int64 { return &i }
		refused := isMySQL(db)
		write := func(on query.Conflict, want bool, rows ...*Badge) {
			t.Helper()
			err := badges.BulkCreate(ctx, rows, on.Update("holder"))
			if want {
				require.ErrorIs(t, err, dialect.ErrUnsupported)
			} else {
				require.NoError(t, err)
			}
		}
		write(query.OnConflict("house", "door"), refused, &Badge{ID: 1, House: "a", Door: n(1), Holder: "Ada"})
		write(query.OnConflict("id"), refused, &Badge{ID: 1, House: "a", Door: n(1), Holder: "Ada"})
		write(query.OnConflict("id"), false, &Badge{ID: 2, House: "a", Holder: "Bob"}) // the others are NULL
		write(query.OnConflict("id"), false, &Badge{ID: 2, House: "a", Holder: "Eve"})
		got, err := badges.Find(ctx, 2)
		require.NoError(t, err)
		require.Equal(t, "Eve", got.Holder)
		write(query.OnConflict("code"), refused, &Badge{ID: 3, House: "a", Code: n(7), Holder: "Kim"})

		// The model knows nothing of it.
		products := orm.Objects[Product](db)
		_, err = db.Exec(ctx, "CREATE UNIQUE INDEX product_price ON product (price)")
		require.NoError(t, err)
		err = products.BulkCreate(ctx, []*Product{{Name: "a", Price: 1}}, query.OnConflict("name").Update("stock"))
		if refused {
			require.ErrorIs(t, err, dialect.ErrUnsupported)
			require.ErrorContains(t, err, "product_price")
		} else {
			require.NoError(t, err)
		}
	})
}

func isMySQL(db *orm.DB) bool {
	return db.Server().Engine == dialect.MySQL || db.Server().Engine == dialect.MariaDB
}

// The server takes texts for equal that are different here.
func TestS40_AKeyThatTheServerFolds(t *testing.T) {
	withProducts(t, func(t *testing.T, ctx context.Context, db *orm.DB) {
		if !isMySQL(db) {
			return
		}
		_, err := db.Exec(ctx, "ALTER TABLE product MODIFY name VARCHAR(100) CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci NOT NULL")
		require.NoError(t, err)
		products := orm.Objects[Product](db)
		first := &Product{Name: "Tea", Stock: 1}
		require.NoError(t, products.Create(ctx, first))
		rows := []*Product{{Name: "tea", Stock: 4}, {Name: "milk", Stock: 1}}
		require.NoError(t, products.BulkCreate(ctx, rows, query.OnConflict("name").Update("stock")))
		require.Equal(t, first.ID, rows[0].ID)
		require.EqualValues(t, 2, rows[0].Version)
		require.NotZero(t, rows[1].ID)
	})
}

// Many upsert the same keys in any order, and each of their changes counts.
func TestS40_ManyUpsertTheSameKeys(t *testing.T) {
	testserver.Each(t, func(t *testing.T, at testserver.Database) {
		src := source(at)
		if at.Engine == testserver.SQLite { // which has one writer, for whom all the others wait
			src = sqlite.Open(at.DSN, sqlite.BusyTimeout(time.Minute))
		}
		ctx := t.Context()
		db, err := orm.Open(ctx, src)
		require.NoError(t, err)
		defer func() { require.NoError(t, db.Close()) }()
		require.NoError(t, orm.CreateTables(ctx, db, (*Product)(nil)))
		const many, keys = 64, 100
		var wg sync.WaitGroup
		for range many {
			wg.Go(func() {
				rows := make([]*Product, keys)
				for i, n := range rand.Perm(keys) {
					rows[i] = &Product{Name: fmt.Sprint("key ", n), Stock: 1}
				}
				if err := orm.Objects[Product](db).BulkCreate(ctx, rows, query.OnConflict("name").
					Set(query.Set("stock", F("stock").Add(query.Excluded("stock"))))); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		n, err := orm.Objects[Product](db).Filter(F("stock").Eq(many), F("version").Eq(many)).Count(ctx)
		require.NoError(t, err)
		require.EqualValues(t, keys, n, "no update is lost")
	})
}

func TestS40_InABlock(t *testing.T) {
	withProducts(t, func(t *testing.T, ctx context.Context, db *orm.DB) {
		products := orm.Objects[Product](db)
		require.NoError(t, products.Create(ctx, &Product{Name: "a", Stock: 1}))
		inBlock(ctx, t, db, func(ctx context.Context) {
			row := &Product{Name: "a", Stock: 5}
			require.NoError(t, products.BulkCreate(ctx, []*Product{row}, query.OnConflict("name").Update("stock")))
			require.EqualValues(t, 2, row.Version)
			require.True(t, atomic.In(ctx, db))
		})
		require.EqualValues(t, 5, named(ctx, t, db, "a").Stock)
	})
}

func TestS40_RoundTrips(t *testing.T) {
	eachCounted(t, func(t *testing.T, db *orm.DB, turns func(run func()) int) {
		ctx := context.Background()
		require.NoError(t, orm.CreateTables(ctx, db, (*Product)(nil)))
		rows := make([]*Product, 100)
		write := func(on query.Conflict) int {
			return turns(func() {
				for i := range rows {
					rows[i] = &Product{Name: fmt.Sprint(i), Stock: 1}
				}
				require.NoError(t, orm.Objects[Product](db).BulkCreate(ctx, rows, on))
			})
		}
		require.Equal(t, 1, write(query.OnConflict("name").DoNothing()))
		require.Equal(t, by(db, 3, 1, 1), write(query.OnConflict("name").Update("stock")), "MySQL: the rows, and COMMIT")
	})
}
