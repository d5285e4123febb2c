package sqlite

import (
	"strings"

	"github.com/holdfast-go/holdfast/internal/lex"
)

// inspect reads a caller's statement for what it would do to a block (rule
// B15). DDL is a part of the transaction here and goes through. The driver runs
// every statement of a text that holds several, so each is read.
func inspect(query string) lex.Verdict {
	if lex.SQLiteSyntax.Plain(query) {
		return lex.Verdict{}
	}
	return lex.SQLiteSyntax.Inspect(query, endsStatement, inspectStatement)
}

// Split implements backend.Splitter. The driver would run the statements of a text
// with the values of all of them, and could not say which has failed.
func (e *engine) Split(text string) []string { return lex.SQLiteSyntax.Split(text, endsStatement) }

func inspectStatement(s lex.Tokens) lex.Verdict {
	if rest := explained(s); rest.At(0).Is("PRAGMA") { // it acts when it is read
		s = rest
	}
	switch verb := strings.ToUpper(s[0].Text); verb {
	case "BEGIN", "COMMIT", "END", "ROLLBACK", "SAVEPOINT", "RELEASE":
		return lex.Verdict{Control: verb}
	case "ATTACH", "DETACH", "VACUUM":
		return lex.Verdict{Session: true}
	case "PRAGMA":
		v := lex.Verdict{Session: setsPragma(s[1:])}
		if v.Session && isPragma(s[1:], "query_only") { // it is what a block's ReadOnly is kept by
			v.Control = "PRAGMA query_only"
		}
		return v
	case "CREATE":
		return lex.Verdict{Session: createsTemporary(s)}
	}
	return lex.Verdict{}
}

// explained is the statement behind EXPLAIN, or s.
func explained(s lex.Tokens) lex.Tokens {
	switch {
	case !s.At(0).Is("EXPLAIN"):
		return s
	case s.At(1).Is("QUERY") && s.At(2).Is("PLAN"):
		return s[3:]
	}
	return s[1:]
}

// name is the name that a token stands for: here 'a' may be one, too.
func name(t lex.Token) string {
	if t.Kind == lex.Literal {
		return strings.Trim(t.Text, "'")
	}
	return t.Name()
}

// isPragma reports whether what follows PRAGMA names this one.
func isPragma(s lex.Tokens, pragma string) bool {
	if s.At(1).Text == "." {
		s = s[2:]
	}
	return strings.EqualFold(name(s.At(0)), pragma)
}

// setsPragma reports whether what follows PRAGMA gives it a value, other than
// the table or index that some of them tell about.
func setsPragma(s lex.Tokens) bool {
	if s.At(1).Text == "." {
		s = s[2:]
	}
	if s.At(1).Text == "(" && s.At(0).IsAny("table_info", "table_xinfo", "table_list", "index_list", "index_info",
		"index_xinfo", "foreign_key_list", "foreign_key_check", "integrity_check", "quick_check", "optimize",
		"incremental_vacuum", "wal_checkpoint") {
		return false
	}
	// These two are fields of the file, written in the transaction.
	return len(s) > 1 && !s.At(0).IsAny("user_version", "application_id")
}

// createsTemporary reports whether CREATE makes something in the connection's
// own schema.
func createsTemporary(s lex.Tokens) bool {
	for i, t := range s {
		if i == 1 && t.IsAny("TEMP", "TEMPORARY") || s.At(i+1).Text == "." && strings.EqualFold(name(t), "temp") {
			return true
		}
		if t.Text == "(" {
			break
		}
	}
	return false
}

// endsStatement reports whether a semicolon after s ends it: in the body of a
// trigger only the one behind "; END" does. SQLite itself finds the end of a
// text in this way (sqlite3_complete).
func endsStatement(s lex.Tokens) bool {
	s = explained(s)
	trigger := s.At(0).Is("CREATE") &&
		(s.At(1).Is("TRIGGER") || s.At(1).IsAny("TEMP", "TEMPORARY") && s.At(2).Is("TRIGGER"))
	return !trigger || s.At(len(s)-1).Is("END") && s.At(len(s)-2).Kind == lex.Semicolon
}

// rebind turns ?? into ?. The engine's own placeholder is the caller's.
func rebind(query string) string {
	if !strings.Contains(query, "??") {
		return query
	}
	return lex.SQLiteSyntax.Rebind(query, func(sb *strings.Builder, _ int) { sb.WriteByte('?') })
}
