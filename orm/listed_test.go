package orm_test

import (
	"cmp"
	"context"
	"database/sql"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/uptrace/bun"

	"github.com/holdfast-go/holdfast/dialect"
	"github.com/holdfast-go/holdfast/models"
	"github.com/holdfast-go/holdfast/orm"
	"github.com/holdfast-go/holdfast/query"
)

// Payment has columns that take one value for another: of MySQL and MariaDB, and, taken at
// their word, of SQLite.
type Payment struct {
	bun.BaseModel `bun:"table:payment"`
	models.AutoID
	Code   string           `bun:"type:varchar(40),unique"`
	State  payState         `bun:"type:enum('new','Paid','it''s','a,b','c(d)','007')"`
	Maybe  *string          `bun:"type:enum('new','Paid')"`
	Other  sql.Null[string] `bun:"type:ENUM('new', 'Paid')"`
	Digit  int              `bun:"type:enum('30','20','10')"`
	Flags  string           `bun:"type:set('b','a','it''s')"`
	Year   int              `bun:"type:year"`
	Text   string           `bun:"type:year"`
	Some   *uint16          `bun:"type:year"`
	Amount float64          `bun:"type:double(10,2)"`
	Whole  int              `bun:"type:double(5,1)"`
	Short  float32          `bun:"type:float(7,2)"`
	Four   int64            `bun:"type:float"`
	N      int64
	T      string
}

type payState string

func payment(code string, change func(*Payment)) *Payment {
	p := &Payment{Code: code, State: "new", Digit: 20, Flags: "b,a", Year: 2027, Text: "1999", Amount: 10.01, Whole: 7, Short: 0.1, Four: 3, N: 27, T: "3"}
	change(p)
	return p
}

// hasLists has the test run where there are such types.
func hasLists(t *testing.T, test func(t *testing.T, ctx context.Context, db *orm.DB)) {
	t.Helper()
	each(t, func(t *testing.T, ctx context.Context, db *orm.DB) {
		if db.Server().Engine == dialect.Postgres {
			return
		}
		require.NoError(t, orm.CreateTables(ctx, db, (*Payment)(nil)))
		require.NoError(t, orm.Check(ctx, db, (*Payment)(nil)))
		test(t, ctx, db)
	})
}

