package lex

import "strings"

// TokenKind is the kind of a [Token].
type TokenKind uint8

// The kinds of tokens.
const (
	End         TokenKind = iota // nothing is left
	Word                         // a keyword, a name without quotes, a number
	Quoted                       // "name", `name`, [name]; on MySQL "…" is as a rule a literal
	Literal                      // 'text', $tag$text$tag$
	Placeholder                  // ?
	Semicolon                    // ;
	Symbol                       // any other single character
)

// Token is a piece of SQL: everything but white space and comments.
type Token struct {
	Kind TokenKind
	Text string // as written, with its quotes
	Pos  int    // where it begins, in bytes
	// Executable is true inside a comment that some servers run as code and
	// others skip, depending on their version (MySQL: /*!80000 … */).
	Executable bool
}

// Is reports whether t is the keyword or the name word, in any case of letters.
func (t Token) Is(word string) bool {
	return t.Kind == Word && len(t.Text) == len(word) && strings.EqualFold(t.Text, word)
}

// IsAny reports whether t is one of the words.
func (t Token) IsAny(words ...string) bool {
	for _, w := range words {
		if t.Is(w) {
			return true
		}
	}
	return false
}

// Name is the name that a word or a quoted token stands for. A doubled quote
// inside it stays doubled.
func (t Token) Name() string {
	if t.Kind == Quoted && len(t.Text) >= 2 {
		return t.Text[1 : len(t.Text)-1]
	}
	return t.Text
}
