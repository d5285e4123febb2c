package query

import (
	"errors"
	"strings"
	"unicode/utf8"
)

// Contains holds where e has s in it. Upper and lower case differ. Nothing in s
// is a wildcard.
func (e Expr) Contains(s string) Cond {
	return match{e.node, pattern{anyRun, literal(s), anyRun}, false}
}

// IContains is Contains without regard to upper and lower case.
func (e Expr) IContains(s string) Cond {
	return match{e.node, pattern{anyRun, literal(s), anyRun}, true}
}

// StartsWith holds where e begins with s, in the same case of letters.
func (e Expr) StartsWith(s string) Cond { return match{e.node, pattern{literal(s), anyRun}, false} }

// EndsWith holds where e ends with s, in the same case of letters.
func (e Expr) EndsWith(s string) Cond { return match{e.node, pattern{anyRun, literal(s)}, false} }

// Like holds where e matches a pattern in which % stands for any run of
// characters, _ for any one, and \ takes its meaning from the character behind
// it. Upper and lower case differ, on every engine.
func (e Expr) Like(pattern string) Cond { return match{e.node, parsePattern(pattern), false} }

type wildcard int

const (
	anyRun wildcard = iota
	anyOne
)

type literal string

// pattern is a sequence of wildcards and literals.
type pattern []any

func parsePattern(s string) pattern {
	var p pattern
	var lit strings.Builder
	flush := func() {
		if lit.Len() > 0 {
			p = append(p, literal(lit.String()))
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

var (
	likeEscaper = strings.NewReplacer("!", "!!", "%", "!%", "_", "!_")
	globEscaper = strings.NewReplacer("*", "[*]", "?", "[?]", "[", "[[]")
)

// like spells the pattern for LIKE … ESCAPE '!'. The escape character is not
// the usual \, which MySQL reads in one way or the other by its sql_mode.
func (p pattern) like() string { return p.spell("%", "_", likeEscaper) }

// glob spells the pattern for SQLite's GLOB.
func (p pattern) glob() string { return p.spell("*", "?", globEscaper) }

func (p pattern) spell(run, one string, escaper *strings.Replacer) string {
	var sb strings.Builder
	for _, part := range p {
		switch part := part.(type) {
		case literal:
			sb.WriteString(escaper.Replace(string(part)))
		case wildcard:
			if part == anyRun {
				sb.WriteString(run)
			} else {
				sb.WriteString(one)
			}
		}
	}
	return sb.String()
}

// check refuses what would match other rows than it says: GLOB takes a NUL for
// the end of the pattern, and MySQL's LOWER makes nothing of invalid text, so
// that either is left with a pattern for every row.
func (p pattern) check(glob, fold bool) error {
	for _, part := range p {
		lit, ok := part.(literal)
		switch {
		case !ok:
		case glob && strings.IndexByte(string(lit), 0) >= 0:
			return &ValueError{Type: "string", Reason: "holds a NUL, at which SQLite's patterns end"}
		case fold && !utf8.ValidString(string(lit)):
			return &ValueError{Type: "string", Reason: "is no valid UTF-8 and has no lower case"}
		}
	}
	return nil
}

type match struct {
	left    node
	pattern pattern
	fold    bool
}

func (n match) condition() node { return n }

func (n match) write(w *writer) kind {
	fold := func(write func()) {
		if n.fold {
			w.string("LOWER(")
		}
		write()
		if n.fold {
			w.byte(')')
		}
	}
	var k kind
	fold(func() { k = w.writeNode(n.left) })
	if !k.fits(text) {
		w.fail(errors.New("a pattern needs text, and this is " + k.class.String()))
	}
	if err := n.pattern.check(w.glob, n.fold); err != nil {
		w.fail(err)
	}
	if w.glob {
		w.string(" GLOB ")
		fold(func() { w.bind(n.pattern.glob()) })
		return kind{class: boolean}
	}
	w.string(" LIKE ")
	fold(func() { w.bind(n.pattern.like()) })
	w.string(w.exact)
	w.string(" ESCAPE '!'")
	return kind{class: boolean}
}
