package orm_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/uptrace/bun"

	"github.com/holdfast-go/holdfast/dialect"
	"github.com/holdfast-go/holdfast/orm"
	"github.com/holdfast-go/holdfast/query"
)

// QueuedJob has texts in types of the application's own on PostgreSQL: an enumeration, a domain,
// one of another schema, and one whose name needs quotes.
type QueuedJob struct {
	bun.BaseModel `bun:"table:queued_job"`
	ID            int64    `bun:",pk"`
	State         jobState `bun:"type:job_state"`
	Next          *string  `bun:"type:job_state"`
	Mail          string   `bun:"type:mail_address"`
	Place         string   `bun:"type:depot.place"`
	Size          string   `bun:"type:jobs_size"`
	Name          string
	Attempts      int
}

type jobState string

// queued makes the table with those types, and on the other engines with their own.
func queued(t *testing.T, test func(t *testing.T, ctx context.Context, db *orm.DB, reset func())) {
	each(t, func(t *testing.T, ctx context.Context, db *orm.DB) {
		run := func(texts ...string) {
			for _, text := range texts {
				_, err := db.Exec(ctx, text)
				require.NoError(t, err, text)
			}
		}
		state, mail, place, size := "varchar(20)", "varchar(40)", "varchar(20)", "varchar(20)"
		switch db.Server().Engine {
		case dialect.Postgres:
			run("CREATE SCHEMA depot", "CREATE TYPE job_state AS ENUM ('ready', 'running', 'dead')", "CREATE DOMAIN mail_address AS text CHECK (VALUE LIKE '%@%')",
				"CREATE TYPE depot.place AS ENUM ('here', 'there')", `CREATE TYPE jobs_size AS ENUM ('small', 'large')`)
			state, mail, place, size = "job_state", "mail_address", "depot.place", "jobs_size"
		case dialect.MySQL, dialect.MariaDB:
			state, place, size = "enum('ready', 'running', 'dead')", "enum('here', 'there')", "enum('small', 'large')"
		}
		run("CREATE TABLE queued_job (id bigint PRIMARY KEY, state " + state + " NOT NULL, next " + state + ", mail " + mail + " NOT NULL, place " + place + " NOT NULL, size " +
			size + " NOT NULL, name varchar(40) NOT NULL, attempts bigint NOT NULL)")
		all := orm.Objects[QueuedJob](db)
		reset := func() {
			_, err := all.Delete(ctx)
			require.NoError(t, err)
			dead := "dead"
			require.NoError(t, all.BulkCreate(ctx, []*QueuedJob{
				{ID: 1, State: "running", Mail: "a@x", Place: "here", Size: "small", Name: "ready", Attempts: 5},
				{ID: 2, State: "running", Next: &dead, Mail: "b@x", Place: "there", Size: "large", Name: "running", Attempts: 1},
				{ID: 3, State: "ready", Mail: "c@x", Place: "here", Size: "small", Name: "dead", Attempts: 0},
			}))
		}
		reset()
		test(t, ctx, db, reset)
	})
}

