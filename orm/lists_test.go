package orm_test

import (
	"context"
	"database/sql/driver"
	"fmt"
	"math"
	"math/big"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/uptrace/bun"

	"github.com/holdfast-go/holdfast/dialect"
	"github.com/holdfast-go/holdfast/models"
	"github.com/holdfast-go/holdfast/orm"
	"github.com/holdfast-go/holdfast/query"
)

// sum is an amount of money that writes itself without zeros at its end.
type sum struct{ text string }

func (s sum) Value() (driver.Value, error) {
	text := s.text
	if strings.Contains(text, ".") {
		text = strings.TrimSuffix(strings.TrimRight(text, "0"), ".")
	}
	return text, nil
}

func (s *sum) Scan(src any) error {
	s.text = fmt.Sprintf("%s", src)
	return nil
}

// Listed has a column of each kind that can stand in a list.
type Listed struct {
	bun.BaseModel `bun:"table:listed"`
	ID            int64    `bun:",pk"`
	Price         string   `bun:"type:decimal(10,2)"`
	Rat           *big.Rat `bun:"type:decimal(12,4)"`
	Sum           sum      `bun:"type:decimal(10,2)"`
	Big           *big.Int
	N             int64
	Small         int16
	U             uint64
	F             float64
	Short         float64 `bun:"type:float4"`
	At            time.Time
	Seconds       time.Time `bun:"type:timestamp(0)"`
	Day           models.Date
	Clock         string `bun:"type:time(6)"`
	Text          string
	Char          string `bun:"type:char(8)"`
	Label         label  `bun:"type:varchar(40)"`
	Key           uuid.UUID
	B             []byte
	Ok            bool
	Addr          netip.Addr
	Maybe         *string
	Doc           map[string]any
}

// short is as long as a list is bound value by value; one more goes another way.
const short = 1000

// answers compares lists of all lengths: of a value and some that no row has.
func answers[T any](ctx context.Context, t *testing.T, all orm.QuerySet[T], c query.Expr, name string, others func(i int) any, values ...any) {
	t.Helper()
	found := func(cond query.Cond) []int64 {
		ids, err := orm.Select[int64](ctx, all.Filter(cond).OrderBy("id"), F("id"))
		require.NoError(t, err, name)
		return ids
	}
	for i, v := range values {
		given := []any{v}
		if i%3 == 2 {
			given = append(given, nil)
		}
		lengths := []int{2, short + 1}
		if i == 0 {
			lengths = append(lengths, short)
		}
		var want, wantNot []int64
		for _, n := range lengths {
			list := slices.Clone(given)
			for j := 1; j < n; j++ {
				list = append(list, others(j))
			}
			if i%2 == 0 || n == 2 { // the other one would take as long again
				in := found(c.In(list...))
				if n == 2 {
					want = in
				}
				assert.Equal(t, want, in, "%s: In, value %d of type %T, %d in the list", name, i, v, len(list))
			}
			if i%2 == 1 || n == 2 || len(values) == 1 {
				not := found(c.NotIn(list...))
				if n == 2 {
					wantNot = not
				}
				assert.Equal(t, wantNot, not, "%s: NotIn, value %d of type %T, %d in the list", name, i, v, len(list))
			}
		}
	}
}

