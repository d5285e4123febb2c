package query_test

import (
	"errors"
	"fmt"
	"reflect"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/internal/ast"
	"github.com/holdfast-go/holdfast/query"
)

type owner struct{ Name string }

type song struct {
	ID    int64
	Plays int
	Owner *owner
}

var (
	plays     = query.Column(func(s *song) *int { return &s.Plays })
	ownerName = query.Column(func(s *song) *string { return &s.Owner.Name })
)

func TestEveryExpressionIsItsNode(t *testing.T) {
	x, member := ast.Column{Path: "x"}, plays.Node()
	for _, c := range []struct {
		expr query.Operand
		want ast.Node
	}{
		{query.F("x"), x},
		{query.Value(5), ast.Value{V: 5}},
		{query.Now(), ast.Now{}},
		{query.F("x").Add(1), ast.Arithmetic{Left: x, Op: ast.Add, Right: 1}},
		{query.F("x").Sub(query.F("x")), ast.Arithmetic{Left: x, Op: ast.Sub, Right: x}},
		{plays.Expr().Mul(2), ast.Arithmetic{Left: member, Op: ast.Mul, Right: 2}},
		{query.Lower(query.F("x")), ast.Call{Func: ast.Lower, Args: []ast.Node{x}}},
		{query.Upper(plays), ast.Call{Func: ast.Upper, Args: []ast.Node{member}}},
		{query.Coalesce(query.F("x"), nil, query.Expr{}), ast.Call{Func: ast.Coalesce, Args: []ast.Node{x, ast.Missing{}, ast.Missing{}}}},
		{query.Count(), ast.Aggregate{Func: ast.Count}},
		{query.Count(query.F("x")), ast.Aggregate{Func: ast.Count, Of: x}},
		{query.CountDistinct(plays), ast.Aggregate{Func: ast.Count, Distinct: true, Of: member}},
		{query.Sum(query.F("x")), ast.Aggregate{Func: ast.Sum, Of: x}},
		{query.Min(query.F("x")), ast.Aggregate{Func: ast.Min, Of: x}},
		{query.Max(query.F("x")), ast.Aggregate{Func: ast.Max, Of: x}},
		{query.Avg(nil), ast.Aggregate{Func: ast.Avg, Of: ast.Missing{}}},
		{query.Raw("? + ?", query.F("x"), 1), ast.Raw{SQL: "? + ?", Args: []any{x, 1}}},
		{query.TypedColumn[song, int]{}, nil},
		{query.Expr{}, nil},
	} {
		require.Equal(t, c.want, c.expr.Node())
	}
}

