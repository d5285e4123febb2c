package orm

import (
	"bytes"
	"database/sql/driver"
	"reflect"

	"github.com/uptrace/bun/schema"
)

// scanArray reads a column of arrays with bun's reader, which takes an element
// that begins with ( or [ for a range, joins it with those after it, and ends the
// array at one that begins with ]. PostgreSQL quotes a range, for its comma, but
// not a text that merely looks so (manual, "Arrays", Array Input and Output
// Syntax): such an element gets its quotes here.
func scanArray(scan schema.ScannerFunc) scanner {
	return func(dst reflect.Value, src driver.Value) error {
		switch v := src.(type) {
		case string:
			src = string(quoteBare([]byte(v)))
		case []byte:
			src = quoteBare(v)
		}
		return scan(dst, src)
	}
}

// quoteBare returns the text of an array in which no element without quotes has a
// parenthesis or a bracket in it. Nor has it a comma, quote, brace or backslash:
// then PostgreSQL would have quoted it.
func quoteBare(text []byte) []byte {
	if len(text) == 0 || text[0] != '{' || !bytes.ContainsAny(text, "()[]") {
		return text // JSON, or nothing to be mistaken
	}
	out := make([]byte, 0, len(text)+8)
	quoted := false
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case quoted && c == '\\' && i+1 < len(text):
			out = append(out, c, text[i+1])
			i++
		case c == '"':
			quoted = !quoted
			out = append(out, c)
		case quoted || c == '{' || c == '}' || c == ',':
			out = append(out, c)
		default:
			end := len(text)
			if n := bytes.IndexAny(text[i:], ",}"); n >= 0 {
				end = i + n
			}
			if element := text[i:end]; bytes.ContainsAny(element, "()[]") {
				out = append(append(append(out, '"'), element...), '"')
			} else {
				out = append(out, element...)
			}
			i = end - 1
		}
	}
	return out
}
