package render

import (
	"encoding/json"
	"reflect"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/holdfast-go/holdfast/dialect"
	"github.com/holdfast-go/holdfast/query"
)

// writeJSONText writes a text as JSON, with as few escapes as there can be.
func writeJSONText(sb *strings.Builder, s string) {
	sb.WriteByte('"')
	for _, r := range s {
		writeJSONRune(sb, r)
	}
	sb.WriteByte('"')
}

func writeJSONRune(sb *strings.Builder, r rune) {
	const short = "\"\\\b\f\n\r\t"
	switch i := strings.IndexRune(short, r); {
	case i >= 0:
		sb.WriteByte('\\')
		sb.WriteByte(`"\bfnrt`[i])
	case r < 0x20:
		sb.WriteString(`\u00`)
		sb.WriteByte("01"[r>>4])
		sb.WriteByte("0123456789abcdef"[r&15])
	default:
		sb.WriteRune(r)
	}
}

// plainTexts writes the texts of a document with as few escapes as there can be.
// encoding/json writes < as \u003c, which MariaDB takes for another key than <, and for
// another text.
func plainTexts(s string) string {
	i := strings.IndexByte(s, '\\')
	if i < 0 {
		return s
	}
	var sb strings.Builder
	for ; i >= 0 && i+1 < len(s); i = strings.IndexByte(s, '\\') {
		sb.WriteString(s[:i])
		r, n := escaped(s[i:])
		if n == 0 { // half of a character
			sb.WriteString(s[i : i+2])
			s = s[i+2:]
			continue
		}
		writeJSONRune(&sb, r)
		s = s[i+n:]
	}
	sb.WriteString(s)
	return sb.String()
}

// escaped is the character of an escape at the beginning of s, which is n bytes long.
func escaped(s string) (r rune, n int) {
	if s[1] != 'u' {
		if i := strings.IndexByte(`bfnrt`, s[1]); i >= 0 {
			return rune("\b\f\n\r\t"[i]), 2
		}
		return rune(s[1]), 2
	}
	high, ok := unit(s)
	if !ok {
		return 0, 0
	}
	if !utf16.IsSurrogate(high) {
		return high, 6
	}
	if low, ok := unit(s[6:]); ok {
		if r := utf16.DecodeRune(high, low); r != utf8.RuneError {
			return r, 12
		}
	}
	return 0, 0
}

// unit reads \u0000.
func unit(s string) (r rune, ok bool) {
	if len(s) < 6 || s[0] != '\\' || s[1] != 'u' {
		return 0, false
	}
	for _, c := range []byte(s[2:6]) {
		i := strings.IndexByte("0123456789abcdef", c|0x20)
		if i < 0 {
			return 0, false
		}
		r = r<<4 | rune(i)
	}
	return r, true
}

// encoded binds a Go value as the JSON that stands for it within a document; nil is
// nothing.
func (w *writer) encoded(v any) (any, error) {
	if v == nil {
		return nil, nil
	}
	at, null := pointedTo(reflect.ValueOf(v))
	if null {
		return nil, nil
	}
	bound, err := w.encode(at)
	s, ok := bound.(string)
	if err != nil || !ok {
		return nil, err
	}
	if because := keepsJSON(w.server.Engine, s); because != "" {
		return nil, &query.ValueError{Type: reflect.TypeOf(v).String(), Reason: because}
	}
	return spelledJSON(w.server.Engine, s), nil
}

var marshalerType = reflect.TypeFor[json.Marshaler]()

func (w *writer) encode(v reflect.Value) (any, error) {
	t := v.Type()
	marshals := t.Implements(marshalerType) || reflect.PointerTo(t).Implements(marshalerType)
	switch {
	case t == rawJSONType:
		return bindText(v)
	case speaks(t) && !marshals: // sql.NullString and its kind
		bound, err := Bind(addressable(v).Addr().Interface())
		if err != nil || bound == nil {
			return nil, err
		}
		v = reflect.ValueOf(bound)
		t = v.Type()
	case !marshals:
		if _, err := Bind(addressable(v).Interface()); err != nil { // a part of a statement, or a channel
			return nil, err
		}
	}
	if t.Kind() == reflect.Slice && t.Elem().Kind() == reflect.Uint8 && !marshals {
		return nil, &query.ValueError{Type: t.String(), Reason: "is bytes, which JSON has not: give a string, or a json.RawMessage for what is JSON already"}
	}
	return bindJSON(v)
}

// spelledJSON is a document as the engine finds its keys, and compares it.
func spelledJSON(engine, s string) string {
	switch engine {
	case dialect.MariaDB:
		return plainTexts(plainNumbers(s))
	case dialect.SQLite:
		return plainTexts(s)
	}
	return s
}
