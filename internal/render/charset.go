package render

import (
	"strings"

	"github.com/holdfast-go/holdfast/internal/ast"
	"github.com/holdfast-go/holdfast/internal/column"
	"github.com/holdfast-go/holdfast/query"
)

// foreign decides a comparison of a text column with a text that its character
// set has no characters for: none equals it. MySQL makes an error of it (1267,
// 1270, 3854), since it would have to turn the text into that character set.
func (w *writer) foreign(op ast.Op, k kind, bound any) verdict {
	s, isText := bound.(string)
	if !isText || k.Kind != column.Text || k.Charset == "" || representable(k.Charset, s) {
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

// representable reports whether a character set of MySQL's has all characters of
// s. Of those that are not known here it is taken for granted.
func representable(charset, s string) bool {
	var has func(rune) bool
	switch charset {
	case "ascii":
		has = func(r rune) bool { return r < 0x80 }
	case "latin1": // which is cp1252, with the five bytes that it leaves out
		has = func(r rune) bool {
			return r < 0x100 && (r < 0x80 || r > 0x9f || strings.ContainsRune("\u0081\u008d\u008f\u0090\u009d", r)) || strings.ContainsRune(cp1252, r)
		}
	case "utf8", "utf8mb3", "ucs2":
		has = func(r rune) bool { return r <= 0xffff }
	default:
		return true
	}
	for _, r := range s {
		if !has(r) {
			return false
		}
	}
	return true
}

const cp1252 = "€‚ƒ„…†‡ˆ‰Š‹ŒŽ‘’“”•–—˜™š›œžŸ"
