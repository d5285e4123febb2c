package render

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/holdfast-go/holdfast/dialect"
	"github.com/holdfast-go/holdfast/internal/ast"
	"github.com/holdfast-go/holdfast/internal/column"
	"github.com/holdfast-go/holdfast/query"
)

// What the servers agree about they share: without an argument too many of
// which one of them makes something else (rule S53).
var (
	length     = form{mysql: "CHAR_LENGTH(@1)", postgres: "char_length(@1)", sqlite: "length(@1)"}
	substring  = form{mysql: "SUBSTRING(@1, @2, @3)", postgres: "substr(@1, @2, @3)", sqlite: "substr(@1, @2, @3)"}
	rest       = form{mysql: "SUBSTRING(@1, @2)", postgres: "substr(@1, @2)", sqlite: "substr(@1, @2)"}
	ending     = form{mysql: "RIGHT(@1, @2)", postgres: "right(@1, @2)", sqlite: "substr(@1, -@2)"}
	beginning  = form{mysql: "LEFT(@1, @2)", postgres: "left(@1, @2)", sqlite: "substr(@1, 1, @2)"}
	trimBoth   = form{mysql: "TRIM(BOTH @2 FROM @1)", postgres: "btrim(@1, @2)", sqlite: "trim(@1, @2)"}
	trimLeft   = form{mysql: "TRIM(LEADING @2 FROM @1)", postgres: "ltrim(@1, @2)", sqlite: "ltrim(@1, @2)"}
	trimRight  = form{mysql: "TRIM(TRAILING @2 FROM @1)", postgres: "rtrim(@1, @2)", sqlite: "rtrim(@1, @2)"}
	trimMany   = form{mysql: "REGEXP_REPLACE(@1, @2, '')"} // MySQL's TRIM takes a text for one, and no set
	setBoth    = form{mariadb: "SUBSTRING(@1, CHAR_LENGTH(@1) - CHAR_LENGTH(TRIM(LEADING @3 FROM @2)) + 1, CHAR_LENGTH(TRIM(BOTH @3 FROM @2)))"}
	setLeft    = form{mariadb: "SUBSTRING(@1, CHAR_LENGTH(@1) - CHAR_LENGTH(TRIM(LEADING @3 FROM @2)) + 1)"}
	setRight   = form{mariadb: "LEFT(@1, CHAR_LENGTH(TRIM(TRAILING @3 FROM @2)))"}
	replaceAll = same("REPLACE(@1, @2, @3)")
)

var someText = of(column.Text)

// textOf writes an argument that has to be text.
func (w *writer) textOf(v any) (kind, part) {
	return w.part(func() kind {
		constant, isValue := v.(ast.Value)
		if isValue {
			v = constant.V
		}
		n, isNode := v.(ast.Node)
		if isNode {
			defer w.besideTexts(someText)()
			at := len(w.buf)
			k := w.asText(w.node(n), at)
			if k.Kind != column.Text && k.Kind != column.Unknown && w.err == nil {
				w.fail(&query.ValueError{Field: k.name(), Type: "query.Expr", Reason: "that is " + k.Kind.String() + " is no text: make it one with Cast"})
			}
			return kind{Type: k.Type}
		}
		bound := w.prepare(someText, v)
		s, _ := bound.(string)
		switch {
		case w.err != nil:
		case bound == nil:
			w.fail(&query.ValueError{Type: "nil", Reason: "is no text"})
		case !utf8.ValidString(s):
			w.fail(&query.ValueError{Type: typeName(v), Reason: "is no valid UTF-8"})
		}
		k := w.literal(someText, bound)
		if isValue {
			w.byItself(k)
		}
		return k
	})
}

func (w *writer) concat(n ast.Concat) kind {
	parts, constants := make([]part, len(n.Of)), 0
	for i, v := range n.Of {
		_, parts[i] = w.textOf(v)
		if _, isNode := v.(ast.Node); !isNode {
			constants++
		}
	}
	between := " || "
	if isMySQL(w.server.Engine) {
		between = ", "
		w.string("CONCAT")
	}
	w.byte('(')
	for i, p := range parts {
		if i > 0 {
			w.string(between)
		}
		w.put(p)
	}
	w.byte(')')
	if constants == len(n.Of) {
		w.byItself(someText)
	}
	return someText
}