// However long a list is, it holds the same values: beyond a length it travels in another
// way, and MariaDB makes a table of it.
func TestS10_LongListsAnswerAsShortOnes(t *testing.T) {
	each(t, func(t *testing.T, ctx context.Context, db *orm.DB) {
		require.NoError(t, orm.CreateTables(ctx, db, (*Listed)(nil)))
		all := orm.Objects[Listed](db)
		some, key := "abc", uuid.MustParse("6ba7b810-9dad-11d1-80b4-00c04fd430c8")
		day := models.DateOf(start)
		require.NoError(t, all.BulkCreate(ctx, []*Listed{
			{ID: 1, Price: "7.50", Rat: big.NewRat(15, 2), Sum: sum{"7.50"}, Big: big.NewInt(5), N: 5, Small: 5, U: 5, F: 0.1, Short: float64(float32(0.7)), At: start,
				Seconds: start, Day: day, Clock: "15:04:05", Text: "abc", Char: "abc", Label: label{"abc"}, Key: key, B: []byte("abc"), Ok: true,
				Addr: netip.MustParseAddr("10.0.0.1"), Maybe: &some, Doc: map[string]any{"a": 1}},
			{ID: 2, Price: "8.00", Rat: big.NewRat(8, 1), Sum: sum{"8.00"}, Big: big.NewInt(0), N: math.MaxInt64, Small: math.MaxInt16, U: math.MaxInt64, F: 1 << 53,
				Short: 1 << 24, At: start.Add(time.Microsecond), Seconds: start.Add(time.Second), Day: day.AddDays(1), Clock: "00:00:00", Text: "ABC", Char: "ABC",
				Label: label{"한'\\\""}, Key: uuid.UUID{}, B: []byte{0, 0xff}, Doc: map[string]any{"a": "1"}},
			{ID: 3, Price: "-0.05", Rat: big.NewRat(-1, 16), Sum: sum{"0.00"}, Big: big.NewInt(-7), F: -0.5, Short: -0.5, At: start.AddDate(-100, 0, 0), Seconds: start, Day: day,
				Clock: "15:04:05.5", Text: "", Doc: map[string]any{}},
		}))
		decimals := func(i int) any {
			return []any{fmt.Sprintf("%d.5", 1000+i), float64(1000+i) / 4, 1000 + i, big.NewRat(int64(i), 1<<12)}[i%4]
		}
		numbers := []any{"7.5", "7.50", "07.500", 7.5, big.NewRat(15, 2), sum{"7.50"}, 8, "8", 8.0, big.NewInt(8), "-0.05", -0.05, "-.0500", 0, "1e1", sum{"-0.0500"}}
		for _, name := range []string{"price", "rat", "sum"} {
			answers(ctx, t, all, F(name), name, decimals, append(numbers, big.NewRat(-1, 16))...)
		}
		answers(ctx, t, all, F("big"), "big", decimals, big.NewInt(5), 5, "5.0", 5.0, 0, "-7", 0.5)
		whole := func(i int) any { return []any{1000 + i, float64(i) + 0.5, int64(1)<<40 + int64(i)}[i%3] }
		exact := []any{5, 5.0, 0.5, uint64(5), digits("5.0"), big.NewInt(5), int64(math.MaxInt64), int64(math.MaxInt16), uint64(1) << 63, float64(1 << 63), 0}
		for _, name := range []string{"n", "small", "u"} {
			answers(ctx, t, all, F(name), name, whole, exact...)
		}
		answers(ctx, t, all, F("small").Add(1), "a sum", whole, 6, 1<<15)
		floats := func(i int) any { return []any{float64(i)/7 + 100, 1000 + i, digits(fmt.Sprint(i) + ".25")}[i%3] }
		fractions := []any{0.1, digits("0.1"), 1 << 53, int64(1)<<53 + 1, float32(0.7), 0.7, 1 << 24, 1<<24 + 1, float64(1<<24 + 1), digits("16777217"), -0.5, digits("-0.50"), 1e300, 1e-300}
		for _, name := range []string{"f", "short"} {
			answers(ctx, t, all, F(name), name, floats, fractions...)
		}
		later := func(i int) any { return start.Add(time.Duration(i) * time.Hour) }
		times := []any{start, start.In(time.FixedZone("", 3600)), start.Add(500 * time.Nanosecond), start.Add(time.Microsecond), start.AddDate(-100, 0, 0), start.Add(time.Second)}
		answers(ctx, t, all, F("at"), "at", later, times...)
		answers(ctx, t, all, F("seconds"), "seconds", later, times...)
		answers(ctx, t, all, F("day"), "day", func(i int) any { return day.AddDays(10 + i) }, day, time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC))
		answers(ctx, t, all, F("clock"), "clock", func(i int) any { return fmt.Sprintf("16:%02d:%02d", i/60, i%60) }, "15:04:05", "15:04:05.5", "15:04:05.50", "00:00:00")
		words := func(i int) any { return fmt.Sprintf("t'\\\"%d한", i) }
		texts := []any{"abc", "ABC", "Abc", "abc ", "", "한'\\\"", []byte("abc"), label{"abc"}, "\ufffd\u2028<&>", "5"}
		for _, name := range []string{"text", "char", "label", "maybe"} {
			answers(ctx, t, all, F(name), name, words, texts...)
		}
		answers(ctx, t, all, query.Lower(F("text")), "of lower", words, "abc")
		answers(ctx, t, all, F("key"), "key", func(i int) any { return uuid.UUID{1, byte(i), byte(i >> 8)} }, key, key.String(), uuid.UUID{})
		answers(ctx, t, all, F("b"), "b", func(i int) any { return []byte{byte(i), byte(i >> 8), 1} }, []byte("abc"), "abc", []byte{0, 0xff}, []byte{})
		answers(ctx, t, all, F("ok"), "ok", func(i int) any { return true }, true)
		answers(ctx, t, all, F("ok"), "ok", func(i int) any { return i > 2000 }, false)
		answers(ctx, t, all, F("addr"), "addr", func(i int) any { return netip.AddrFrom4([4]byte{11, 0, byte(i >> 8), byte(i)}) }, netip.MustParseAddr("10.0.0.1"))
		if db.Server().Can(dialect.JSONEquality) {
			answers(ctx, t, all, F("doc"), "doc", func(i int) any { return map[string]any{"n": i} }, map[string]any{"a": 1}, map[string]any{"a": "1"})
		} else {
			_, err := orm.Select[int64](ctx, all.Filter(F("doc").In(map[string]any{"a": 1})), F("id"))
			require.ErrorIs(t, err, dialect.ErrUnsupported)
		}
		if db.Server().Engine != dialect.SQLite {
			sums := query.Sum(F("n"))
			_, err := orm.Select[int64](ctx, all.GroupBy("id").Having(sums.In(longList(5)...)), F("id"))
			require.NoError(t, err)
		}
	})
}