func TestS20_ListsAndYearsKeepWhatIsGiven(t *testing.T) {
	hasLists(t, func(t *testing.T, ctx context.Context, db *orm.DB) {
		all := orm.Objects[Payment](db)
		for name, c := range map[string]struct {
			field  string
			change func(*Payment)
		}{
			"a number of a member":     {"state", func(p *Payment) { p.State = "3" }},
			"another case":             {"state", func(p *Payment) { p.State = "paid" }},
			"a blank behind":           {"state", func(p *Payment) { p.State = "new " }},
			"a number with a zero":     {"state", func(p *Payment) { p.State = "07" }},
			"nothing":                  {"state", func(p *Payment) { p.State = "" }},
			"two members":              {"state", func(p *Payment) { p.State = "new,Paid" }},
			"a pointer":                {"maybe", func(p *Payment) { s := "2"; p.Maybe = &s }},
			"what speaks for itself":   {"other", func(p *Payment) { p.Other = sql.Null[string]{V: "1", Valid: true} }},
			"a number":                 {"digit", func(p *Payment) { p.Digit = 3 }},
			"another order":            {"flags", func(p *Payment) { p.Flags = "a,b" }},
			"twice":                    {"flags", func(p *Payment) { p.Flags = "a,a" }},
			"the number of a set":      {"flags", func(p *Payment) { p.Flags = "3" }},
			"a comma behind":           {"flags", func(p *Payment) { p.Flags = "a," }},
			"two digits":               {"year", func(p *Payment) { p.Year = 27 }},
			"the century before":       {"year", func(p *Payment) { p.Year = 1900 }},
			"a year too far":           {"year", func(p *Payment) { p.Year = 2156 }},
			"below zero":               {"year", func(p *Payment) { p.Year = -1 }},
			"two digits in a text":     {"text", func(p *Payment) { p.Text = "70" }},
			"two digits of a pointer":  {"some", func(p *Payment) { n := uint16(99); p.Some = &n }},
			"three places":             {"amount", func(p *Payment) { p.Amount = 10.005 }},
			"three places below zero":  {"amount", func(p *Payment) { p.Amount = -0.001 }},
			"too large":                {"amount", func(p *Payment) { p.Amount = 1e8 }},
			"a whole number too large": {"whole", func(p *Payment) { p.Whole = 10000 }},
			"of 4 bytes":               {"short", func(p *Payment) { p.Short = 0.125 }},
			"digits beyond 4 bytes":    {"four", func(p *Payment) { p.Four = 1<<24 + 1 }},
		} {
			if c.field == "four" && db.Server().Engine == dialect.SQLite {
				continue // a FLOAT has 8 bytes there
			}
			there := payment(name, func(*Payment) {})
			require.NoError(t, all.Create(ctx, there), name)
			changed, again := payment(name, c.change), payment(name, c.change)
			changed.ID = there.ID
			fresh := payment("fresh "+name[:min(len(name), 10)], c.change)
			value := map[string]any{"state": changed.State, "maybe": changed.Maybe, "other": changed.Other, "digit": changed.Digit, "flags": changed.Flags, "year": changed.Year,
				"text": changed.Text, "some": changed.Some, "amount": changed.Amount, "whole": changed.Whole, "short": changed.Short, "four": changed.Four}[c.field]
			for call, write := range map[string]func() error{
				"Create":         func() error { return all.Create(ctx, fresh) },
				"BulkCreate":     func() error { return all.BulkCreate(ctx, []*Payment{fresh}) },
				"GetOrCreate":    func() error { _, err := all.GetOrCreate(ctx, fresh, "code"); return err },
				"UpdateOrCreate": func() error { _, err := all.UpdateOrCreate(ctx, again, "code"); return err },
				"OnConflict":     func() error { return all.BulkCreate(ctx, []*Payment{again}, query.OnConflict("code").Update()) },
				"Save":           func() error { return all.Save(ctx, changed) },
				"BulkSave":       func() error { return all.BulkSave(ctx, []*Payment{changed}) },
				"Update":         func() error { _, err := all.Update(ctx, query.Set(c.field, value)); return err },
				"Set": func() error {
					return all.BulkCreate(ctx, []*Payment{payment(name, func(*Payment) {})}, query.OnConflict("code").Set(query.Set(c.field, value)))
				},
			} {
				var ve *query.ValueError
				require.ErrorAs(t, write(), &ve, "%s: %s", name, call)
				require.Equal(t, "Payment."+c.field, ve.Field, "%s: %s", name, call)
			}
			got, err := all.Filter(F("code").Eq(name)).Get(ctx)
			require.NoError(t, err, name)
			require.Equal(t, there, got, name)
		}
		for name, change := range map[string]func(*Payment){
			"quotes":    func(p *Payment) { p.State, p.Flags = "it's", "b,a,it's" },
			"a comma":   func(p *Payment) { p.State, p.Flags = "a,b", "" },
			"brackets":  func(p *Payment) { p.State, p.Flags = "c(d)", "it's" },
			"digits":    func(p *Payment) { p.State, p.Digit = "007", 10 },
			"a case":    func(p *Payment) { s := "Paid"; p.Maybe, p.Other = &s, sql.Null[string]{V: s, Valid: true} },
			"no year":   func(p *Payment) { p.Year = 0 },
			"the first": func(p *Payment) { n := uint16(1901); p.Year, p.Text, p.Some = 1901, "1901", &n },
			"the last":  func(p *Payment) { n := uint16(2155); p.Year, p.Text, p.Some = 2155, "2155", &n },
			"digits 10": func(p *Payment) { p.Amount, p.Whole, p.Short, p.Four = 99999999.99, 9999, 99999.99, 1<<24 },
			"below":     func(p *Payment) { p.Amount, p.Whole, p.Short, p.Four = -12345678.29, -9999, -0.01, -5 },
		} {
			p := payment("kept "+name, change)
			require.NoError(t, all.Create(ctx, p), name)
			got, err := all.Filter(F("code").Eq(p.Code)).Get(ctx)
			require.NoError(t, err, name)
			require.Equal(t, p, got, name)
		}
	})
}

