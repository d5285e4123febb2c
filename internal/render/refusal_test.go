package render_test

import (
	"database/sql"
	"database/sql/driver"
	"encoding/json"
	"errors"
	"net"
	"reflect"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/uptrace/bun"

	"github.com/holdfast-go/holdfast/dialect"
	"github.com/holdfast-go/holdfast/internal/ast"
	"github.com/holdfast-go/holdfast/internal/render"
	"github.com/holdfast-go/holdfast/query"
)

func TestS02_UnknownNamesListTheChoices(t *testing.T) {
	var fe *query.FieldError
	require.ErrorAs(t, whereError(t, query.F("txt").Eq(1)), &fe)
	require.Equal(t, `Audio has no field "txt"; choices are id, created_at, updated_at, project_id, user_id, index, text, speed, path, `+
		`is_audio_required, project`, fe.Error())
	for _, c := range []struct {
		cond   query.Cond
		reason string
	}{
		{query.F("project").Eq(1), "is a relation, not a column; write project.column"},
		{query.F("text.length").Eq(1), "is a column, not a relation"},
		{query.F("project.audio.text").Eq(""), "has many rows and cannot be joined: read them with Prefetch, ask about them with query.Any or query.CountOf"},
		{query.F("project.owner.surname").IsNull(), ""},
		{query.F("nothing").Contains("x"), ""},
		{query.F("nothing").In(), ""},
		{query.Lower(query.F("nothing")).Eq("x"), ""},
	} {
		require.ErrorAs(t, whereError(t, c.cond), &fe)
		require.Equal(t, c.reason, fe.Reason)
	}
}

// Where a name may be that of an output, these are choices too.
func TestS02_OutputsAreChoices(t *testing.T) {
	groups := query.Select(objects[Audio]().group("user_id"), query.F("user_id"), query.Count().As("n")).OrderBy("-m")
	_, _, err := modelsOf(t, engines[0]).Select(groups.Tree())
	require.ErrorContains(t, err, `Audio has no field "m"; choices are id,`)
	require.ErrorContains(t, err, ", project, n")
}

type angry struct{}

func (angry) Value() (driver.Value, error) { return nil, errors.New("no value today") }

func TestValuesThatDoNotFit(t *testing.T) {
	for _, c := range []struct {
		cond query.Cond
		want string
	}{
		{query.F("index").Eq("5"), "Audio.index: a value of type string cannot stand beside an integer"},
		{query.F("text").Eq(5), "Audio.text: a value of type int cannot stand beside text"},
		{query.F("is_audio_required").Eq(1), "Audio.is_audio_required: a value of type int cannot stand beside a boolean"},
		{query.F("updated_at").Gt("2026-01-01"), "Audio.updated_at: a value of type string cannot stand beside a time"},
		{query.F("index").In(1, "2"), "Audio.index: a value of type string cannot stand beside an integer"},
		{query.F("index").Eq(query.F("text")), "Audio.index: a value of type string in Audio.text, text, cannot stand beside an integer"},
		{query.F("index").Lt(nil), "has no place in an order"},
		{query.F("index").Between(1, nil), "has no place in an order"},
		{query.F("index").Add(nil).Eq(1), "cannot be calculated with"},
		{query.F("index").Contains("1"), "Audio.index: a value of type string is a pattern, which needs text, and this is an integer"},
		{query.F("id").Eq(angry{}), "a value of type render_test.angry cannot be bound: its Value method returns an error"},
		{query.F("id").Eq(make(chan int)), "a value of type chan int cannot be stored"},
		{query.F("is_audio_required").Eq(query.F("index").Ge(3)), "Audio.is_audio_required: a value of type query.Cond is a part of a statement and not a value"},
		{query.F("text").In("a", query.And()), "Audio.text: a value of type query.Cond is a part of a statement"},
		{query.F("text").Eq(query.Set("text", "")), "a value of type query.Assignment is a part of a statement"},
		{query.F("text").Eq(query.OrderBy("text")), "a value of type query.Order is a part of a statement"},
		{query.Value(query.OrderBy("text")).Eq(1), "a value of type query.Order is a part of a statement"},
		{query.F("id").Eq(bun.List([]int{1, 2})), "is a part of a statement"},
		{query.Raw("? OR ?", query.F("index").Eq(1), true), "a value of type query.Cond is a part of a statement"},
		{query.Raw("id NOT IN (?)", bun.List([]int{1, 2})), "is a part of a statement"},
		{query.Raw("id NOT IN (?)", []int{1, 2}), "a value of type []int is a list, which one ? does not stand for"},
		{query.Raw("id NOT IN (?)", &[2]int64{1, 2}), "a value of type *[2]int64 is a list"},
		{query.Expr{}.Eq(1), "an expression is empty"},
		{query.TypedColumn[Audio, int]{}.Eq(1), "an expression is empty"},
		{query.Lower(nil).Eq("x"), "an expression is empty"},
		{query.Lower(query.Expr{}).Eq("x"), "an expression is empty"},
		{query.Sum(nil).Eq(1), "use orm.Aggregate"},
		{query.And(nil), "a condition is nil"},
		{query.Not(nil), "a condition is nil"},
		{query.Raw("? = ?", 1), "Raw has 2 placeholders and 1 values"},
		{query.Raw("'?' = 1", 1), "Raw has 0 placeholders and 1 values"},
	} {
		require.ErrorContains(t, whereError(t, c.cond), c.want)
	}
}