// longList is a list that is long for the sake of its first value.
func longList(first any) []any {
	list := []any{first}
	for i := range short {
		list = append(list, 1_000_000+i)
	}
	return list
}

// Tagged is a table of the server's own making: another collation, or a type with members.
type Tagged struct {
	bun.BaseModel `bun:"table:tagged"`
	ID            int64 `bun:",pk"`
	Folded        string
	Latin         string `bun:"type:varchar(40) character set latin1"`
	Size          string `bun:"type:enum('small','medium','large')"`
}

type tagged struct {
	bun.BaseModel `bun:"table:tagged"`
	ID            int64 `bun:",pk"`
	Folded        string
	Latin         string
	Size          string `bun:"type:size"`
}

func TestS10_LongListsOfAnyCollation(t *testing.T) {
	each(t, func(t *testing.T, ctx context.Context, db *orm.DB) {
		run := func(texts ...string) {
			for _, text := range texts {
				_, err := db.Exec(ctx, text)
				require.NoError(t, err)
			}
		}
		words, members := func(i int) any { return fmt.Sprint("word ", i) }, func(int) any { return "medium" }
		rows := []string{"INSERT INTO tagged VALUES (1, 'abc', 'abc', 'small')", "INSERT INTO tagged VALUES (2, 'ABC', 'ABC ', 'large')"}
		if db.Server().Engine == dialect.Postgres {
			run(`CREATE TYPE size AS ENUM ('small', 'medium', 'large')`, `CREATE TABLE tagged (id bigint PRIMARY KEY, folded text COLLATE "C", latin varchar(40) COLLATE "POSIX", size size)`)
			run(rows...)
			all := orm.Objects[tagged](db)
			answers(ctx, t, all, F("folded"), "folded", words, "abc", "Abc", "ABC ")
			answers(ctx, t, all, F("latin"), "latin", words, "abc", "Abc", "ABC ")
			answers(ctx, t, all, F("size"), "size", members, "small", "large")
			return
		}
		if db.Server().Engine == dialect.SQLite {
			run("CREATE TABLE tagged (id integer PRIMARY KEY, folded text COLLATE NOCASE, latin text COLLATE RTRIM, size text)")
		} else {
			run("CREATE TABLE tagged (id bigint PRIMARY KEY, folded varchar(40) CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci, " +
				"latin varchar(40) CHARACTER SET latin1 COLLATE latin1_swedish_ci, size enum('small', 'medium', 'large'))")
		}
		run(rows...)
		all := orm.Objects[Tagged](db)
		answers(ctx, t, all, F("folded"), "folded", words, "abc", "Abc", "ABC ", "한")
		answers(ctx, t, all, F("latin"), "latin", words, "abc", "Abc", "ABC ", "한")
		answers(ctx, t, all, F("latin"), "latin", func(i int) any { return fmt.Sprint("é", i) }, "abc")
		answers(ctx, t, all, F("size"), "size", members, "small", "large", "other")
		answers(ctx, t, all, F("size"), "size", words, "small", "large", "SMALL")
	})
}