func TestEveryConditionIsItsNode(t *testing.T) {
	F := query.F
	x, member := ast.Column{Path: "x"}, plays.Node()
	run, one := ast.Part{Wildcard: ast.AnyRun}, ast.Part{Wildcard: ast.AnyOne}
	compared := func(left ast.Node, op ast.Op, right any) ast.Node {
		return ast.Comparison{Left: left, Op: op, Right: right}
	}
	match := func(parts ...ast.Part) ast.Node { return ast.Match{Left: x, Pattern: parts} }
	for _, c := range []struct {
		cond query.Cond
		want ast.Node
	}{
		{F("x").Eq(1), compared(x, ast.Eq, 1)}, {plays.Eq(1), compared(member, ast.Eq, 1)},
		{F("x").Ne(1), compared(x, ast.Ne, 1)}, {plays.Ne(1), compared(member, ast.Ne, 1)},
		{F("x").Lt(1), compared(x, ast.Lt, 1)}, {plays.Lt(1), compared(member, ast.Lt, 1)},
		{F("x").Le(1), compared(x, ast.Le, 1)}, {plays.Le(1), compared(member, ast.Le, 1)},
		{F("x").Gt(1), compared(x, ast.Gt, 1)}, {plays.Gt(1), compared(member, ast.Gt, 1)},
		{F("x").Ge(1), compared(x, ast.Ge, 1)}, {plays.Ge(1), compared(member, ast.Ge, 1)},
		{F("x").IsNull(), compared(x, ast.Eq, nil)}, {plays.IsNull(), compared(member, ast.Eq, nil)},
		{F("x").IsNotNull(), compared(x, ast.Ne, nil)}, {plays.IsNotNull(), compared(member, ast.Ne, nil)},
		{F("x").Eq(plays), compared(x, ast.Eq, member)},
		{F("x").Eq(query.Expr{}), compared(x, ast.Eq, ast.Missing{})},
		{plays.Between(1, 2), ast.And{Of: []ast.Node{compared(member, ast.Ge, 1), compared(member, ast.Le, 2)}}},
		{F("x").In(1, plays, nil), ast.Membership{Left: x, Values: []any{1, member, nil}}},
		{F("x").In([]int{1, 2}), ast.Membership{Left: x, Values: []any{1, 2}}},
		{F("x").In([]byte("ab")), ast.Membership{Left: x, Values: []any{[]byte("ab")}}},
		{F("x").NotIn(), ast.Membership{Left: x, Negate: true}},
		{plays.In(1), ast.Membership{Left: member, Values: []any{1}}},
		{plays.NotIn(1), ast.Membership{Left: member, Values: []any{1}, Negate: true}},
		{F("x").Contains("a"), match(run, ast.Literal("a"), run)},
		{F("x").IContains("a"), ast.Match{Left: x, Pattern: ast.Pattern{run, ast.Literal("a"), run}, Fold: true}},
		{F("x").StartsWith("a"), match(ast.Literal("a"), run)},
		{F("x").EndsWith("a"), match(run, ast.Literal("a"))},
		{F("x").Like(`a\%_%\`), match(ast.Literal("a%"), one, run, ast.Literal(`\`))},
		{query.And(F("x").Eq(1), nil), ast.And{Of: []ast.Node{compared(x, ast.Eq, 1), nil}}},
		{query.Or(F("x").Eq(1)), ast.Or{Of: []ast.Node{compared(x, ast.Eq, 1)}}},
		{query.Not(F("x").Eq(1)), ast.Not{Of: compared(x, ast.Eq, 1)}},
		{query.Not(nil), ast.Not{}},
		{query.Raw("a"), ast.Raw{SQL: "a"}},
		{query.RawExpr{}, nil},
	} {
		require.Equal(t, c.want, c.cond.Condition())
	}
}

func TestOrdersAndAssignments(t *testing.T) {
	x, member := ast.Column{Path: "x"}, plays.Node()
	for _, c := range []struct {
		order query.Order
		want  ast.Order
	}{
		{query.OrderBy("x"), ast.Order{By: x}}, {query.OrderBy("+x"), ast.Order{By: x}}, {query.OrderBy("-x"), ast.Order{By: x, Desc: true}},
		{plays.Asc(), ast.Order{By: member}}, {plays.Desc(), ast.Order{By: member, Desc: true}},
	} {
		require.Equal(t, c.want, c.order.Node())
	}
	for _, c := range []struct {
		set  query.Assignment
		want ast.Assignment
	}{
		{query.Set("x", 1), ast.Assignment{Column: x, Value: 1}},
		{query.Set("x", query.Expr{}), ast.Assignment{Column: x, Value: ast.Missing{}}},
		{plays.Set(1), ast.Assignment{Column: member, Value: 1}},
		{plays.SetExpr(query.F("x")), ast.Assignment{Column: member, Value: x}},
		{query.TypedColumn[song, int]{}.Set(1), ast.Assignment{Value: 1}},
	} {
		require.Equal(t, c.want, c.set.Node())
	}
}

type embedded struct {
	owner
	*song
	Nested struct{ Deep int }
}

func TestColumnFindsTheFieldBehindAnAddress(t *testing.T) {
	require.Equal(t, &ast.Member{Model: reflect.TypeFor[song](), Index: []int{1}}, plays.Node())
	require.Equal(t, &ast.Member{Model: reflect.TypeFor[song](), Path: []string{"Owner"}, Index: []int{0}}, ownerName.Node())
	for want, column := range map[string]query.Operand{
		"[0 0]": query.Column(func(e *embedded) *string { return &e.Name }),
		"[2 0]": query.Column(func(e *embedded) *int { return &e.Nested.Deep }),
	} {
		member := column.Node().(*ast.Member)
		require.NoError(t, member.Err)
		require.Equal(t, want, fmt.Sprint(member.Index))
	}
}

func TestErrorsSayWhatWasMeant(t *testing.T) {
	cause := errors.New("no value today")
	for want, err := range map[string]error{
		`Song has no field "x"; choices are id, plays`: &query.FieldError{Model: "Song", Name: "x", Choices: []string{"id", "plays"}},
		`Song: field "x" is a relation`:                &query.FieldError{Model: "Song", Name: "x", Reason: "is a relation"},
		"a value of type int cannot be stored":         &query.ValueError{Type: "int", Reason: "cannot be stored"},
		"Song.x: a value of type int cannot be bound":  &query.ValueError{Field: "Song.x", Type: "int", Reason: "cannot be bound", Err: cause},
	} {
		require.EqualError(t, err, want)
		var ve *query.ValueError
		if errors.As(err, &ve) && ve.Err != nil {
			require.ErrorIs(t, err, cause)
		}
	}
}
