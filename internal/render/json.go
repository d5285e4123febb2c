package render

import (
	"bytes"
	"encoding/json"
	"reflect"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/holdfast-go/holdfast/dialect"
	"github.com/holdfast-go/holdfast/internal/exactjson"
)

// keepsJSON: what the servers make another document of, or refuse.
func keepsJSON(engine, s string) string {
	switch {
	case !utf8.ValidString(s):
		return "is no valid UTF-8"
	case !json.Valid([]byte(s)):
		return "is no JSON"
	case engine == dialect.Postgres && escapes(s, "u0000"):
		return "holds a NUL, which PostgreSQL's JSON cannot"
	case engine == dialect.MySQL && !exactNumbers(s):
		return "holds a number of more digits than MySQL's JSON keeps: write it as a text"
	}
	return ""
}

// escapes reports whether a text of JSON has the escape \what in it.
func escapes(s, what string) bool {
	for {
		i := strings.IndexByte(s, '\\')
		if i < 0 || i+1 >= len(s) {
			return false
		}
		if strings.HasPrefix(s[i+1:], what) {
			return true
		}
		s = s[i+2:]
	}
}

// exactNumbers reports whether all numbers of a document are such as MySQL keeps:
// integers of 64 bits, and what a floating-point number is written back as.
func exactNumbers(s string) bool {
	d := json.NewDecoder(strings.NewReader(s))
	d.UseNumber()
	for {
		token, err := d.Token()
		if err != nil {
			return true
		}
		if n, ok := token.(json.Number); ok {
			if _, err := strconv.ParseInt(string(n), 10, 64); err == nil {
				continue
			}
			if _, err := strconv.ParseUint(string(n), 10, 64); err == nil {
				continue
			}
			if _, ok := exactjson.Float(n); !ok {
				return false
			}
		}
	}
}

// plainNumbers writes the numbers of a document without an exponent. MariaDB's
// JSON_EQUALS reads on behind one: there 1.5e-7 is not always equal to itself.
func plainNumbers(s string) string {
	if !strings.ContainsAny(s, "eE") {
		return s
	}
	var sb strings.Builder
	for i := 0; i < len(s); {
		end := i + 1
		switch c := s[i]; {
		case c == '"':
			for end < len(s) && s[end] != '"' {
				if s[end] == '\\' {
					end++
				}
				end++
			}
			end = min(end+1, len(s))
		case c == '-' || '0' <= c && c <= '9':
			for end < len(s) && strings.IndexByte("+-.eE0123456789", s[end]) >= 0 {
				end++
			}
			if r, ok := exactjson.Rational(s[i:end]); ok && strings.ContainsAny(s[i:end], "eE") {
				places, _ := r.FloatPrec() // a power of ten: they end
				sb.WriteString(r.FloatString(places))
				i = end
				continue
			}
		}
		sb.WriteString(s[i:end])
		i = end
	}
	return sb.String()
}

// faithful reports whether the texts in v are those of its JSON: encoding/json
// writes U+FFFD for what is no UTF-8, without an error.
func faithful(v reflect.Value, document []byte) bool {
	if !bytes.Contains(document, []byte(`\ufffd`)) {
		return true
	}
	return valid(v, 0)
}

// deepest is how deep encoding/json looks before it looks for cycles.
const deepestValue = 1000

func valid(v reflect.Value, depth int) bool {
	if depth > deepestValue {
		return true
	}
	switch v.Kind() {
	case reflect.String:
		return utf8.ValidString(v.String())
	case reflect.Interface, reflect.Pointer:
		return v.IsNil() || valid(v.Elem(), depth+1)
	case reflect.Slice, reflect.Array:
		if v.Type().Elem().Kind() == reflect.Uint8 {
			return true
		}
		for i := range v.Len() {
			if !valid(v.Index(i), depth+1) {
				return false
			}
		}
	case reflect.Map:
		for it := v.MapRange(); it.Next(); {
			if !valid(it.Key(), depth+1) || !valid(it.Value(), depth+1) {
				return false
			}
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if f := v.Type().Field(i); f.IsExported() && f.Tag.Get("json") != "-" && !valid(v.Field(i), depth+1) {
				return false
			}
		}
	}
	return true
}