// PostgreSQL takes an enumeration for no text, and an ENUM of MySQL and MariaDB is one.
func TestS53_TextsInTypesOfTheApplication(t *testing.T) {
	queued(t, func(t *testing.T, ctx context.Context, db *orm.DB, reset func()) {
		all := orm.Objects[QueuedJob](db)
		for name, c := range map[string]struct {
			of   query.Expr
			want []string
		}{
			"a case beside the column": {query.Case().When(F("attempts").Ge(5), "dead").Else(F("state")), []string{"dead", "running", "ready"}},
			"a word that is no member": {query.Case().When(F("attempts").Ge(5), "over and out").Else(F("state")), []string{"over and out", "running", "ready"}},
			"a case of two columns":    {query.Case().When(F("next").Eq(nil), F("state")).Else(F("next")), []string{"running", "dead", "ready"}},
			"a case beside a text":     {query.Case().When(F("attempts").Ge(5), F("state")).Else(F("name")), []string{"running", "running", "dead"}},
			"a text beside the case":   {query.Case().When(F("attempts").Ge(5), F("name")).Else(F("state")), []string{"ready", "running", "ready"}},
			"a case of a domain":       {query.Case().When(F("attempts").Ge(5), "nobody").Else(F("mail")), []string{"nobody", "b@x", "c@x"}},
			"upper":                    {query.Upper(F("state")), []string{"RUNNING", "RUNNING", "READY"}},
			"lower":                    {query.Lower(F("size")), []string{"small", "large", "small"}},
			"concat":                   {query.Concat(F("state"), F("size"), "!"), []string{"runningsmall!", "runninglarge!", "readysmall!"}},
			"concat of a domain":       {query.Concat(F("mail"), F("place")), []string{"a@xhere", "b@xthere", "c@xhere"}},
			"substr":                   {query.Substr(F("place"), 1, 2), []string{"he", "th", "he"}},
			"trim":                     {query.Trim(F("state"), "r"), []string{"unning", "unning", "eady"}},
			"replace":                  {query.Replace(F("state"), "r", F("size")), []string{"smallunning", "largeunning", "smalleady"}},
			"cast":                     {query.Cast[string](F("place")), []string{"here", "there", "here"}},
			"coalesce":                 {query.Coalesce(F("next"), F("state")), []string{"running", "dead", "ready"}},
			"coalesce with a value":    {query.Coalesce(F("next"), query.Value("ready")), []string{"ready", "dead", "ready"}},
			"coalesce with a text":     {query.Coalesce(F("next"), F("name")), []string{"ready", "dead", "dead"}},
			"greatest":                 {query.Greatest(F("size"), "middle"), []string{"small", "middle", "small"}},
			"nullif":                   {query.Coalesce(query.NullIf(F("state"), "running"), query.Value("ready")), []string{"ready", "ready", "ready"}},
			"of a sub-select":          {query.Upper(query.Select(all.Filter(F("id").Eq(2)).Limit(1), F("size")).Expr()), []string{"LARGE", "LARGE", "LARGE"}},
			"a window":                 {query.Upper(F("size")), []string{"SMALL", "LARGE", "SMALL"}},
		} {
			got, err := orm.Select[string](ctx, all.OrderBy("id"), c.of.As("text"))
			require.NoError(t, err, name)
			require.Equal(t, c.want, got, name)
		}
		length, err := orm.Select[int64](ctx, all.OrderBy("id"), query.Length(F("place")).As("n"))
		require.NoError(t, err)
		require.Equal(t, []int64{4, 5, 4}, length)
		for _, name := range []string{"state", "mail", "place", "size"} {
			text, err := orm.Aggregate[string](ctx, all.Filter(F("id").Eq(2)), query.StringAgg(F(name), ","))
			require.NoError(t, err)
			require.Equal(t, map[string]string{"state": "running", "mail": "b@x", "place": "there", "size": "large"}[name], text)
			most, err := orm.Aggregate[string](ctx, all.Filter(F("id").Eq(2)), query.Max(F(name)))
			require.NoError(t, err)
			require.Equal(t, text, most)
		}

	})
}

