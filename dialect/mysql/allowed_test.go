package mysql_test

import (
	"context"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/uptrace/bun"

	"github.com/holdfast-go/holdfast/atomic"
	"github.com/holdfast-go/holdfast/dialect"
	"github.com/holdfast-go/holdfast/dialect/mysql"
	"github.com/holdfast-go/holdfast/internal/testserver"
	"github.com/holdfast-go/holdfast/models"
	"github.com/holdfast-go/holdfast/orm"
	"github.com/holdfast-go/holdfast/query"
)

// Reading is a row with what a sql_mode could change.
type Reading struct {
	bun.BaseModel `bun:"table:reading"`
	models.AutoID
	Name   *string
	Full   string
	Code   string `bun:"type:char(10)"`
	N      uint32
	A, B   int64
	Flag   bool
	Real   float64   `bun:"type:real"`
	At     time.Time `bun:"type:timestamp(6)"`
	Second time.Time `bun:"type:datetime"`
	Day    models.Date
	Doc    map[string]any `bun:"type:json"`
}

// otherModes are all that the servers have, but those that are refused, and
// NO_AUTO_VALUE_ON_ZERO, which rule S20 is about.
var otherModes = map[testserver.Engine][]string{
	testserver.MySQL: {
		"ANSI", "TRADITIONAL", "TIME_TRUNCATE_FRACTIONAL", "REAL_AS_FLOAT", "HIGH_NOT_PRECEDENCE", "PIPES_AS_CONCAT", "NO_UNSIGNED_SUBTRACTION",
		"ALLOW_INVALID_DATES", "IGNORE_SPACE", "NO_BACKSLASH_ESCAPES", "ANSI_QUOTES", "ONLY_FULL_GROUP_BY", "NO_DIR_IN_CREATE", "NO_ZERO_DATE",
		"NO_ZERO_IN_DATE", "STRICT_ALL_TABLES", "NO_ENGINE_SUBSTITUTION", "ERROR_FOR_DIVISION_BY_ZERO",
	},
	testserver.MariaDB: {
		"ANSI", "TRADITIONAL", "MSSQL", "DB2", "MAXDB", "POSTGRESQL", "MYSQL323", "MYSQL40", "TIME_ROUND_FRACTIONAL", "REAL_AS_FLOAT",
		"HIGH_NOT_PRECEDENCE", "PIPES_AS_CONCAT", "NO_UNSIGNED_SUBTRACTION", "ALLOW_INVALID_DATES", "IGNORE_SPACE", "SIMULTANEOUS_ASSIGNMENT",
		"NO_BACKSLASH_ESCAPES", "ANSI_QUOTES", "ONLY_FULL_GROUP_BY", "NO_DIR_IN_CREATE", "NO_ZERO_DATE", "NO_ZERO_IN_DATE", "STRICT_ALL_TABLES",
		"NO_ENGINE_SUBSTITUTION", "NO_KEY_OPTIONS", "NO_TABLE_OPTIONS", "NO_FIELD_OPTIONS", "IGNORE_BAD_TABLE_OPTIONS", "NO_AUTO_CREATE_USER",
		"ERROR_FOR_DIVISION_BY_ZERO",
	},
}

func eachServer(t *testing.T, test func(t *testing.T, db testserver.Database)) {
	t.Helper()
	t.Parallel()
	testserver.Each(t, test, testserver.MySQL, testserver.MariaDB)
}

// S1: in every sql_mode that is taken the same statements store the same values and have
// the same answers.
func TestS01_EveryOtherModeAnswersAlike(t *testing.T) {
	eachServer(t, func(t *testing.T, db testserver.Database) {
		want := answers(t, db, "")
		require.Contains(t, want, "a = '': 1, without it: 2 3 4")
		for _, mode := range otherModes[db.Engine] {
			require.Equal(t, want, answers(t, db, mode), mode)
		}
	})
}

