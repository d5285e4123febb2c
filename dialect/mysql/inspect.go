package mysql

import (
	"slices"
	"strings"

	"github.com/holdfast-go/holdfast/internal/lex"
)

// inspect reads a caller's statement for what it would do to a block (rule
// B15).
//
// Sources: MySQL manual, "Statements That Cause an Implicit Commit"; MariaDB
// documentation, "SQL Statements Causing an Implicit Commit". A statement that
// is on one list only is refused on both: code that runs on one of them then
// runs on the other.
func inspect(query string) lex.Verdict {
	if lex.MySQLSyntax.Plain(query) {
		return lex.Verdict{Session: changesSession(query)}
	}
	v := lex.MySQLSyntax.Inspect(query, endsStatement, inspectStatement)
	if v.Control == "" {
		v.Session = v.Session || changesSession(query)
	}
	return v
}

// Split implements backend.Splitter. Where a literal ends behind a backslash is a
// matter of sql_mode, and what an executable comment holds one of the version: a
// text with either is not split.
func (e *engine) Split(text string) []string {
	if strings.ContainsRune(text, '\\') || strings.Contains(text, "/*!") || strings.Contains(text, "/*M!") {
		return nil
	}
	return lex.MySQLSyntax.Split(text, endsStatement)
}

// inspectStatement reads one statement. Where it begins in an executable
// comment, what is in it and what follows it may each be the beginning: the
// version of the server decides, and a miss would be worse than a refusal.
func inspectStatement(s lex.Tokens) lex.Verdict {
	v := inspectVerb(s)
	for i := 1; i < len(s) && s[i-1].Executable; i++ {
		w := inspectVerb(s[i:])
		if v.Control == "" {
			v.Control = w.Control
		}
		if v.Refused == "" {
			v.Refused = w.Refused
		}
	}
	if v.Control == "" && slices.ContainsFunc(s, func(t lex.Token) bool { return t.Executable }) {
		v.Opaque, v.Session = true, true // what it is to the server is not known
	}
	return v
}

func inspectVerb(s lex.Tokens) lex.Verdict {
	for len(s) > 1 && s[0].Text == "(" {
		s = s[1:]
	}
	second := s.At(1)
	switch verb := strings.ToUpper(s[0].Text); verb {
	case "SELECT", "INSERT", "UPDATE", "DELETE", "REPLACE", "WITH", "VALUES", "VALUE", "TABLE", "DO",
		"SHOW", "DESC", "DESCRIBE", "EXPLAIN", "HELP", "KILL", "CHECKSUM", "PURGE", "SIGNAL", "RESIGNAL":
		return lex.Verdict{}

	case "COMMIT", "ROLLBACK", "SAVEPOINT", "RELEASE", "XA":
		return lex.Verdict{Control: verb}
	case "BEGIN":
		if second.Is("NOT") { // MariaDB: BEGIN NOT ATOMIC … END is a block of code
			return lex.Verdict{Opaque: true, Session: true}
		}
		return lex.Verdict{Control: verb}
	case "START":
		if second.Is("TRANSACTION") {
			return lex.Verdict{Control: "START TRANSACTION"}
		}
		return implicit(verb, second)
	case "LOCK", "UNLOCK":
		if second.IsAny("TABLE", "TABLES") {
			return implicit(verb, second)
		}
		return lex.Verdict{Session: true} // LOCK INSTANCE FOR BACKUP

	case "SET":
		return inspectSet(s)
	case "USE", "HANDLER", "DEALLOCATE", "GET": // GET DIAGNOSTICS @variable = …
		return lex.Verdict{Session: true}
	case "PREPARE":
		return lex.Verdict{Opaque: true, Session: true}

	case "CREATE", "DROP":
		switch object := createdObject(s); {
		case object.Is("TEMPORARY") && s.Has("TEMPORARY", "SEQUENCE"): // commits on MariaDB 11.8
			return implicit(verb+" TEMPORARY SEQUENCE", lex.Token{})
		case object.Is("TEMPORARY") && object.Executable: // on some servers it is not temporary, and commits
			return implicit(verb, lex.Token{})
		case object.Is("TEMPORARY"), object.Is("PREPARE"):
			return lex.Verdict{Session: true}
		default:
			return implicit(verb, object)
		}
	case "ANALYZE":
		if second.IsAny("TABLE", "TABLES", "LOCAL", "NO_WRITE_TO_BINLOG") {
			return implicit("ANALYZE TABLE", lex.Token{})
		}
		return lex.Verdict{} // MariaDB: ANALYZE SELECT …
	case "LOAD":
		if second.Is("INDEX") {
			return implicit(verb, second)
		}
		// LOAD DATA commits on NDB tables only. Columns can be read into variables.
		return lex.Verdict{Opaque: true, Session: slices.ContainsFunc(s, func(t lex.Token) bool { return t.Text == "@" })}
	case "RESET":
		if second.Is("PERSIST") {
			return lex.Verdict{}
		}
		return implicit(verb, second)
	case "ALTER", "BACKUP", "RENAME", "OPTIMIZE", "REPAIR", "CHECK", "CACHE", "CHANGE", "STOP",
		"INSTALL", "UNINSTALL", "IMPORT", "CLONE":
		return implicit(verb, second)
	case "TRUNCATE":
		return implicit("TRUNCATE TABLE", lex.Token{})
	case "GRANT", "REVOKE", "FLUSH", "RESTART", "SHUTDOWN":
		return implicit(verb, lex.Token{})
	}
	// CALL, EXECUTE, BINLOG, MariaDB's IF and FOR outside stored programs, and
	// whatever a later version brings.
	return lex.Verdict{Opaque: true, Session: true}
}

func implicit(verb string, object lex.Token) lex.Verdict {
	if object.Kind == lex.Word {
		verb += " " + strings.ToUpper(object.Text)
	}
	return lex.Verdict{Control: verb + " (implicit commit)"}
}

// createdObject finds the kind of object behind CREATE or DROP, or TEMPORARY.
func createdObject(s lex.Tokens) lex.Token {
	for i, t := range s {
		if t.IsAny("TEMPORARY", "TABLE", "INDEX", "VIEW", "DATABASE", "SCHEMA", "PROCEDURE", "FUNCTION", "TRIGGER",
			"EVENT", "USER", "ROLE", "SERVER", "TABLESPACE", "SEQUENCE", "PACKAGE") || t.Is("PREPARE") && i == 1 {
			return t
		}
	}
	return s.At(1)
}

// endsStatement reports whether a semicolon after s ends it: inside BEGIN … END
// of a stored program it does not.
func endsStatement(s lex.Tokens) bool {
	compound := s.At(0).Is("BEGIN") && s.At(1).Is("NOT") ||
		s.At(0).IsAny("CREATE", "ALTER") && createdObject(s).IsAny("PROCEDURE", "FUNCTION", "TRIGGER", "EVENT", "PACKAGE")
	if !compound {
		return true
	}
	depth := 0
	for i, t := range s {
		switch {
		case t.Is("BEGIN"), t.Is("CASE") && !s.At(i-1).Is("END"):
			depth++
		case t.Is("END") && !s.At(i+1).IsAny("IF", "LOOP", "WHILE", "REPEAT", "FOR"):
			depth--
		}
	}
	return depth <= 0
}

// rebind turns ?? into ?. The engine's own placeholder is the caller's.
func rebind(query string) string {
	if !strings.Contains(query, "??") {
		return query
	}
	return lex.MySQLSyntax.Rebind(query, func(sb *strings.Builder, _ int) { sb.WriteByte('?') })
}