func (w *writer) length(n ast.Length) kind {
	_, p := w.textOf(n.Of)
	w.fill(length.of(w), p)
	return wholeNumber
}

func (w *writer) substr(n ast.Substr) kind {
	switch {
	case n.Start == 0:
		w.fail(&query.ValueError{Type: "int", Reason: "is no position in a text: the first character is 1, the last -1"})
	case !n.ToEnd && n.Length < 0:
		w.fail(&query.ValueError{Type: "int", Reason: "is no length of a text: it is negative"})
	case max(n.Start, -n.Start, n.Length) > 1<<31-1:
		w.fail(&query.ValueError{Type: "int", Reason: "is no position in a text: it has more than 31 bits"})
	}
	k, p := w.textOf(n.Of)
	number := func(n int) part { return part{sql: strconv.Itoa(n)} }
	switch {
	case n.Start > 0 && n.ToEnd:
		w.fill(rest.of(w), p, number(n.Start))
	case n.Start > 0:
		w.fill(substring.of(w), p, number(n.Start), number(n.Length))
	default:
		start, args := len(w.buf), len(w.args)
		w.fill(ending.of(w), p, number(-n.Start))
		if !n.ToEnd {
			w.fill(beginning.of(w), w.take(start, args), number(n.Length))
		}
	}
	return kind{Type: column.Type{Kind: column.Text, Charset: k.Charset}}
}

func (w *writer) trim(n ast.Trim) kind {
	if n.Set == "" || !utf8.ValidString(n.Set) {
		w.fail(&query.ValueError{Type: "string", Reason: "is no set of characters to trim: it is empty, or no valid UTF-8"})
		return kind{}
	}
	k, p := w.textOf(n.Of)
	result := kind{Type: column.Type{Kind: column.Text, Charset: k.Charset}}
	many := utf8.RuneCountInString(n.Set) > 1
	switch {
	case many && w.server.Engine == dialect.MariaDB:
		w.trimSet(n, p)
	case many && w.server.Engine == dialect.MySQL:
		w.fill(trimMany.of(w), p, w.constant(trimPattern(n)))
	case n.Left && n.Right:
		w.fill(trimBoth.of(w), p, w.constant(n.Set))
	case n.Left:
		w.fill(trimLeft.of(w), p, w.constant(n.Set))
	default:
		w.fill(trimRight.of(w), p, w.constant(n.Set))
	}
	return result
}

// trimSet counts what MariaDB would trim if all characters of the set were the
// first of them. Its regular expressions see a question mark for every character
// beyond U+FFFF before 10.11.
func (w *writer) trimSet(n ast.Trim, text part) {
	set := []rune(n.Set)
	first := string(set[0])
	alike := text
	for _, r := range set[1:] {
		start, args := len(w.buf), len(w.args)
		w.fill(replaceAll.of(w), alike, w.constant(string(r)), w.constant(first))
		alike = w.take(start, args)
	}
	form := setRight
	switch {
	case n.Left && n.Right:
		form = setBoth
	case n.Left:
		form = setLeft
	}
	w.fill(form.of(w), text, alike, w.constant(first))
}

// trimPattern is a regular expression of MySQL's; each character is written as its
// number.
func trimPattern(n ast.Trim) string {
	var set strings.Builder
	for _, r := range n.Set {
		fmt.Fprintf(&set, `\x{%X}`, r)
	}
	pattern := "(?-i)"
	if n.Left {
		pattern += `\A[` + set.String() + `]+`
	}
	if n.Left && n.Right {
		pattern += "|"
	}
	if n.Right {
		pattern += `[` + set.String() + `]+\z`
	}
	return pattern
}

func (w *writer) replace(n ast.Replace) kind {
	_, p := w.textOf(n.Of)
	_, old := w.textOf(n.Old)
	_, text := w.textOf(n.New)
	w.fill(replaceAll.of(w), p, old, text)
	return someText
}