// answers is what a round of statements stores and finds in a sql_mode.
func answers(t *testing.T, on testserver.Database, mode string) (said []string) {
	t.Helper()
	ctx, F := t.Context(), query.F
	_, err := on.Admin.ExecContext(ctx, "DROP TABLE IF EXISTS reading")
	require.NoError(t, err)
	mark := "?"
	if strings.Contains(on.DSN, "?") {
		mark = "&"
	}
	db, err := orm.Open(ctx, mysql.Open(on.DSN+mark+"sql_mode="+url.QueryEscape("'"+mode+"'")))
	require.NoError(t, err, mode)
	defer func() { require.NoError(t, db.Close()) }()
	require.NoError(t, orm.CreateTables(ctx, db, (*Reading)(nil)), mode)

	all := orm.Objects[Reading](db).OrderBy("id")
	found := func(q orm.QuerySet[Reading]) string {
		rows, err := q.All(ctx)
		if err != nil {
			return "an error"
		}
		var ids []string
		for _, r := range rows {
			ids = append(ids, fmt.Sprint(r.ID))
		}
		return strings.Join(ids, " ")
	}
	ask := func(name string, c query.Cond) {
		said = append(said, name+": "+found(all.Filter(c))+", without it: "+found(all.Exclude(c)))
	}
	show := func(name string, err error) {
		rows, readErr := all.All(ctx)
		require.NoError(t, readErr)
		said = append(said, fmt.Sprintf("%s: %t", name, err == nil))
		for _, r := range rows {
			named := "NULL"
			if r.Name != nil {
				named = fmt.Sprintf("%q", *r.Name)
			}
			said = append(said, fmt.Sprint(named, fmt.Sprintf(" %q %q ", r.Full, r.Code), r.N, r.A, r.B, r.Flag, r.Real, r.At, r.Second, r.Day, r.Doc))
		}
	}
	text := func(s string) *string { return &s }
	at := time.Date(2024, 1, 31, 12, 30, 15, 678901000, time.UTC)
	rows := []*Reading{
		{Name: text(""), N: 3, A: 1, B: 2},
		{Full: " a ", Code: "ab", A: 2, B: 2},
		{Name: text("x  "), Full: `b\s"q'`, Code: "ab cd", N: 7, A: -3, Flag: true},
		{Name: text("NULL"), Full: "%_|", Code: "q", N: 9, B: 5},
	}
	for _, r := range rows {
		r.Real, r.At, r.Second, r.Day, r.Doc = 0.1, at, at.Truncate(time.Second), models.DateOf(at), map[string]any{"k": ""}
	}
	require.NoError(t, orm.Objects[Reading](db).Create(ctx, rows[0]), mode)
	show("created", orm.Objects[Reading](db).BulkCreate(ctx, rows[1:]))

	ask("a = ''", F("full").Eq(""))
	ask("an optional ''", F("name").Eq(""))
	ask("among", F("full").In("", " a "))
	ask("blanks", F("name").Eq("x"))
	ask("a CHAR", F("code").Eq("ab"))
	ask("a CHAR's end", F("code").EndsWith("d"))
	ask("a CHAR's length", query.Length(F("code")).Eq(2))
	ask("joined", query.Concat(F("name"), F("full")).Eq("NULL%_|"))
	ask("joined with a CHAR", query.Concat(F("code"), "|").Eq("ab|"))
	ask("a backslash", F("full").Contains(`\s`))
	ask("a pattern", F("full").Contains(`%_`))
	ask("trimmed", query.TrimLeft(F("full"), " a").Eq(""))
	ask("trimmed to nothing", query.Trim(query.Concat(" ", F("name"))).Eq(""))
	ask("a part", query.Substr(F("full"), 9, 1).Eq(""))
	ask("replaced", query.Replace(F("full"), "a", "").Eq("  "))
	ask("not between", query.Not(F("a").Between(0, 1)))
	ask("not", query.Not(query.Or(F("flag").Eq(true), F("name").IsNull())))
	ask("a difference", F("n").Sub(5).Lt(0))
	ask("a sign", F("n").Neg().Lt(0))
	ask("a quotient", F("a").Div(F("b")).IsNull())
	ask("a remainder", F("a").Mod(2).Eq(0))
	ask("a REAL", F("real").Eq(0.1))
	ask("a time", F("at").Eq(at))
	ask("a month later", query.Shift(F("at"), 1, query.Months).Eq(time.Date(2024, 2, 29, 12, 30, 15, 678901000, time.UTC)))
	ask("the second", query.Truncate(F("at"), query.Seconds).Eq(F("second")))
	ask("the day", query.Cast[models.Date](F("at")).Eq(models.DateOf(at)))
	ask("in JSON", F("doc").JSON("k").Text().Eq(""))
	ask("or else", query.Coalesce(F("name"), query.Value("")).Eq(""))
	ask("chosen", query.Case().When(F("a").Gt(0), "").Else("z").Eq(""))
	joined, err := orm.Aggregate[string](ctx, all.OrderBy(), query.StringAgg(F("code"), "|", F("id").Asc()))
	said = append(said, fmt.Sprint(joined, err == nil))

	update := func(name string, set ...query.Assignment) {
		_, err := all.OrderBy().Update(ctx, set...)
		show(name, err)
	}
	update("in a chain", query.Set("a", F("b").Add(1)), query.Set("b", 7))
	update("exchanged", query.Set("a", F("b")), query.Set("b", F("a")))
	update("of a CHAR", query.Set("full", query.Concat(F("code"), "z")), query.Set("code", query.Concat(F("code"), "z")))
	update("below zero", query.Set("n", F("n").Sub(5)))
	update("a day that is none", query.Set("day", models.Date{Year: 2024, Month: 2, Day: 31}))
	update("no day", query.Set("day", models.Date{}))
	update("a finer time", query.Set("second", at.Add(time.Second)))
	update("a second", query.Set("second", query.Truncate(F("at"), query.Seconds)), query.Set("real", F("real").Mul(3)))
	update("in JSON", F("doc").JSON("k").Set("x"), F("doc").JSON("l").Set(""))
	update("empty", query.Set("name", ""))
	rows[1].A, rows[1].B = 40, 50
	show("again", orm.Objects[Reading](db).BulkCreate(ctx, rows[1:2], query.OnConflict("id").Set(query.Set("a", F("b").Add(1)), query.Set("b", query.Excluded("b")))))
	rows[2].Full = ""
	show("saved", orm.Objects[Reading](db).Save(ctx, rows[2]))
	n, err := all.OrderBy().Filter(F("name").Eq(""), F("full").Eq("")).Delete(ctx)
	show(fmt.Sprint("deleted ", n), err)
	return said
}

