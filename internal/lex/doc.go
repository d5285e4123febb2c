// Package lex reads SQL as far as the library has to: it splits a text into
// tokens as each engine does, tells what a statement would do to a block, finds
// placeholders, and hides values. It knows no grammar.
package lex
