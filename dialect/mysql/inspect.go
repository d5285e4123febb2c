package mysql

import (
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
	session := changesSession(query)
	if lex.MySQLSyntax.Plain(query) {
		return lex.Verdict{Session: session}
	}
	v := lex.MySQLSyntax.Inspect(query, endsStatement, inspectStatement)
	v.Session = v.Session || session
	return v
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
		v.Session = v.Session || w.Session && !w.Opaque // what is opaque here is the middle of a statement
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
		return lex.Verdict{} // LOAD DATA commits on NDB tables only
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

func inspectSet(s lex.Tokens) lex.Verdict {
	second := s.At(1)
	switch {
	case second.Is("PASSWORD"), second.Is("DEFAULT") && s.At(2).Is("ROLE"):
		return implicit("SET", second)
	case second.Is("TRANSACTION"): // it may only come before a transaction
		return lex.Verdict{Control: "SET TRANSACTION"}
	case second.Is("STATEMENT"): // MariaDB: SET STATEMENT variable = value FOR statement
		for i, t := range s {
			if t.Is("FOR") && i+1 < len(s) {
				return inspectVerb(s[i+1:])
			}
		}
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

// changesSession reports whether query takes or gives up a lock of the session
// or assigns to a variable of the user's.
func changesSession(query string) bool {
	if lex.Calls(query, "GET_LOCK", "RELEASE_LOCK", "RELEASE_ALL_LOCKS") {
		return true
	}
	if strings.IndexByte(query, '@') < 0 {
		return false
	}
	s := lex.MySQLSyntax.Tokens(query)
	for i, t := range s {
		if t.Text == ":" && s.At(i+1).Text == "=" || t.Is("INTO") && s.At(i+1).Text == "@" {
			return true
		}
	}
	return false
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
