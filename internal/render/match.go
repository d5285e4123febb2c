package render

import (
	"bytes"
	"strings"
	"unicode/utf8"

	"github.com/holdfast-go/holdfast/internal/ast"
	"github.com/holdfast-go/holdfast/internal/column"
	"github.com/holdfast-go/holdfast/query"
)

var (
	likeEscaper = strings.NewReplacer("!", "!!", "%", "!%", "_", "!_")
	globEscaper = strings.NewReplacer("*", "[*]", "?", "[?]", "[", "[[]")
)

// like spells a pattern for LIKE … ESCAPE '!'. The escape character is not the
// usual \, which MySQL reads in one way or the other by its sql_mode.
func like(p ast.Pattern) string { return spell(p, "%", "_", likeEscaper) }

// glob spells a pattern for SQLite's GLOB.
func glob(p ast.Pattern) string { return spell(p, "*", "?", globEscaper) }

func spell(p ast.Pattern, run, one string, escaper *strings.Replacer) string {
	var sb strings.Builder
	for _, part := range p {
		switch part.Wildcard {
		case ast.AnyRun:
			sb.WriteString(run)
		case ast.AnyOne:
			sb.WriteString(one)
		default:
			sb.WriteString(escaper.Replace(part.Literal))
		}
	}
	return sb.String()
}

// checkPattern refuses what would match other rows than it says: MySQL's LOWER
// makes nothing of invalid text, so that it is left with a pattern for every row.
func checkPattern(p ast.Pattern, fold bool) error {
	for _, part := range p {
		if fold && !utf8.ValidString(part.Literal) {
			return &query.ValueError{Type: "string", Reason: "is no valid UTF-8 and has no lower case"}
		}
	}
	return nil
}

func (w *writer) match(n ast.Match) kind {
	fold := func(write func()) {
		if n.Fold {
			w.string("LOWER(")
		}
		write()
		if n.Fold {
			w.byte(')')
		}
	}
	defer w.besideTexts(someText)()
	var k kind
	start, args := len(w.buf), len(w.args)
	fold(func() {
		at := len(w.buf)
		k = w.asText(w.node(n.Left), at)
	})
	if k.Kind != column.Text && k.Kind != column.Unknown && w.err == nil {
		w.fail(&query.ValueError{Field: k.name(), Type: "string", Reason: "is a pattern, which needs text, and this is " + k.Kind.String()})
	}
	if err := checkPattern(n.Pattern, n.Fold); err != nil {
		w.fail(err)
	}
	if w.glob {
		w.globs(n, start, args)
		return condition
	}
	switch {
	case w.exact == "":
	case bytes.Contains(w.buf[start:], []byte(" COLLATE ")): // one that is not the pattern's
		w.insert(start, "(")
		w.string(")" + w.exact)
	case k.field == nil && w.scope.readsSelects(): // what they put out may have one
		w.insert(start, "CONVERT(")
		w.string(" USING utf8mb4)" + w.exact)
	}
	w.string(" LIKE ")
	fold(func() { w.bind(like(n.Pattern)) })
	w.string(w.exact)
	w.string(" ESCAPE '!'")
	return condition
}