func TestS10_TypesOfTheApplicationBesideTexts(t *testing.T) {
	queued(t, func(t *testing.T, ctx context.Context, db *orm.DB, reset func()) {
		all := orm.Objects[QueuedJob](db)
		for name, c := range map[string]struct {
			cond query.Cond
			want []int64
		}{
			"contains":          {F("state").Contains("unn"), []int64{1, 2}},
			"begins":            {F("mail").StartsWith("a"), []int64{1}},
			"whatever the case": {F("size").IContains("LAR"), []int64{2}},
			"a pattern":         {F("place").EndsWith("re"), []int64{1, 2, 3}},
			"beside a text":     {F("state").Eq(F("name")), []int64{2}},
			"a text beside it":  {F("name").Eq(F("state")), []int64{2}},
			"not beside a text": {F("state").Ne(F("name")), []int64{1, 3}},
			"among columns":     {F("state").In(F("name"), F("next")), []int64{2}},
			"among values, too": {F("state").In(F("name"), "ready"), []int64{2, 3}},
			"a text among them": {F("name").In(F("state"), F("next")), []int64{2}},
			"computed":          {F("state").Eq(query.Lower(F("name"))), []int64{2}},
			"a sub-select":      {F("state").In(query.Select(all, F("name"))), []int64{1, 2, 3}},
			"in a sub-select":   {F("name").In(query.Select(all.Filter(F("id").Eq(3)), F("state"))), []int64{1}},
			"of its own":        {F("state").In(query.Select(all, F("next"))), []int64{}},
			"a case":            {query.Case().When(F("attempts").Ge(5), "dead").Else(F("state")).Eq("dead"), []int64{1}},
			"a case beside it":  {F("state").Eq(query.Case().When(F("attempts").Ge(5), "running").Else("ready")), []int64{1, 3}},
			"a cast":            {query.Cast[string](F("state")).In("ready", "no member"), []int64{3}},
		} {
			rows, err := all.Filter(c.cond).OrderBy("id").All(ctx)
			require.NoError(t, err, name)
			got := []int64{}
			for _, row := range rows {
				got = append(got, row.ID)
			}
			require.Equal(t, c.want, got, name)
		}

	})
}

func TestS34_TypesOfTheApplicationBelowTexts(t *testing.T) {
	queued(t, func(t *testing.T, ctx context.Context, db *orm.DB, reset func()) {
		all := orm.Objects[QueuedJob](db)
		one := query.Select(all.Filter(F("id").Eq(3)), F("state").As("text"), F("id"))
		for name, q := range map[string]query.Selection{
			"values":  query.UnionAll(one, query.Select(all.Filter(F("id").Eq(1)), query.Value("all").As("text"), F("id"))),
			"a text":  query.UnionAll(query.Select(all.Filter(F("id").Eq(1)), query.Lower(query.Value("ALL")).As("text"), F("id")), one),
			"another": query.Union(one, query.Select(all.Filter(F("id").Eq(1)), query.Case().When(F("id").Eq(1), "all").As("text"), F("id"))),
		} {
			type line struct {
				Text string
				ID   int64
			}
			got, err := orm.Select[line](ctx, q.OrderBy("-id"))
			require.NoError(t, err, name)
			require.Equal(t, []line{{"ready", 3}, {"all", 1}}, got, name)
		}
		if db.Server().Engine == dialect.MySQL {
			return // a recursion that begins with an ENUM is an error there
		}
		type link struct {
			ID   int64
			Text string
		}
		chain := query.Recursive("chain", query.Select(all.Filter(F("id").Eq(1)), F("id"), F("state").As("text")), func(self query.Selection) query.Query {
			return query.Select(all.Join("before", self, F("id").Eq(F("before.id").Add(1))), F("id"), F("state").As("text"))
		})
		got, err := orm.Select[link](ctx, chain.OrderBy("id"))
		require.NoError(t, err)
		require.Equal(t, []link{{1, "running"}, {2, "running"}, {3, "ready"}}, got)
	})
}