type (
	otherKey struct {
		ID string `bun:",pk"`
	}
	plainKey struct {
		ID int64 `bun:",pk,autoincrement"`
	}
	twoKeys struct {
		plainKey
		otherKey
	}
	twoNames struct {
		ID    int64 `bun:",pk"`
		Name  string
		Label string `bun:"name"`
	}
	ownName struct {
		plainKey
		ID int64 `bun:",pk"`
	}
	prefixed struct {
		ID   int64    `bun:",pk"`
		Home plainKey `bun:"embed:home_"`
		Work plainKey `bun:"embed:work_"`
	}
	Recursive struct {
		ID int64 `bun:",pk"`
		*Recursive
	}
	own struct {
		ID     int64 `bun:",pk"`
		Parent *own  `bun:"embed:parent_"`
	}
	pointed  struct{ *mistaken }
	mistaken struct {
		ID int64 `bun:",pk,autoincremental"`
	}
	mail struct {
		ID int64 `bun:",pk"`
	}
	box struct {
		ID    int64   `bun:",pk"`
		Mails []*mail `bun:"rel:has-many"`
	}
	letter struct {
		ID  int64 `bun:",pk"`
		Box *mail `bun:"rel:belongs-to"`
	}
	profile struct {
		ID   int64 `bun:",pk"`
		User *mail `bun:"rel:has-one,join:id=id"`
	}
)

// What bun passes over without a word: a field that is not stored, a relation that has
// no column.
func TestS02_ModelsThatAreNotWhatTheySay(t *testing.T) {
	for _, s := range engines {
		models, err := render.NewModels(s, schemaOf(s.Engine))
		require.NoError(t, err)
		for of, want := range map[reflect.Type]string{
			reflect.TypeFor[twoKeys]():  "plainKey.ID: another field has the same column",
			reflect.TypeFor[twoNames](): "another field has the same column",
			reflect.TypeFor[box]():      "field Mails: no column refers to the other table",
			reflect.TypeFor[letter]():   "field Box: no column refers to the other table",
			reflect.TypeFor[ownName]():  "", reflect.TypeFor[prefixed](): "", reflect.TypeFor[profile](): "", reflect.TypeFor[Recursive](): "",
			reflect.TypeFor[own](): "Parent: it stands in itself", reflect.TypeFor[pointed](): `the option "autoincremental"`,
		} {
			_, err := models.Of(of)
			if want == "" {
				require.NoError(t, err, of)
			} else {
				require.ErrorContains(t, err, want, of)
			}
		}
	}
}

func TestModelsThatCannotWork(t *testing.T) {
	models, err := render.NewModels(engines[0], schemaOf(engines[0].Engine))
	require.NoError(t, err)
	_, err = models.Of(reflect.TypeFor[struct{}]())
	require.ErrorContains(t, err, "has no columns")
	_, err = models.Of(reflect.TypeFor[time.Duration]())
	require.ErrorContains(t, err, "a model is a struct")
	server := engines[0]
	server.Engine = "oracle"
	_, err = render.NewModels(server, schemaOf(""))
	require.ErrorContains(t, err, `unknown engine "oracle"`)
}

