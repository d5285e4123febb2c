package queries

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/holdfast-go/holdfast/query"
)

// expr draws an expression of a kind.
func (g *gen) expr(s *scope, k kind, depth int) expr {
	if depth > 0 {
		if s.rows != nil && g.maybe(2) && k != truth {
			return g.aggregate(s, k, depth)
		}
		switch g.n(6) {
		case 1:
			return g.chosen(s, k, depth)
		case 2:
			if e, ok := g.ofRelated(s, k, depth); ok && !s.flat {
				return e
			}
		case 3:
			if k != truth && !s.flat {
				return g.scalar(s, k, depth)
			}
		case 4, 5:
			return g.calculated(s, k, depth)
		}
	}
	return g.leaf(s, k)
}

// leaf is a column, of the row or of the one around it, or a value.
func (g *gen) leaf(s *scope, k kind) expr {
	own := s.of(k)
	if s.outer != nil {
		around := slices.DeleteFunc(s.outer.of(k), func(c named) bool { return c.put })
		if len(around) > 0 && g.maybe(4) {
			return choose(g, around).fromWithin()
		}
	}
	if s.rows != nil && len(own) == 0 && k != truth {
		return g.aggregate(s, k, 0)
	}
	if len(own) > 0 && !g.maybe(8) {
		return choose(g, own).expr()
	}
	v := g.constant(k)
	return expr{query.Value(v), k, func(*env) value { return v }, fmt.Sprintf("Value(%#v)", v)}
}

func (g *gen) calculated(s *scope, k kind, depth int) expr {
	a := g.expr(s, k, depth-1)
	two := func(name string, b expr, q query.Expr, f func(list []value) value) expr {
		return expr{q, k, func(e *env) value { return known(f, a.eval(e), b.eval(e)) }, a.text + "." + name + "(" + b.text + ")"}
	}
	switch k {
	case text:
		if own := s.of(text); len(own) > 0 && g.maybe(3) {
			a = choose(g, own).expr()
			return expr{query.Upper(a), k, func(e *env) value {
				return known(func(l []value) value { return strings.ToUpper(l[0].(string)) }, a.eval(e))
			}, "Upper(" + a.text + ")"}
		}
		b := g.leaf(s, k)
		return two("Concat", b, query.Concat(a, b), func(l []value) value { return l[0].(string) + l[1].(string) })
	case floating:
		by := g.constant(k)
		return expr{a.Mul(by), k, func(e *env) value {
			return known(func(l []value) value { return l[0].(float64) * by.(float64) }, a.eval(e))
		},
			fmt.Sprintf("%s.Mul(%v)", a.text, by)}
	case truth:
		return g.chosen(s, k, depth)
	}
	b := g.leaf(s, k)
	number := func(f func(a, b int64) int64) func([]value) value {
		return func(l []value) value { return f(l[0].(int64), l[1].(int64)) }
	}
	switch g.n(8) {
	case 0:
		return two("Add", b, a.Add(b), number(func(a, b int64) int64 { return a + b }))
	case 1:
		return two("Sub", b, a.Sub(b), number(func(a, b int64) int64 { return a - b }))
	case 2:
		return two("Mul", b, a.Mul(b), number(func(a, b int64) int64 { return a * b }))
	case 3, 4:
		by := int64(2 + g.n(2))
		if g.maybe(2) {
			return expr{a.Div(by), k, func(e *env) value { return known(func(l []value) value { return l[0].(int64) / by }, a.eval(e)) }, fmt.Sprintf("%s.Div(%d)", a.text, by)}
		}
		return expr{a.Mod(by), k, func(e *env) value { return known(func(l []value) value { return l[0].(int64) % by }, a.eval(e)) }, fmt.Sprintf("%s.Mod(%d)", a.text, by)}
	case 5:
		if own := s.of(k); len(own) > 0 { // by what may be zero
			b = choose(g, own).expr()
			return two("Div", b, a.Div(b), func(l []value) value {
				if l[1].(int64) == 0 {
					return nil
				}
				return l[0].(int64) / l[1].(int64)
			})
		}
	case 6:
		t := g.leaf(s, text)
		return expr{query.Length(t), k, func(e *env) value {
			return known(func(l []value) value { return int64(utf8.RuneCountInString(l[0].(string))) }, t.eval(e))
		}, "Length(" + t.text + ")"}
	}
	return expr{query.Abs(a), k, func(e *env) value {
		return known(func(l []value) value { return max(l[0].(int64), -l[0].(int64)) }, a.eval(e))
	}, "Abs(" + a.text + ")"}
}

// chosen is one of several values.
func (g *gen) chosen(s *scope, k kind, depth int) expr {
	a, b := g.expr(s, k, depth-1), g.leaf(s, k)
	if k == truth {
		c := g.cond(s, depth-1)
		return expr{query.Case().When(c, a).Else(b), k, func(e *env) value {
			if c.eval(e) {
				return a.eval(e)
			}
			return b.eval(e)
		}, fmt.Sprintf("Case().When(%s, %s).Else(%s)", c.text, a.text, b.text)}
	}
	greatest := func(sign int) func(*env) value {
		return func(e *env) value {
			return known(func(l []value) value {
				if sign*compare(l[0], l[1]) > 0 {
					return l[0]
				}
				return l[1]
			}, a.eval(e), b.eval(e))
		}
	}
	switch g.n(6) {
	case 0:
		return expr{query.Coalesce(a, b), k, func(e *env) value {
			if v := a.eval(e); v != nil {
				return v
			}
			return b.eval(e)
		}, "Coalesce(" + a.text + ", " + b.text + ")"}
	case 1:
		v := g.constant(k)
		return expr{query.NullIf(a, v), k, func(e *env) value {
			if got := a.eval(e); !equal(got, v) {
				return got
			}
			return nil
		}, fmt.Sprintf("NullIf(%s, %#v)", a.text, v)}
	case 2:
		return expr{query.Greatest(a, b), k, greatest(1), "Greatest(" + a.text + ", " + b.text + ")"}
	case 3:
		return expr{query.Least(a, b), k, greatest(-1), "Least(" + a.text + ", " + b.text + ")"}
	}
	c, v := g.cond(s, depth-1), g.constant(k)
	q := query.Case().When(c, v).When(b.IsNull(), a)
	said := fmt.Sprintf("Case().When(%s, %#v).When(%s.IsNull(), %s)", c.text, v, b.text, a.text)
	otherwise := expr{eval: func(*env) value { return nil }}
	result := q.Expr
	if g.maybe(2) {
		otherwise = b
		result, said = q.Else(b), said+".Else("+b.text+")"
	}
	return expr{result, k, func(e *env) value {
		switch {
		case c.eval(e):
			return v
		case b.eval(e) == nil:
			return a.eval(e)
		}
		return otherwise.eval(e)
	}, said}
}
