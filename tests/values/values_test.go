package values

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/holdfast-go/holdfast/dialect"
	"github.com/holdfast-go/holdfast/models"
	"github.com/holdfast-go/holdfast/orm"
	"github.com/holdfast-go/holdfast/query"
	"github.com/holdfast-go/holdfast/tests/testdb"
)

var errType = errors.New("another type")

// kind is a Go type in a type of column.
type kind struct {
	name    string
	engines []testdb.Engine // that have the column's type
	run     func(t *testing.T, db *orm.DB)
}

func of[R, V any](name string, gen func() *rapid.Generator[V], same func(a, b V) bool, options ...func(*asked)) kind {
	var a asked
	for _, option := range options {
		option(&a)
	}
	p := property[R, V]{gen: gen, same: same, asked: a}
	p.order, _ = a.order.(func(a, b V) int)
	return kind{name: name, engines: a.engines, run: p.check}
}

// asked is what is asked of a kind beside what is asked of all.
type asked struct {
	mariadb dialect.Version // the first that has the type of column
	engines []testdb.Engine // that have the type of column; none: all
	order   any             // func(a, b V) int; nil: what orders the values is the server's business
	apart   bool            // the values may be refused in comparisons
	folded  bool            // the column's own collation takes different texts for equal
}

type property[R, V any] struct {
	gen   func() *rapid.Generator[V]
	same  func(stored, read V) bool
	order func(a, b V) int
	asked
}

func (p property[R, V]) check(t *testing.T, db *orm.DB) {
	if s := db.Server(); s.Engine == dialect.MariaDB && !s.Version.AtLeast(p.mariadb.Major, p.mariadb.Minor, 0) {
		t.Skipf("%s has no such type", s)
	}
	require.NoError(t, orm.CreateTables(t.Context(), db, (*R)(nil)))
	all := orm.Objects[R](db)
	rapid.Check(t, func(rt *rapid.T) {
		_, err := all.Delete(t.Context())
		require.NoError(rt, err)
		var kept []*R
		for i, v := range rapid.SliceOfN(p.gen(), 1, 3).Draw(rt, "values") {
			if row := p.write(t.Context(), rt, all, int64(i), v); row != nil {
				kept = append(kept, row)
			}
		}
		p.compare(t.Context(), rt, db.Server(), all, kept)
		p.exchange(t.Context(), rt, all, kept)
	})
}

// exchange gives each row the value of another, all in one statement.
func (p property[R, V]) exchange(ctx context.Context, t *rapid.T, all orm.QuerySet[R], rows []*R) {
	moved := make([]*R, len(rows))
	for i, r := range rows {
		moved[i] = row[R](int64(i), valueOf[R, V](rows[(i+1)%len(rows)]))
		reflect.ValueOf(moved[i]).Elem().FieldByName("ID").SetInt(id(r))
	}
	if err := all.BulkSave(ctx, moved, "v"); err != nil {
		t.Fatalf("BulkSave: %v", err)
	}
	for _, r := range moved {
		got, err := all.Find(ctx, id(r))
		if err != nil {
			t.Fatalf("BulkSave: %v", err)
		}
		if want, is := valueOf[R, V](r), valueOf[R, V](got); !p.same(want, is) {
			t.Fatalf("BulkSave: %#v became %#v", want, is)
		}
	}
}

func row[R, V any](k int64, v V) *R {
	r := new(R)
	s := reflect.ValueOf(r).Elem()
	s.FieldByName("K").SetInt(k)
	s.FieldByName("V").Set(reflect.ValueOf(&v).Elem())
	return r
}

func valueOf[R, V any](r *R) V {
	return *reflect.ValueOf(r).Elem().FieldByName("V").Addr().Interface().(*V)
}

func id[R any](r *R) int64 { return reflect.ValueOf(r).Elem().FieldByName("ID").Int() }

