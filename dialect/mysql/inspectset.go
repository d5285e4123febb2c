package mysql

import (
	"cmp"
	"strings"

	"github.com/holdfast-go/holdfast/internal/lex"
)

// inspectSet reads SET.
func inspectSet(s lex.Tokens) lex.Verdict {
	if reason := cmp.Or(changesCharset(s), changesMode(s)); reason != "" {
		return lex.Verdict{Refused: reason, Session: true}
	}
	second := s.At(1)
	switch {
	case second.Is("PASSWORD"), second.Is("DEFAULT") && s.At(2).Is("ROLE"):
		return implicit("SET", second)
	case second.Is("TRANSACTION"): // it may only come before a transaction
		return lex.Verdict{Control: "SET TRANSACTION"}
	case second.Is("STATEMENT"): // MariaDB: SET STATEMENT variable = value FOR statement
		// A value can have a FOR of its own: (SELECT … FOR UPDATE).
		v := lex.Verdict{Opaque: true, Session: true}
		for i, t := range s {
			if t.Is("FOR") && i+1 < len(s) {
				v.Control = cmp.Or(v.Control, inspectVerb(s[i+1:]).Control)
				v.Refused = cmp.Or(v.Refused, inspectVerb(s[i+1:]).Refused)
			}
		}
		return v
	}
	list := false
	for i, t := range s {
		if setsAutocommit(s, i) {
			return lex.Verdict{Control: "SET autocommit"}
		}
		list = list || t.Text == ","
	}
	// In SET GLOBAL a = 1, SESSION b = 2 the second is the session's.
	return lex.Verdict{Session: list || !second.IsAny("GLOBAL", "PERSIST", "PERSIST_ONLY")}
}

// setsAutocommit reports whether the token at i is the session's autocommit
// with a value assigned to it: autocommit = 0, SESSION autocommit := 0,
// @@autocommit = 0, @@session.autocommit = 0.
func setsAutocommit(s lex.Tokens, i int) bool {
	t := s[i]
	if t.Kind == lex.Literal || t.Kind == lex.Quoted {
		// Under NO_BACKSLASH_ESCAPES the literal ends at \', and what looks
		// like the rest of it is code.
		if strings.Contains(t.Text, `\`) && strings.Contains(strings.ToLower(t.Text), "autocommit") {
			return true
		}
	}
	if !strings.EqualFold(t.Name(), "autocommit") {
		return false
	}
	if next := s.At(i + 1).Text; next != "=" && next != ":" {
		return false // read, not set
	}
	if s.At(i-1).Text == "." {
		return !s.At(i-2).IsAny("GLOBAL", "PERSIST", "PERSIST_ONLY")
	}
	if s.At(i-1).Text == "@" && s.At(i-2).Text != "@" {
		return false // a user's variable of this name
	}
	return !s.At(i-1).IsAny("GLOBAL", "PERSIST", "PERSIST_ONLY") // SET GLOBAL a = 1, autocommit = 0 is refused all the same
}

// changesCharset says why a SET is refused that makes the session's text something
// else than utf8mb4, or nothing.
func changesCharset(s lex.Tokens) string {
	for i, t := range s {
		first := i == 1 || s.At(i-1).Text == "," // of an assignment
		next := s.At(i + 1)
		switch {
		case first && t.Is("NAMES") && next.Text != "=":
			if !is4(next) || s.At(i+2).Is("COLLATE") && !of4(s.At(i+3)) {
				return notUTF8
			}
		case first && t.Is("CHARSET"), first && t.Is("CHARACTER") && next.Is("SET"):
			return notUTF8 // it takes the database's for the connection
		case strings.EqualFold(t.Name(), "character_set_client"), strings.EqualFold(t.Name(), "character_set_connection"),
			strings.EqualFold(t.Name(), "character_set_results"):
			if value, ok := assigned(s, i); ok && !is4(value) {
				return notUTF8
			}
		case strings.EqualFold(t.Name(), "collation_connection"):
			if value, ok := assigned(s, i); ok && !of4(value) {
				return notUTF8
			}
		}
	}
	return ""
}

const notUTF8 = "text is utf8mb4 on the wire, and a value bound under another character set could be read as code; leave the session's as it is"

// assigned returns the first token of what is assigned to the session's variable
// at i, if it is all of it.
func assigned(s lex.Tokens, i int) (value lex.Token, ok bool) {
	at := i + 1
	if s.At(at).Text == ":" {
		at++
	}
	if s.At(at).Text != "=" {
		return lex.Token{}, false // read, not set
	}
	before := s.At(i - 1)
	if before.Text == "." {
		before = s.At(i - 2)
	}
	if before.IsAny("GLOBAL", "PERSIST", "PERSIST_ONLY") || before.Text == "@" && s.At(i-2).Text != "@" {
		return lex.Token{}, false // the server's, or a variable of the user's
	}
	if end := s.At(at + 2); end.Kind != lex.End && end.Text != "," && !end.Is("FOR") {
		return lex.Token{}, true // an expression
	}
	return s.At(at + 1), true
}

// is4 reports whether t is the name utf8mb4, and of4 whether it is one of its
// collations.
func is4(t lex.Token) bool { return strings.EqualFold(unquoted(t), "utf8mb4") }

func of4(t lex.Token) bool { return collationName.MatchString(strings.ToLower(unquoted(t))) }

func unquoted(t lex.Token) string {
	if t.Kind == lex.Literal && len(t.Text) >= 2 {
		return t.Text[1 : len(t.Text)-1]
	}
	return t.Name()
}