// Beside has columns that are alike for some engines.
type Beside struct {
	bun.BaseModel `bun:"table:besides"`
	ID            int64  `bun:",pk"`
	Price         string `bun:"type:decimal(10,2)"`
	Fee           string `bun:"type:decimal(10,1)"`
	Same          string `bun:"type:decimal(10,2)"`
	N             int64
	F             float64
	Whole         *float64
}

// A column in a list is compared as it is by itself.
func TestS10_ColumnsInAList(t *testing.T) {
	each(t, func(t *testing.T, ctx context.Context, db *orm.DB) {
		require.NoError(t, orm.CreateTables(ctx, db, (*Beside)(nil)))
		all := orm.Objects[Beside](db)
		one := 1.0
		require.NoError(t, all.BulkCreate(ctx, []*Beside{
			{ID: 1, Price: "7.50", Fee: "7.5", Same: "7.50", N: 1<<53 + 1, F: 1 << 53, Whole: &one}, {ID: 2, Price: "8.00", Fee: "8.1", Same: "7.50", N: 1, F: 1, Whole: &one},
			{ID: 3, Price: "8.00", Fee: "8.0", Same: "8.00", N: 2, F: 1},
		}))
		for name, c := range map[string]struct{ list, alone query.Cond }{
			"decimals":               {F("price").In(F("fee")), F("price").Eq(F("fee"))},
			"decimals and a value":   {F("price").In("8", F("fee")), query.Or(F("price").Eq("8"), F("price").Eq(F("fee")))},
			"no decimals":            {F("price").NotIn(F("fee")), F("price").Ne(F("fee"))},
			"a decimal and a number": {F("price").In(F("n")), F("price").Eq(F("n"))},
			"of one scale":           {F("price").In(F("same")), F("price").Eq(F("same"))},
			"whole numbers":          {F("f").In(F("n")), F("f").Eq(F("n"))},
			"no whole numbers":       {F("f").NotIn(F("n"), 7), query.And(F("f").Ne(F("n")), F("f").Ne(7))},
			"floats":                 {F("n").In(F("f"), 2), query.Or(F("n").Eq(F("f")), F("n").Eq(2))},
			"no floats":              {F("n").NotIn(2, F("f")), query.And(F("n").Ne(F("f")), F("n").Ne(2))},
			"none of what may be":    {F("n").NotIn(F("whole"), nil), query.And(F("n").Ne(F("whole")), F("n").Ne(nil))},
			"what may be":            {query.Not(F("n").In(F("whole"), F("id"))), query.Not(query.Or(F("n").Eq(F("whole")), F("n").Eq(F("id"))))},
		} {
			want, wanted := orm.Select[int64](ctx, all.Filter(c.alone).OrderBy("id"), F("id"))
			got, err := orm.Select[int64](ctx, all.Filter(c.list).OrderBy("id"), F("id"))
			if wanted != nil {
				require.ErrorIs(t, wanted, dialect.ErrUnsupported, name)
				assert.ErrorIs(t, err, dialect.ErrUnsupported, name)
				continue
			}
			require.NoError(t, err, name)
			assert.Equal(t, want, got, name)
		}
		// What is chosen among decimals has their places.
		for _, v := range []any{"7.5", 7.5, big.NewRat(15, 2)} {
			n, err := all.Filter(query.Coalesce(F("price"), F("same")).Eq(v)).Count(ctx)
			require.NoError(t, err)
			assert.EqualValues(t, 1, n)
		}
	})
}