// refused reports whether err is a refusal of a value of the field v.
func refused(t *rapid.T, call string, err error) bool {
	if err == nil {
		return false
	}
	var ve *query.ValueError
	if !errors.As(err, &ve) {
		t.Fatalf("%s: not a ValueError: %v", call, err)
	}
	if !strings.HasSuffix(ve.Field, ".v") {
		t.Fatalf("%s: the ValueError names %q: %v", call, ve.Field, err)
	}
	return true
}

// write stores v in each way, and returns the row in the end; nil if v is refused.
func (p property[R, V]) write(ctx context.Context, t *rapid.T, all orm.QuerySet[R], k int64, v V) *R {
	first := row[R](k, v)
	no := refused(t, "Create", all.Create(ctx, first))
	key := id(first)
	if no {
		key = 1 << 30
		reflect.ValueOf(first).Elem().FieldByName("ID").SetInt(key)
	}
	the := all.Filter(query.F("id").Eq(key))
	read := func(call string) *R {
		got, err := the.Get(ctx)
		if err != nil {
			t.Fatalf("%s of %#v: %v", call, v, err)
		}
		if !p.same(v, valueOf[R, V](got)) {
			t.Fatalf("%s: %#v became %#v", call, v, valueOf[R, V](got))
		}
		return got
	}
	stored := func(call string, err error) {
		if is := refused(t, call, err); is != no {
			t.Fatalf("Create refused %#v: %t; %s: %t", v, no, call, is)
		}
		if !no {
			read(call)
		}
	}
	if !no {
		first = read("Create")
	}
	more := row[R](k+1000, v)
	is := refused(t, "BulkCreate", all.BulkCreate(ctx, []*R{more, row[R](k+2000, v)}))
	if is != no {
		t.Fatalf("Create refused %#v: %t; BulkCreate: %t", v, no, is)
	}
	if !no {
		_, err := all.Filter(query.F("k").Ge(1000)).Delete(ctx)
		require.NoError(t, err)
	}
	stored("Save", all.Save(ctx, first))
	stored("BulkSave", all.BulkSave(ctx, []*R{first}))
	_, err := the.Update(ctx, query.Set("v", v))
	stored("Update", err)
	again := row[R](k, v)
	created, err := all.UpdateOrCreate(ctx, again, "k")
	stored("UpdateOrCreate", err)
	stored("BulkCreate with OnConflict", all.BulkCreate(ctx, []*R{row[R](k, v)}, query.OnConflict("k").Update("v")))
	if no {
		return nil
	}
	require.False(t, created)
	return read("BulkCreate with OnConflict")
}

// compare finds rows by their own values.
func (p property[R, V]) compare(ctx context.Context, t *rapid.T, server dialect.Server, all orm.QuerySet[R], rows []*R) {
	v, keys := query.F("v"), make([]int64, len(rows))
	for i, r := range rows {
		keys[i] = id(r)
	}
	for i, r := range rows {
		own := valueOf[R, V](r)
		null := isNull(own)
		for name, c := range map[string]query.Cond{"Eq": v.Eq(own), "In": v.In(own, own), "Between": v.Between(own, own)} {
			if null && name == "Between" {
				continue
			}
			got, err := all.Filter(c).All(ctx)
			if err != nil {
				if p.apart && declined(err) {
					continue
				}
				t.Fatalf("%s of %#v: %v", name, own, err)
			}
			for j, other := range rows {
				want := j == i || p.same(own, valueOf[R, V](other))
				if found := slices.Contains(ids(got), keys[j]); found != want && !(found && p.folded) {
					t.Fatalf("%s of %#v: %#v is found: %t", name, own, valueOf[R, V](other), found)
				}
			}
		}
		if p.order == nil || null {
			continue
		}
		got, err := all.Filter(v.Lt(own)).All(ctx)
		if p.apart && err != nil && declined(err) {
			continue
		}
		require.NoError(t, err, "Lt")
		for j, other := range rows {
			is := !isNull(valueOf[R, V](other)) && p.order(valueOf[R, V](other), own) < 0
			if found := slices.Contains(ids(got), keys[j]); found != is {
				t.Fatalf("Lt of %#v: %#v is found: %t", own, valueOf[R, V](other), found)
			}
		}
	}
	if p.order == nil || len(rows) == 0 {
		return
	}
	got, err := all.Exclude(v.IsNull()).OrderBy("v").All(ctx)
	if p.apart && err != nil && declined(err) {
		return
	}
	require.NoError(t, err, "OrderBy")
	for i := 1; i < len(got); i++ {
		if a, b := valueOf[R, V](got[i-1]), valueOf[R, V](got[i]); p.order(a, b) > 0 && !sortedAlike(server, a, b) {
			t.Fatalf("OrderBy: %#v stands before %#v", a, b)
		}
	}
	if len(got) == 0 {
		return
	}
	last := valueOf[R, V](got[len(got)-1])
	greatest, err := orm.Aggregate[V](ctx, all, query.Max(v))
	if err != nil && declined(err) {
		return
	}
	require.NoError(t, err, "Max")
	if !p.same(last, greatest) && !sortedAlike(server, last, greatest) {
		t.Fatalf("Max: %#v, and OrderBy ends with %#v", greatest, last)
	}
}

