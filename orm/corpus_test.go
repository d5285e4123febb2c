package orm_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/dialect"
	"github.com/holdfast-go/holdfast/orm"
	"github.com/holdfast-go/holdfast/query"
)

// hostile are pieces of texts that have ended, or begun, something in somebody's SQL:
// quotes of all sorts, comments, placeholders, what ends a path, what is cut off, what
// a character set or a normal form makes a quote of.
var hostile = []string{
	`'`, `"`, "`", `\`, `''`, `""`, "``", `\\`, `\'`, `\"`, "\\`", `'--`, `"--`, "`--", `' -- `, `" -- `, `'#`, `'/*`, `*/`, `/*!50000`, `/*M!100000`, `;`, `;--`, `; DROP TABLE owners`,
	`'; DROP TABLE owners; --`, `"; DROP TABLE owners; --`, "`; DROP TABLE owners; --", `') OR ('1'='1`, `' OR 1=1 --`, `" OR ""="`, `) OR 1=1 --`, `1 OR 1=1`, `' UNION SELECT name FROM owners --`,
	`" FROM owners --`, "` FROM owners -- ", `"."name`, "`.`name", `id"."name`, `id, (SELECT name FROM owners)`, `(SELECT 1)`, `id) FROM owners; --`, `CASE WHEN 1=1 THEN id END`, `name COLLATE NOCASE`,
	`id DESC`, `id ASC, name`, `id NULLS FIRST`, `name FOR UPDATE`, `*`, `owners.*`, `id AS x`, `x y`, `?`, `??`, `?1`, `$1`, `$$`, `$a$`, `:x`, `::text`, `@x`, `@@version`, `%s`, `%d`, `%`, `_`, `{0}`, `{{x}}`,
	`$.a`, `$.*`, `$**`, `$[0]`, `[0]`, `[*]`, `a.b`, `a..b`, `.a`, `a.`, `.`, `->`, `->>`, `#>`, `a->'b'`, `a__b`, `name__exact`, `name) = 1 OR (name`, `{a,b}`, `a"."b`, `a"]`, `]`, `[`, `"]"`, `a'].b`, `'||'`, `'+'`,
	"\x00", "a\x00b", "a\nb", "a\rb", "\r\n--", "\t", "\x1a", "\x7f", "\u00a0", "\u2028", "\u200b", "\ufeff", "\u02bc", "\u2019", "\uff07", "\uff02", "\u037e", "\u0660", "e\u0301", "한", "🎧", "\U0010ffff", "\xbf'", "\xbf\x27--",
	"\xc0\xa7", "\xff", "\xed\xa0\x80", "é", "İ", "ſ", "K", `%27`, `&#39;`, `\u0027`, `\x27`, `\047`, `0x27`, `CHAR(39)`, `x'27'`, `N'a'`, `E'\''`, `U&"a"`, `_utf8'a'`, `q'[a]'`, `null`, `true`, `FALSE`, `select`, `order`,
}

// corpus is every piece as it is, behind a name that there is, and in quotes.
func corpus() []string {
	var list []string
	seen := map[string]bool{}
	for _, p := range hostile {
		for _, s := range []string{p, "id" + p, `"` + p + `"`, p + "name"} {
			if !seen[s] {
				seen[s] = true
				list = append(list, s)
			}
		}
	}
	return list
}

// refusedByUs reports whether an error is one of the library's own about what it was
// given, and not a server's about what it was sent.
func refusedByUs(err error) bool {
	var field *query.FieldError
	var value *query.ValueError
	return errors.As(err, &field) || errors.As(err, &value) || errors.Is(err, orm.ErrCursor) || errors.Is(err, orm.ErrLockOptions) || errors.Is(err, dialect.ErrUnsupported) ||
		strings.Contains(err.Error(), "is no name") || strings.Contains(err.Error(), "is no relation")
}

