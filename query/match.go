package query

import (
	"strings"

	"github.com/holdfast-go/holdfast/internal/ast"
)

var (
	anyRun = ast.Part{Wildcard: ast.AnyRun}
	anyOne = ast.Part{Wildcard: ast.AnyOne}
)

// Contains holds where e has s in it. Upper and lower case differ. Nothing in s
// is a wildcard.
func (e Expr) Contains(s string) Cond { return e.match(anyRun, ast.Literal(s), anyRun) }

// IContains is Contains without regard to upper and lower case.
func (e Expr) IContains(s string) Cond {
	return cond{ast.Match{Left: e.node, Pattern: ast.Pattern{anyRun, ast.Literal(s), anyRun}, Fold: true}}
}

// StartsWith holds where e begins with s, in the same case of letters.
func (e Expr) StartsWith(s string) Cond { return e.match(ast.Literal(s), anyRun) }

// EndsWith holds where e ends with s, in the same case of letters.
func (e Expr) EndsWith(s string) Cond { return e.match(anyRun, ast.Literal(s)) }

// Like holds where e matches a pattern in which % stands for any run of
// characters, _ for any one, and \ takes its meaning from the character behind
// it. Upper and lower case differ, on every engine.
func (e Expr) Like(pattern string) Cond { return e.match(parsePattern(pattern)...) }

func (e Expr) match(parts ...ast.Part) Cond {
	return cond{ast.Match{Left: e.node, Pattern: parts}}
}

func parsePattern(s string) ast.Pattern {
	var p ast.Pattern
	var lit strings.Builder
	flush := func() {
		if lit.Len() > 0 {
			p = append(p, ast.Literal(lit.String()))
			lit.Reset()
		}
	}
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '\\' && i+1 < len(s):
			i++
			lit.WriteByte(s[i])
		case c == '%':
			flush()
			p = append(p, anyRun)
		case c == '_':
			flush()
			p = append(p, anyOne)
		default:
			lit.WriteByte(c)
		}
	}
	flush()
	return p
}