// S1: nor is such a mode set by a text, in a session or a block; and another is.
func TestS01_AModeThatChangesValuesIsNotSetInASession(t *testing.T) {
	eachServer(t, func(t *testing.T, on testserver.Database) {
		ctx := t.Context()
		db, err := orm.Open(ctx, mysql.Open(on.DSN))
		require.NoError(t, err)
		defer func() { require.NoError(t, db.Close()) }()
		require.NoError(t, orm.CreateTables(ctx, db, (*Reading)(nil)))
		write := func(ctx context.Context) {
			empty := ""
			row := &Reading{Name: &empty, Code: "ab", At: time.Unix(1, 0), Second: time.Unix(1, 0)}
			require.NoError(t, orm.Objects[Reading](db).Create(ctx, row))
			n, err := orm.Objects[Reading](db).Filter(query.F("name").Eq(""), query.Length(query.F("code")).Eq(2)).Delete(ctx)
			require.NoError(t, err)
			require.EqualValues(t, 1, n)
		}
		try := func(ctx context.Context) error {
			for _, mode := range []string{"EMPTY_STRING_IS_NULL", "ORACLE", "PAD_CHAR_TO_FULL_LENGTH"} {
				_, err := db.Exec(ctx, "SET SESSION sql_mode = CONCAT(@@sql_mode, ',"+mode+"')")
				require.ErrorIs(t, err, dialect.ErrUnsupported, mode)
				require.ErrorContains(t, err, mode)
				write(ctx)
			}
			_, err := db.Exec(ctx, "SET SESSION sql_mode = CONCAT(@@sql_mode, ',ANSI')")
			require.NoError(t, err)
			write(ctx)
			return nil
		}
		require.NoError(t, try(ctx))
		require.NoError(t, atomic.Do(ctx, db, try))
		s, within, err := db.Session(ctx)
		require.NoError(t, err)
		require.NoError(t, try(within))
		require.NoError(t, atomic.Do(within, db, try))
		require.NoError(t, s.Close())
	})
}

// Every mode that the server has is in one of the lists. MariaDB alone tells which it has.
func TestS01_EveryModeOfMariaDBIsKnown(t *testing.T) {
	t.Parallel()
	testserver.Each(t, func(t *testing.T, on testserver.Database) {
		var list string
		require.NoError(t, on.Admin.QueryRowContext(t.Context(), "SELECT ENUM_VALUE_LIST FROM information_schema.SYSTEM_VARIABLES WHERE VARIABLE_NAME = 'SQL_MODE'").Scan(&list))
		known := append([]string{"EMPTY_STRING_IS_NULL", "ORACLE", "PAD_CHAR_TO_FULL_LENGTH", "NO_AUTO_VALUE_ON_ZERO", "STRICT_TRANS_TABLES"}, otherModes[on.Engine]...)
		for mode := range strings.SplitSeq(list, ",") {
			require.True(t, slices.Contains(known, mode), mode)
		}
	}, testserver.MariaDB)
}
