package lex

import "strings"

// Rebind replaces each ? of query by what mark returns for its number, which
// begins at 1, and each ?? by a single ?. It returns query itself if there is
// nothing to replace.
func (s Syntax) Rebind(query string, mark func(sb *strings.Builder, n int)) string {
	if strings.IndexByte(query, '?') < 0 {
		return query
	}
	var sb strings.Builder
	done, n := 0, 0
	l := s.Lexer(query)
	for t := l.Next(); t.Kind != End; t = l.Next() {
		if t.Kind != Placeholder {
			continue
		}
		sb.WriteString(query[done:t.Pos])
		if l.at(l.pos) == '?' {
			l.pos++
			sb.WriteByte('?')
		} else {
			n++
			mark(&sb, n)
		}
		done = l.pos
	}
	if done == 0 {
		return query
	}
	sb.WriteString(query[done:])
	return sb.String()
}