// declined reports whether a comparison was refused before it was sent.
func declined(err error) bool {
	var ve *query.ValueError
	return errors.As(err, &ve) || errors.Is(err, dialect.ErrUnsupported)
}

func isNull(v any) bool {
	switch a := v.(type) {
	case nil:
		return true
	case netip.Addr:
		return !a.IsValid()
	case models.Date:
		return a.IsZero()
	}
	switch r := reflect.ValueOf(v); r.Kind() {
	case reflect.Pointer, reflect.Map, reflect.Slice:
		return r.IsNil()
	case reflect.Struct:
		f := r.FieldByName("Valid")
		return f.IsValid() && !f.Bool()
	}
	return false
}

func ids[R any](rows []*R) []int64 {
	list := make([]int64, len(rows))
	for i, r := range rows {
		list[i] = id(r)
	}
	return list
}

func source(at testdb.Database, params string) dialect.Source {
	dsn := at.DSN
	if params != "" {
		if strings.Contains(dsn, "?") {
			dsn += "&" + params
		} else {
			dsn += "?" + params
		}
	}
	return testdb.Source(at.Engine, dsn)
}

func TestS01_ValuesComeBackOrAreRefused(t *testing.T) { run(t, "") }

// MySQL reads texts in another way by its sql_mode.
func TestS01_ValuesUnderNoBackslashEscapes(t *testing.T) {
	run(t, "sql_mode=%27NO_BACKSLASH_ESCAPES%27", testdb.MySQL, testdb.MariaDB)
}

func TestS01_ValuesUnderANSIQuotes(t *testing.T) {
	run(t, "sql_mode=%27ANSI_QUOTES%27", testdb.MySQL, testdb.MariaDB)
}

func run(t *testing.T, params string, engines ...testdb.Engine) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, at testdb.Database) {
		for i, k := range kinds {
			if len(k.engines) > 0 && !slices.Contains(k.engines, at.Engine) {
				continue
			}
			t.Run(fmt.Sprintf("%02d %s", i, k.name), func(t *testing.T) {
				_, err := at.Admin.ExecContext(t.Context(), "DROP TABLE IF EXISTS cell")
				require.NoError(t, err)
				db, err := orm.Open(t.Context(), source(at, params))
				require.NoError(t, err)
				defer func() { require.NoError(t, db.Close()) }()
				k.run(t, db)
			})
		}
	}, engines...)
}

// sortedAlike reports whether the server sorts by keys in which two texts are the same:
// MariaDB fills those of a short column up with NULs (the trap of rule S44).
func sortedAlike(server dialect.Server, a, b any) bool {
	one, isText := a.(string)
	other, _ := b.(string)
	return isText && server.Engine == dialect.MariaDB && strings.TrimRight(one, "\x00") == strings.TrimRight(other, "\x00")
}