func TestS03_TypedColumns(t *testing.T) {
	var (
		updated = query.Column(func(a *Audio) *time.Time { return &a.UpdatedAt })
		created = query.Column(func(a *Audio) *time.Time { return &a.CreatedAt })
		path    = query.Column(func(a *Audio) **string { return &a.Path })
		project = query.Column(func(a *Audio) *string { return &a.Project.Name })
		owner   = query.Column(func(a *Audio) *string { return &a.Project.Owner.Name })
		index   = query.Column(func(a *Audio) *int { return &a.Index })
	)
	sql, args := where(t, engines[3], updated.Gt(noon), created.Between(noon, noon), path.IsNull(), project.In("a", "b"), owner.Ne("x"),
		index.Expr().Add(1).Eq(index))
	require.Equal(t, `SELECT COUNT(*) FROM "audio" INNER JOIN "project" AS "project" ON "project"."id" = "audio"."project_id" `+
		`LEFT JOIN "owners" AS "project__owner" ON "project__owner"."id" = "project"."owner_id" `+
		`WHERE "audio"."updated_at" > ? AND ("audio"."created_at" >= ? AND "audio"."created_at" <= ?) AND "audio"."path" IS NULL `+
		`AND "project"."name" IN (?, ?) AND ("project__owner"."name" <> ?) IS NOT FALSE AND `+checked(`("audio"."index" + ?)`)+` = "audio"."index"`, sql)
	require.Len(t, args, 7)

	elsewhere := 5
	for want, bad := range map[string]query.Cond{
		"does not return the address of one of its fields": query.Column(func(*Audio) *int { return &elsewhere }).Eq(1),
		"returns nil":                   query.Column(func(*Audio) *int { return nil }).Eq(1),
		"panics":                        query.Column(func(*Audio) *int { panic("x") }).Eq(1),
		"a column of render_test.Owner": query.Column(func(o *Owner) *string { return &o.Name }).Eq(""),
		"is no column of Audio":         query.Column(func(a *Audio) **Project { return &a.Project }).IsNull(),
		"a model is a struct, not int":  query.Column(func(n *int) *int { return n }).Eq(1),
	} {
		require.ErrorContains(t, whereError(t, bad), want)
	}
}

func TestBind(t *testing.T) {
	type name string
	type point struct{ X, Y int }
	five := int16(5)
	for _, c := range []struct{ in, out any }{
		{nil, nil}, {five, int64(5)}, {&five, int64(5)}, {uint64(1 << 63), uint64(1 << 63)}, {uint8(3), int64(3)},
		{name("x"), "x"}, {point{1, 2}, `{"X":1,"Y":2}`}, {map[string]int(nil), nil}, {[]string{"a"}, `["a"]`},
		{(*point)(nil), nil}, {[]byte(nil), nil}, {[]byte{1}, []byte{1}}, {[2]byte{1, 2}, []byte{1, 2}}, {float32(0.5), 0.5},
		{noon, noon.UTC().Truncate(time.Microsecond)},
	} {
		out, err := render.Bind(c.in)
		require.NoError(t, err)
		require.Equal(t, c.out, out, "%T", c.in)
	}
}

func TestPatternsThatWouldMatchEveryRow(t *testing.T) {
	for _, s := range engines {
		render := func(c query.Cond) error {
			_, err := modelOf[Audio](t, s).Count(&ast.Select{Where: nodes([]query.Cond{c})})
			return err
		}
		var ve *query.ValueError
		for _, c := range []query.Cond{
			query.F("text").Like("a%\x00_"), query.F("text").Like("_\x00"),
		} {
			if err := render(c); s.Engine == dialect.SQLite {
				require.ErrorAs(t, err, &ve)
				require.ErrorContains(t, err, "NUL")
			} else {
				require.NoError(t, err)
			}
		}
		require.ErrorAs(t, render(query.F("text").IContains("\xff")), &ve)
		require.NoError(t, render(query.F("text").IContains("한국어")))
	}
}

func TestBindArgument(t *testing.T) {
	type document map[string]any
	at := bun.NullTime{Time: noon}
	for _, c := range []struct{ in, out any }{
		{nil, nil}, {5, int64(5)}, {[]byte{1}, []byte{1}}, {[2]byte{1, 2}, []byte{1, 2}}, {json.RawMessage(`[1]`), `[1]`},
		{net.IPv4(1, 2, 3, 4), "1.2.3.4"}, {document{"a": 1}, `{"a":1}`}, {at, noon.UTC().Truncate(time.Microsecond)},
		{sql.Named("n", 5), sql.Named("n", int64(5))},
	} {
		out, err := render.BindArgument(c.in)
		require.NoError(t, err)
		require.Equal(t, c.out, out, "%T", c.in)
	}
	_, err := render.BindArgument(sql.Named("n", []string{"a"}))
	var ve *query.ValueError
	require.ErrorAs(t, err, &ve)
	require.Equal(t, "[]string", ve.Type)
}

type ticket struct {
	ID      int64 `bun:",pk"`
	OwnerID string
	Owner   *Owner `bun:"rel:belongs-to,join:owner_id=id"`
}

func TestS10_RelationsBetweenColumnsOfOtherClasses(t *testing.T) {
	for _, s := range engines {
		_, _, err := modelOf[ticket](t, s).Rows(&ast.Select{Related: []string{"owner"}})
		var ve *query.ValueError
		require.ErrorAs(t, err, &ve)
		require.EqualError(t, err, "Ticket.owner_id: a value of type int64 in Owner.id, an integer, cannot stand beside text")
	}
}