func TestS02_NoNameGetsIntoAStatement(t *testing.T) {
	list := corpus()
	require.GreaterOrEqual(t, len(list), 300)
	each(t, func(t *testing.T, ctx context.Context, db *orm.DB) {
		studio(ctx, t, db, 2)
		audio, owners := orm.Objects[Audio](db), orm.Objects[Owner](db)
		before, err := owners.OrderBy("id").All(ctx)
		require.NoError(t, err)
		for _, s := range list {
			doors := map[string]func() error{
				"F":        func() error { _, err := audio.Filter(F(s).Eq(1)).Count(ctx); return err },
				"OrderBy":  func() error { _, err := audio.OrderBy(s).All(ctx); return err },
				"Related":  func() error { _, err := audio.Related(s).All(ctx); return err },
				"Prefetch": func() error { _, err := audio.Prefetch(s).All(ctx); return err },
				"Any":      func() error { _, err := audio.Filter(query.Any(s)).Count(ctx); return err },
				"CountOf":  func() error { _, err := audio.Filter(query.CountOf(s).Gt(0)).Count(ctx); return err },
				"Annotate": func() error { _, err := audio.Annotate(s, F("id").Add(1)).All(ctx); return err },
				"Set":      func() error { _, err := audio.Update(ctx, query.Set(s, 1)); return err },
				"GroupBy":  func() error { _, err := orm.Select[int64](ctx, audio.GroupBy(s), query.Count()); return err },
				"Select":   func() error { _, err := orm.Select[int64](ctx, audio, F(s)); return err },
				"path":     func() error { _, err := audio.Filter(F("project." + s).Eq(1)).Count(ctx); return err },
				"Outer": func() error {
					_, err := audio.Filter(query.Exists(owners.Filter(F("id").Eq(query.Outer(s))))).Count(ctx)
					return err
				},
				"OnConflict": func() error { return owners.BulkCreate(ctx, []*Owner{{Name: "x"}}, query.OnConflict(s).DoNothing()) },
				"conflict":   func() error { return owners.BulkCreate(ctx, []*Owner{{Name: "x"}}, query.OnConflict("id").Update(s)) },
				"Excluded": func() error {
					return owners.BulkCreate(ctx, []*Owner{{Name: "x"}}, query.OnConflict("id").Set(query.Set("name", query.Excluded(s))))
				},
				"AfterCursor":  func() error { _, err := audio.OrderBy("id").AfterCursor(s).All(ctx); return err },
				"BeforeCursor": func() error { _, err := audio.OrderBy("id").BeforeCursor(s).All(ctx); return err },
				"Of":           func() error { _, err := audio.SelectForUpdate(orm.Of(s)).All(ctx); return err },
			}
			for door, through := range doors {
				err := through()
				if s == "name" && err == nil {
					continue
				}
				require.Error(t, err, "%s %q", door, s)
				require.True(t, refusedByUs(err), "%s %q: %v", door, s, err)
			}
			// Names that are made: they arrive, or are refused.
			sub := query.Select(owners, F("id").As("n"))
			for door, through := range map[string]func() error{
				"As": func() error {
					_, err := orm.Select[int64](ctx, query.Select(owners, F("id").As(s)).Limit(1), F(s))
					return err
				},
				"With": func() error { _, err := orm.Select[int64](ctx, query.With(s, sub), F("n")); return err },
				"Join": func() error {
					_, err := orm.Select[int64](ctx, owners.Join(s, sub, F("id").Eq(F(s+".n"))), F(s+".n"))
					return err
				},
			} {
				if err := through(); err != nil {
					require.True(t, refusedByUs(err), "%s %q: %v", door, s, err)
				}
			}
		}
		after, err := owners.OrderBy("id").All(ctx)
		require.NoError(t, err)
		require.Equal(t, before, after)
	})
}

func TestS01_EveryTextArrivesAsItIs(t *testing.T) {
	eachWithPaths(t, func(t *testing.T, ctx context.Context, db *orm.DB) {
		dossiers(ctx, t, db, `{}`)
		require.NoError(t, orm.Objects[Owner](db).Create(ctx, &Owner{Name: "canary"}))
		all := orm.Objects[Dossier](db)
		for _, s := range corpus() {
			at := F("doc").JSON(s)
			n, err := all.Update(ctx, at.Set(s), query.Set("name", s))
			if err != nil {
				require.True(t, refusedByUs(err), "%q: %v", s, err)
				continue
			}
			require.EqualValues(t, 1, n)
			n, err = all.Filter(F("name").Eq(s), at.Eq(s), at.Text().Eq(s), at.In("no", s), F("doc").JSON().Eq(map[string]any{s: s}), F("name").Contains(s)).Count(ctx)
			require.NoError(t, err, "%q", s)
			require.EqualValues(t, 1, n, "%q", s)
			agg, err := orm.Select[string](ctx, all, query.StringAgg(query.Concat(at.Text(), s, F("name")), s))
			require.NoError(t, err, "%q", s)
			require.Equal(t, []string{s + s + s}, agg)
			_, err = all.Update(ctx, at.Remove())
			require.NoError(t, err, "%q", s)
			n, err = all.Filter(F("doc").JSON().Eq(map[string]any{})).Count(ctx)
			require.NoError(t, err, "%q", s)
			require.EqualValues(t, 1, n, "%q", s)
		}
		rows, err := orm.Objects[Owner](db).All(ctx)
		require.NoError(t, err)
		require.Len(t, rows, 1)
		require.Equal(t, "canary", rows[0].Name)
	})
}
