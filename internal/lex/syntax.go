package lex

// Syntax says how an engine writes literals, quoted names and comments, as far
// as one has to know it to tell them from code.
//
// Settings of the session that change this are not known here, and each engine
// is read with its default: MySQL without NO_BACKSLASH_ESCAPES, PostgreSQL with
// standard_conforming_strings. A \ in a literal of the caller's text is then
// the only place where the reading can differ from the server's; bound values
// have none.
type Syntax struct {
	backslash  bool // \' in any literal
	backtick   bool // `name`
	bracket    bool // [name]
	dollar     bool // $tag$text$tag$, and E'text' with \'
	hash       bool // # comment
	spaced     bool // -- begins a comment only before white space
	nested     bool // /* comments /* nest */ */
	cr         bool // a carriage return ends a -- comment, as a line feed does
	executable bool // /*! code */ and /*M! code */
	bom        bool // a byte order mark is white space
}

// How each engine writes SQL. MariaDB is read as MySQL.
//
// Sources: MySQL manual "String Literals", "Comments"; PostgreSQL manual
// "Lexical Structure"; SQLite's tokenize.c.
var (
	MySQLSyntax    = Syntax{backslash: true, backtick: true, hash: true, spaced: true, executable: true}
	PostgresSyntax = Syntax{dollar: true, nested: true, cr: true}
	SQLiteSyntax   = Syntax{backtick: true, bracket: true, bom: true}
)