// What the server computes for such a column is one of its values, or there is an error.
func TestS20_ComputedValuesOfListsAndYears(t *testing.T) {
	hasLists(t, func(t *testing.T, ctx context.Context, db *orm.DB) {
		all := orm.Objects[Payment](db)
		row := payment("one", func(p *Payment) { p.State = "it's" })
		require.NoError(t, all.Create(ctx, row))
		text := func(s string) query.Expr { return query.Case().When(F("id").Gt(0), s).Else("new") }
		number := func(n int) query.Expr { return query.Case().When(F("id").Gt(0), n).Else(2000) }
		kept := func() *Payment {
			got, err := all.Get(ctx)
			require.NoError(t, err)
			return got
		}
		for name, c := range map[string]query.Assignment{
			"another column":       query.Set("state", F("t")),
			"another case":         query.Set("state", query.Upper(F("state"))),
			"a blank":              query.Set("state", query.Concat(F("state"), " ")),
			"nothing":              query.Set("state", text("")),
			"a number":             query.Set("maybe", text("1")),
			"more members":         query.Set("maybe", F("state")),
			"a list":               query.Set("flags", query.Concat(F("flags"), ",a")),
			"a year of two digits": query.Set("year", F("n")),
			"a chosen year":        query.Set("year", number(27)),
			"a year too early":     query.Set("year", F("year").Sub(2000)),
			"a year too late":      query.Set("year", F("year").Add(1000)),
			"places":               query.Set("amount", F("amount").Mul(0.5)),
			"other places":         query.Set("whole", F("amount")),
			"chosen places":        query.Set("amount", query.Coalesce(F("amount"), query.Value(0.005))),
		} {
			_, err := all.Update(ctx, c)
			require.Error(t, err, name)
			require.Error(t, all.BulkCreate(ctx, []*Payment{payment("one", func(*Payment) {})}, query.OnConflict("code").Set(c)), name)
			require.Equal(t, row, kept(), name)
		}
		for name, c := range map[string]struct {
			set    query.Assignment
			change func(p *Payment)
		}{
			"a member":      {query.Set("state", text("it's")), func(p *Payment) { p.State = "it's" }},
			"fewer members": {query.Set("state", F("maybe")), func(p *Payment) { p.State = "new" }},
			"NULL":          {query.Set("maybe", query.NullIf(F("t"), "3")), func(p *Payment) { p.Maybe = nil }},
			"a year":        {query.Set("year", F("year").Add(1)), func(p *Payment) { p.Year = 2028 }},
			"no year":       {query.Set("year", number(0)), func(p *Payment) { p.Year = 0 }},
			"years":         {query.Set("year", F("text")), func(p *Payment) { p.Year = 1999 }},
			"no other year": {query.Set("some", query.NullIf(F("n"), 27)), func(p *Payment) { p.Some = nil }},
			"rounded":       {query.Set("amount", query.Round(F("amount").Mul(0.5), 2)), func(p *Payment) { p.Amount = 5.01 }},
			"a whole one":   {query.Set("amount", F("n")), func(p *Payment) { p.Amount = 27 }},
			"as many":       {query.Set("amount", F("whole")), func(p *Payment) { p.Amount = 7 }},
			"the same list": {query.Set("flags", F("flags")), func(*Payment) {}},
		} {
			_, err := all.Delete(ctx)
			require.NoError(t, err)
			member := "new"
			row := payment("one", func(p *Payment) { p.Maybe = &member })
			require.NoError(t, all.Create(ctx, row))
			_, err = all.Update(ctx, c.set)
			require.NoError(t, err, name)
			c.change(row)
			require.Equal(t, row, kept(), name)
		}
	})
}

// PostgreSQL looks itself.
func TestS20_AnEnumerationOfPostgreSQLRefusesWhatItHasNot(t *testing.T) {
	type mooded struct {
		bun.BaseModel `bun:"table:mooded"`
		models.AutoID
		Mood string `bun:"type:mood"`
	}
	each(t, func(t *testing.T, ctx context.Context, db *orm.DB) {
		if db.Server().Engine != dialect.Postgres {
			return
		}
		_, err := db.Exec(ctx, "CREATE TYPE mood AS ENUM ('sad', 'ok')")
		require.NoError(t, err)
		require.NoError(t, orm.CreateTables(ctx, db, (*mooded)(nil)))
		all := orm.Objects[mooded](db)
		require.NoError(t, all.Create(ctx, &mooded{Mood: "ok"}))
		for _, mood := range []string{"2", "OK", "ok ", ""} {
			require.Error(t, all.Create(ctx, &mooded{Mood: mood}), mood)
			_, err := all.Update(ctx, query.Set("mood", mood))
			require.Error(t, err, mood)
		}
	})
}

