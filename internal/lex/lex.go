package lex

import "strings"

// Lexer yields the tokens of a text from left to right.
type Lexer struct {
	syntax     Syntax
	text       string
	pos        int
	executable bool // inside /*! … */
}

// Lexer returns a Lexer at the beginning of text.
func (s Syntax) Lexer(text string) Lexer { return Lexer{syntax: s, text: text} }

// Tokens is a run of tokens, such as one statement.
type Tokens []Token

// At returns the token at i, or an End where there is none.
func (ts Tokens) At(i int) Token {
	if i < 0 || i >= len(ts) {
		return Token{}
	}
	return ts[i]
}

// Has reports whether the words stand in ts one after the other.
func (ts Tokens) Has(words ...string) bool {
	for i := range ts {
		n := 0
		for n < len(words) && ts.At(i+n).Is(words[n]) {
			n++
		}
		if n == len(words) {
			return true
		}
	}
	return false
}

// Tokens returns all tokens of text, without the End.
func (s Syntax) Tokens(text string) Tokens {
	tokens := make(Tokens, 0, 16+len(text)/8)
	for l := s.Lexer(text); ; {
		t := l.Next()
		if t.Kind == End {
			return tokens
		}
		tokens = append(tokens, t)
	}
}

// Next returns the next token. What is left open at the end of the text (a
// literal, a comment) ends there.
func (l *Lexer) Next() Token {
	l.skipBlank()
	start := l.pos
	if start >= len(l.text) {
		return Token{Kind: End, Pos: start}
	}
	kind := Symbol
	switch c := l.text[start]; {
	case c == '\'':
		kind = Literal
		l.quoted('\'', l.syntax.backslash)
	case c == '"':
		kind = Quoted
		l.quoted('"', l.syntax.backslash)
	case c == '`' && l.syntax.backtick:
		kind = Quoted
		l.quoted('`', false)
	case c == '[' && l.syntax.bracket:
		kind = Quoted
		l.pos = l.after("]", start+1)
	case c == '$' && l.syntax.dollar && l.dollarQuoted():
		kind = Literal
	case (c == 'E' || c == 'e') && l.syntax.dollar && l.at(start+1) == '\'':
		kind = Literal
		l.escapeString()
	case wordStart(c):
		kind = Word
		for l.pos++; wordPart(l.at(l.pos)); l.pos++ {
		}
	case c == '?':
		kind = Placeholder
		l.pos++
	case c == ';':
		kind = Semicolon
		l.pos++
	default:
		l.pos++
	}
	return Token{kind, l.text[start:l.pos], start, l.executable}
}

// at returns the byte at i, or 0 past the end.
func (l *Lexer) at(i int) byte {
	if i < len(l.text) {
		return l.text[i]
	}
	return 0
}

// after returns the position after the next mark at or after from.
func (l *Lexer) after(mark string, from int) int {
	if from < len(l.text) {
		if i := strings.Index(l.text[from:], mark); i >= 0 {
			return from + i + len(mark)
		}
	}
	return len(l.text)
}

// quoted moves past a literal or a name in quotes q, in which a doubled quote
// stands for one.
func (l *Lexer) quoted(q byte, backslash bool) {
	for l.pos++; l.pos < len(l.text); l.pos++ {
		switch c := l.text[l.pos]; {
		case c == '\\' && backslash:
			l.pos++
		case c == q && l.at(l.pos+1) == q:
			l.pos++
		case c == q:
			l.pos++
			return
		}
	}
	l.pos = len(l.text) // a \ at the very end stepped over it
}

// escapeString moves past E'…'. A literal that goes on after a line break
// ('a' newline 'b' is one) goes on with escapes.
func (l *Lexer) escapeString() {
	l.pos++
	for {
		l.quoted('\'', true)
		next := *l
		next.skipBlank()
		if next.at(next.pos) != '\'' || !strings.ContainsAny(l.text[l.pos:next.pos], "\n\r") {
			return
		}
		*l = next
	}
}

// dollarQuoted moves past $tag$text$tag$. It returns false if there is none.
func (l *Lexer) dollarQuoted() bool {
	end := l.pos + 1
	if c := l.at(end); c >= '0' && c <= '9' {
		return false // $1
	}
	for wordPart(l.at(end)) && l.at(end) != '$' {
		end++
	}
	if l.at(end) != '$' {
		return false
	}
	tag := l.text[l.pos : end+1]
	l.pos = l.after(tag, end+1)
	return true
}

// skipBlank moves past white space and comments, and into and out of
// executable comments.
func (l *Lexer) skipBlank() {
	for l.pos < len(l.text) {
		switch c := l.text[l.pos]; {
		case c == ' ' || c >= '\t' && c <= '\r':
			l.pos++
		case c == '-' && l.at(l.pos+1) == '-' && (!l.syntax.spaced || l.pos+2 >= len(l.text) || l.at(l.pos+2) <= ' '):
			l.skipLine()
		case c == '#' && l.syntax.hash:
			l.skipLine()
		case c == '/' && l.at(l.pos+1) == '*':
			if !l.enterExecutable() {
				l.skipComment()
			}
		case c == '*' && l.executable && l.at(l.pos+1) == '/':
			l.executable = false
			l.pos += 2
		case c == '\xef' && l.syntax.bom && strings.HasPrefix(l.text[l.pos:], "\xef\xbb\xbf"):
			l.pos += 3
		default:
			return
		}
	}
}

// skipLine moves past a comment that ends with its line.
func (l *Lexer) skipLine() {
	ends := "\n"
	if l.syntax.cr {
		ends = "\n\r"
	}
	if i := strings.IndexAny(l.text[l.pos:], ends); i >= 0 {
		l.pos += i + 1
		return
	}
	l.pos = len(l.text)
}

// skipComment moves past the comment that begins here.
func (l *Lexer) skipComment() {
	if !l.syntax.nested {
		l.pos = l.after("*/", l.pos+2)
		return
	}
	depth := 0
	for l.pos < len(l.text) {
		switch two := l.text[l.pos:min(l.pos+2, len(l.text))]; two {
		case "/*":
			depth++
			l.pos += 2
		case "*/":
			depth--
			l.pos += 2
			if depth == 0 {
				return
			}
		default:
			l.pos++
		}
	}
}

// enterExecutable moves past the mark of an executable comment and the version
// in it. It returns false if no such comment begins here.
func (l *Lexer) enterExecutable() bool {
	if !l.syntax.executable {
		return false
	}
	rest := l.text[l.pos:]
	switch {
	case strings.HasPrefix(rest, "/*!"):
		l.pos += 3
	case strings.HasPrefix(rest, "/*M!"):
		l.pos += 4
	default:
		return false
	}
	for c := l.at(l.pos); c >= '0' && c <= '9'; c = l.at(l.pos) {
		l.pos++
	}
	l.executable = true
	return true
}

// wordStart and wordPart take every byte of a non-ASCII character for a letter,
// as all engines do.
func wordStart(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '_' || c >= 0x80 || c >= '0' && c <= '9'
}

func wordPart(c byte) bool { return wordStart(c) || c == '$' }
