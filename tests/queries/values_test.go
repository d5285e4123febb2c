package queries

import (
	"context"
	"slices"

	"github.com/holdfast-go/holdfast/internal/render"
	"github.com/holdfast-go/holdfast/orm"
	"github.com/holdfast-go/holdfast/query"
)

// signatures are the kinds that a result can have, and how it is read.
var signatures = map[string]func(context.Context, query.Query) ([][]value, error){
	"i":   read(func(r struct{ A *int64 }) []value { return []value{at(r.A)} }),
	"s":   read(func(r struct{ A *string }) []value { return []value{at(r.A)} }),
	"f":   read(func(r struct{ A *float64 }) []value { return []value{at(r.A)} }),
	"b":   read(func(r struct{ A *bool }) []value { return []value{at(r.A)} }),
	"ii":  read(func(r struct{ A, B *int64 }) []value { return []value{at(r.A), at(r.B)} }),
	"ss":  read(func(r struct{ A, B *string }) []value { return []value{at(r.A), at(r.B)} }),
	"iii": read(func(r struct{ A, B, C *int64 }) []value { return []value{at(r.A), at(r.B), at(r.C)} }),
	"is": read(func(r struct {
		A *int64
		B *string
	}) []value {
		return []value{at(r.A), at(r.B)}
	}),
	"isf": read(func(r struct {
		A *int64
		B *string
		C *float64
	}) []value {
		return []value{at(r.A), at(r.B), at(r.C)}
	}),
	"iib": read(func(r struct {
		A, B *int64
		C    *bool
	}) []value {
		return []value{at(r.A), at(r.B), at(r.C)}
	}),
}

func read[R any](values func(R) []value) func(context.Context, query.Query) ([][]value, error) {
	return func(ctx context.Context, q query.Query) ([][]value, error) {
		rows, err := orm.Select[R](ctx, q)
		list := make([][]value, len(rows))
		for i, r := range rows {
			list[i] = values(r)
		}
		return list, err
	}
}

// selects draws a query that puts out values.
func selects(g *gen) program {
	names := []string{"i", "s", "f", "b", "ii", "ss", "iii", "is", "isf", "iib"}
	signature := choose(g, names)
	kinds := []kind(signature)
	var q reading
	depth := 3
	if g.plain {
		depth = 1
	}
	if !slices.Contains(kinds, truth) && g.maybe(6) {
		q = g.compound([]string{"a", "b", "c"}[:len(kinds)], kinds, depth-1)
	} else {
		q = g.selection(nil, []string{"a", "b", "c"}[:len(kinds)], kinds, depth)
	}
	return program{q.text, func(ctx context.Context) string {
		got, err := signatures[signature](ctx, q.query)
		sent := sqlOf(g.db, q.query)
		if err != nil {
			return err.Error() + "\n" + sent
		}
		if diff := compareRows(q.rows(nil), q.by, got); diff != "" {
			return diff + sent
		}
		return ""
	}}
}

func sqlOf(db *orm.DB, q query.Query) string {
	models, err := render.NewModels(db.Server(), db.Bun().Dialect())
	if err != nil {
		return err.Error()
	}
	st, _, err := models.Select(q.Tree())
	return statement(st.SQL, st.Args, err)
}