// The retry of a queue computes the next state of a job.
func TestS20_ComputedTextsForTypesOfTheApplication(t *testing.T) {
	queued(t, func(t *testing.T, ctx context.Context, db *orm.DB, reset func()) {
		all := orm.Objects[QueuedJob](db)
		for name, c := range map[string]struct {
			set  query.Assignment
			want string
		}{
			"a case of values":    {query.Set("state", query.Case().When(F("attempts").Ge(5), "dead").Else("ready")), "dead ready ready"},
			"a case":              {query.Set("state", query.Case().When(F("attempts").Ge(5), "dead").Else(F("state"))), "dead running ready"},
			"a case of columns":   {query.Set("state", query.Case().When(F("next").Ne(nil), F("next")).Else(F("state"))), "running dead ready"},
			"a text":              {query.Set("state", F("name")), "ready running dead"},
			"a function":          {query.Set("state", query.Lower(F("name"))), "ready running dead"},
			"a value":             {query.Set("state", query.Value("dead")), "dead dead dead"},
			"the column":          {query.Set("state", F("state")), "running running ready"},
			"another":             {query.Set("state", query.Coalesce(F("next"), F("state"))), "running dead ready"},
			"another with a word": {query.Set("state", query.Coalesce(F("next"), query.Value("ready"))), "ready dead ready"},
			"the greatest":        {query.Set("state", query.Greatest(F("state"), "ready")), "running running ready"},
		} {
			reset()
			_, err := all.Update(ctx, c.set)
			require.NoError(t, err, name)
			text, err := orm.Aggregate[string](ctx, all, query.StringAgg(query.Cast[string](F("state")), " ", query.OrderBy("id")))
			require.NoError(t, err, name)
			require.Equal(t, c.want, text, name)
		}
		reset()
		_, err := all.Update(ctx, query.Set("place", query.Case().When(F("attempts").Ge(5), "there").Else(F("place"))),
			query.Set("size", query.Case().When(F("attempts").Ge(5), "large").Else("small")), query.Set("mail", query.Concat(F("name"), "@y")))
		require.NoError(t, err)
		row, err := all.Find(ctx, 1)
		require.NoError(t, err)
		require.Equal(t, []string{"there", "large", "ready@y"}, []string{row.Place, row.Size, row.Mail})
	})
}

type letter struct {
	bun.BaseModel `bun:"table:letter"`
	ID            int64  `bun:",pk"`
	Mail          string `bun:"type:any_case"`
	Other         string `bun:"type:any_case"`
}

// A domain over citext compares as citext does.
func TestS10_DomainsOverTextsOfAnyCase(t *testing.T) {
	each(t, func(t *testing.T, ctx context.Context, db *orm.DB) {
		if db.Server().Engine != dialect.Postgres {
			return
		}
		for _, text := range []string{
			"CREATE EXTENSION IF NOT EXISTS citext", "CREATE DOMAIN any_case AS citext",
			"CREATE TABLE letter (id bigint PRIMARY KEY, mail any_case NOT NULL, other any_case NOT NULL)", "INSERT INTO letter VALUES (1, 'Ada@x', 'ada@X')",
		} {
			_, err := db.Exec(ctx, text)
			require.NoError(t, err)
		}
		letters := orm.Objects[letter](db)
		for i, c := range []query.Cond{
			F("mail").Eq("ADA@X"), F("mail").In("ADA@X"), F("mail").Eq(F("other")), F("mail").In(F("other")), F("mail").Le("ada@x"),
			query.Coalesce(F("mail"), query.Value("")).Eq("ADA@X"), query.Coalesce(F("mail"), F("other")).Eq("ADA@X"),
			query.Case().When(F("id").Eq(1), F("mail")).Else(F("other")).Eq("ADA@X"), F("mail").In(query.Select(letters, F("other"))),
			query.Lower(F("mail")).Eq("ada@x"), F("mail").IContains("ADA"),
		} {
			n, err := letters.Filter(c).Count(ctx)
			require.NoError(t, err, i)
			require.EqualValues(t, 1, n, i)
		}
		_, err := letters.Update(ctx, query.Set("mail", query.Concat(F("mail"), "y")))
		require.NoError(t, err)
		got, err := letters.Find(ctx, 1)
		require.NoError(t, err)
		require.Equal(t, "Ada@xy", got.Mail)
	})
}
