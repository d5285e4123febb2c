package dialect

import "strings"

// Redact returns query with a ? for each literal and number in it, on one line
// and without comments: what may be shown of a statement of somebody else, whose
// values may be in its text. It is not meant to be run. On MySQL a name in
// double quotes is taken for a text, which it is by default.
func (s Syntax) Redact(query string) string {
	var sb strings.Builder
	l := s.Lexer(query)
	end, number := 0, false // where the last token ended; it was a number
	for t := l.Next(); t.Kind != End; t = l.Next() {
		gap := t.Pos > end && sb.Len() > 0
		end = l.pos
		c := t.Text[0]
		switch {
		case number && !gap && (c == '.' || t.Kind == Word):
			continue // the rest of 1.5
		case t.Kind == Word && c >= '0' && c <= '9' && !(t.Pos > 0 && query[t.Pos-1] == '$'),
			t.Kind == Literal, t.Kind == Quoted && c == '"' && s.backslash:
			number = t.Kind == Word
			t.Text = "?"
		default:
			number = false
		}
		if gap {
			sb.WriteByte(' ')
		}
		sb.WriteString(t.Text)
	}
	return sb.String()
}