// A text is no number of a member, and 27 no year, where it is compared.
func TestS10_ListsAndYearsBesideValues(t *testing.T) {
	hasLists(t, func(t *testing.T, ctx context.Context, db *orm.DB) {
		all := orm.Objects[Payment](db)
		var rows []*Payment
		for i, state := range []payState{"new", "Paid", "it's", "007"} {
			rows = append(rows, payment(string(state), func(p *Payment) {
				p.State, p.Digit, p.Flags = state, []int{30, 20, 10, 30}[i], []string{"", "b", "b,a", "it's"}[i]
				p.Year, p.Amount = []int{0, 1901, 2000, 2027}[i], []float64{0, 10.01, 10, -3.5}[i]
			}))
		}
		require.NoError(t, all.BulkCreate(ctx, rows))
		quote := map[bool]string{true: `"`, false: "`"}[db.Server().Engine == dialect.SQLite]
		for range 2 { // without indexes, and with them
			asInGo(ctx, t, all, rows, "state", func(p *Payment) string { return string(p.State) }, "3", "1", "2", "new", "NEW", "new ", "paid", "m", "")
			asInGo(ctx, t, all, rows, "flags", func(p *Payment) string { return p.Flags }, "3", "1", "a,b", "b,a", "b", "")
			asInGo(ctx, t, all, rows, "year", func(p *Payment) int { return p.Year }, -1, 0, 1, 27, 99, 100, 1900, 1901, 2000, 2001, 2027, 2155, 2156, 9999)
			asInGo(ctx, t, all, rows, "amount", func(p *Payment) float64 { return p.Amount }, 10.005, 10.01, 10.014, 9.999, 10, -3.501, 0.001)
			n, err := all.Filter(F("year").Eq(F("n"))).Count(ctx)
			require.NoError(t, err)
			require.Zero(t, n, "the year 2027 is not 27")
			for _, name := range []string{"state", "flags", "year", "amount"} {
				_, err := db.Exec(ctx, "CREATE INDEX payment_"+name+" ON payment ("+quote+name+quote+")")
				if err != nil {
					require.ErrorContains(t, err, "payment_")
				}
			}
		}
	})
}

// With an index on the column the servers go by the numbers of the members.
func TestS10_TheLeastOfAListIsThatOfItsTexts(t *testing.T) {
	hasLists(t, func(t *testing.T, ctx context.Context, db *orm.DB) {
		all := orm.Objects[Payment](db)
		for i, state := range []payState{"new", "it's", "Paid", "a,b", "new"} {
			flags := []string{"", "b", "b,a", "it's", "a"}[i]
			require.NoError(t, all.Create(ctx, payment(string(rune('a'+i)), func(p *Payment) { p.State, p.Flags = state, flags })))
		}
		quote := map[bool]string{true: `"`, false: "`"}[db.Server().Engine == dialect.SQLite]
		type extremes struct{ Least, Greatest, Most string }
		for range 2 {
			got, err := orm.Select[extremes](ctx, all, query.Min(F("state")).As("least"), query.Max(F("state")).As("greatest"), query.Max(F("flags")).As("most"))
			require.NoError(t, err)
			require.Equal(t, []extremes{{"Paid", "new", "it's"}}, got)
			least, err := orm.Aggregate[string](ctx, all, query.Min(F("state")))
			require.NoError(t, err)
			require.Equal(t, "Paid", least)
			_, err = db.Exec(ctx, "CREATE INDEX payment_state ON payment ("+quote+"state"+quote+")")
			if err != nil { // it is there
				require.ErrorContains(t, err, "payment_state")
			}
		}
	})
}

func asInGo[V cmp.Ordered](ctx context.Context, t *testing.T, all orm.QuerySet[Payment], rows []*Payment, name string, of func(*Payment) V, values ...V) {
	t.Helper()
	for _, v := range values {
		for op, c := range map[string]struct {
			cond query.Cond
			is   func(int) bool
		}{
			"Eq": {F(name).Eq(v), func(n int) bool { return n == 0 }}, "Ne": {F(name).Ne(v), func(n int) bool { return n != 0 }},
			"Lt": {F(name).Lt(v), func(n int) bool { return n < 0 }}, "Le": {F(name).Le(v), func(n int) bool { return n <= 0 }},
			"Gt": {F(name).Gt(v), func(n int) bool { return n > 0 }}, "Ge": {F(name).Ge(v), func(n int) bool { return n >= 0 }},
			"In": {F(name).In(v), func(n int) bool { return n == 0 }},
		} {
			var want, got []string
			for _, row := range rows {
				if c.is(cmp.Compare(of(row), v)) {
					want = append(want, row.Code)
				}
			}
			found, err := all.Filter(c.cond).All(ctx)
			require.NoError(t, err)
			for _, row := range found {
				got = append(got, row.Code)
			}
			slices.Sort(want)
			slices.Sort(got)
			require.Equal(t, want, got, "%s %s %v", name, op, v)
		}
	}
}
