package render

import (
	"strings"

	"github.com/holdfast-go/holdfast/internal/ast"
	"github.com/holdfast-go/holdfast/internal/column"
	"github.com/holdfast-go/holdfast/query"
)

// Charsets is what the server knows of character sets.
type Charsets interface {
	// Of is the character set of a column, "" if nothing is known of it.
	Of(*Field) string
	// Holds reports whether a character set has all characters of a text.
	Holds(charset, text string) bool
}

// foreign decides a comparison of a text column with a text that its character
// set has no characters for: none equals it. MySQL makes an error of it (1267,
// 1270, 3854), since it would have to turn the text into that character set.
//
// Where no tag names the character set it is taken for utf8mb4, which has all
// characters. If that was wrong, the server says so before it has done anything, and
// the statement is written again.
func (w *writer) foreign(op ast.Op, k kind, bound any) verdict {
	if k.Kind != column.Text || !isMySQL(w.server.Engine) {
		return open
	}
	s, isText := bound.(string)
	if !isText || isASCII(s) {
		return open
	}
	w.doubtful = true
	if k.Charset == "" || w.holds(k.Charset, s) {
		return open
	}
	switch op {
	case ast.Eq:
		return holdsNot
	case ast.Ne:
		return holds
	}
	w.fail(&query.ValueError{Field: k.name(), Type: "string", Reason: "has characters that " + k.Charset + ", the column's character set, has not, so that it has no place in its order"})
	return open
}

// holds reports whether a character set has all characters of s. Of those that are
// not known here the server is asked, or else it is taken for granted.
func (w *writer) holds(charset, s string) bool {
	if has, known := representable(charset, s); known {
		return has
	}
	return w.charsets == nil || w.charsets.Holds(charset, s)
}

func isASCII(s string) bool {
	return strings.IndexFunc(s, func(r rune) bool { return r >= 0x80 }) < 0
}

// representable reports whether a character set of MySQL's has all characters of s.
func representable(charset, s string) (has, known bool) {
	var holds func(rune) bool
	switch charset {
	case "ascii":
		holds = func(r rune) bool { return r < 0x80 }
	case "latin1": // which is cp1252, with the five bytes that it leaves out
		holds = func(r rune) bool {
			return r < 0x100 && (r < 0x80 || r > 0x9f || strings.ContainsRune("\u0081\u008d\u008f\u0090\u009d", r)) || strings.ContainsRune(cp1252, r)
		}
	case "utf8", "utf8mb3", "ucs2":
		holds = func(r rune) bool { return r <= 0xffff }
	case "utf8mb4":
		return true, true
	default:
		return false, false
	}
	return strings.IndexFunc(s, func(r rune) bool { return !holds(r) }) < 0, true
}

const cp1252 = "€‚ƒ„…†‡ˆ‰Š‹ŒŽ‘’“”•–—˜™š›œžŸ"
