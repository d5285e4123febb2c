package lex

import "strings"

// Redact returns query with a ? for each literal and number in it, on one line
// and without comments: what may be shown of a statement of somebody else, whose
// values may be in its text. It is not meant to be run. On MySQL a name in
// double quotes is taken for a text, which it is by default.
//
// Whether a backslash escapes a quote is a setting of the session that ran it
// (NO_BACKSLASH_ESCAPES, standard_conforming_strings), which nobody else knows.
// Nothing is shown after a literal that ends elsewhere if it is the other way
// round: from there on, outside could be inside. Nor is anything shown from a
// comment on that some servers run as code.
func (s Syntax) Redact(query string) string {
	var sb strings.Builder
	l := s.Lexer(query)
	end, number := 0, false // where the last token ended; it was a number
	for t := l.Next(); t.Kind != End; t = l.Next() {
		gap := t.Pos > end && sb.Len() > 0
		end = l.pos
		if t.Executable {
			sb.WriteString("…")
			break
		}
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
		if s.doubtful(query[t.Pos:l.pos], query[t.Pos:]) {
			sb.WriteString("…")
			break
		}
	}
	return sb.String()
}

// doubtful reports whether token, with which rest begins, is a literal that ends
// elsewhere under the other reading of backslashes.
func (s Syntax) doubtful(token, rest string) bool {
	if s.bracket || token[0] != '\'' && !(token[0] == '"' && s.backslash) {
		return false // SQLite has no such setting, and PostgreSQL none for names and E''
	}
	other := s
	other.backslash = !s.backslash
	l := other.Lexer(rest)
	return l.Next().Text != token
}
