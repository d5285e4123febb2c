package postgres

import (
	"strconv"
	"strings"

	"github.com/holdfast-go/holdfast/internal/lex"
)

// inspect reads a caller's statement for what it would do to a block (rule
// B15). DDL is a part of the transaction here and goes through. CALL and DO
// cannot end the transaction of a block: the server refuses it (2D000).
func inspect(query string) lex.Verdict {
	if lex.PostgresSyntax.Plain(query) {
		return lex.Verdict{Session: changesSession(query)}
	}
	v := lex.PostgresSyntax.Inspect(query, endsStatement, inspectStatement)
	v.Session = v.Session || changesSession(query)
	return v
}

func inspectStatement(s lex.Tokens) lex.Verdict {
	second := s.At(1)
	switch verb := strings.ToUpper(s[0].Text); verb {
	case "BEGIN", "COMMIT", "END", "ROLLBACK", "ABORT", "SAVEPOINT", "RELEASE":
		if second.Is("PREPARED") {
			verb += " PREPARED"
		}
		return lex.Verdict{Control: verb}
	case "START":
		return lex.Verdict{Control: "START TRANSACTION"}
	case "PREPARE":
		if second.Is("TRANSACTION") && s.At(2).Kind == lex.Literal {
			return lex.Verdict{Control: "PREPARE TRANSACTION"}
		}
		return lex.Verdict{Session: true}
	case "EXECUTE":
		// A connection keeps a block's control statements under their own texts.
		if v := inspectNamed(second); v != "" {
			return lex.Verdict{Control: "EXECUTE of " + v}
		}
	case "SET":
		return inspectSet(s[1:])
	case "DO", "CALL", "RESET", "DISCARD", "DEALLOCATE", "LISTEN", "UNLISTEN", "LOAD":
		return lex.Verdict{Session: true}
	case "DECLARE": // a cursor that outlives the transaction
		return lex.Verdict{Session: s.Has("WITH", "HOLD")}
	case "CREATE":
		return lex.Verdict{Session: createsTemporary(s) && !s.Has("ON", "COMMIT", "DROP")}
	}
	return lex.Verdict{}
}

// inspectNamed is the control statement that a prepared statement's name stands for.
func inspectNamed(name lex.Token) string {
	s := lex.PostgresSyntax.Tokens(name.Name())
	switch s.At(0).Text {
	case "BEGIN", "COMMIT", "ROLLBACK", "SAVEPOINT", "RELEASE":
		return inspectStatement(s).Control
	}
	return ""
}

// inspectSet reads what follows SET. The options of a transaction belong to
// the block: the server would take them from the block's first statement and
// refuse them later.
func inspectSet(s lex.Tokens) lex.Verdict {
	local := s.At(0).Is("LOCAL")
	if local || s.At(0).Is("SESSION") && !s.At(1).IsAny("CHARACTERISTICS", "AUTHORIZATION") {
		s = s[1:]
	}
	switch name := strings.ToLower(s.At(0).Name()); name {
	case "transaction":
		return lex.Verdict{Control: "SET TRANSACTION"}
	case "transaction_isolation", "transaction_read_only", "transaction_deferrable":
		return lex.Verdict{Control: "SET " + name}
	case "constraints":
		return lex.Verdict{}
	}
	return lex.Verdict{Session: !local}
}

// createsTemporary reports whether CREATE makes something that lives as long
// as the session.
func createsTemporary(s lex.Tokens) bool {
	for _, t := range s[1:] {
		if t.IsAny("TEMP", "TEMPORARY") {
			return true
		}
		if !t.IsAny("OR", "REPLACE", "GLOBAL", "LOCAL") {
			break
		}
	}
	return s.Has("pg_temp")
}

// changesSession reports whether query calls a function that changes the
// session, or is a SELECT INTO a temporary table.
func changesSession(query string) bool {
	if lex.Calls(query, "set_config", "pg_advisory_lock", "pg_advisory_lock_shared", "pg_try_advisory_lock",
		"pg_try_advisory_lock_shared", "pg_advisory_unlock", "pg_advisory_unlock_shared", "pg_advisory_unlock_all") &&
		!onlySetsLocally(lex.PostgresSyntax.Tokens(query)) {
		return true
	}
	// Temp, TEMP, temporary: a cheap look before the close one.
	return (strings.Contains(query, "emp") || strings.Contains(query, "EMP")) &&
		selectsIntoTemporary(lex.PostgresSyntax.Tokens(query))
}

// onlySetsLocally reports whether the only function of those is set_config, and
// its last argument is always true, which keeps the setting in the transaction.
func onlySetsLocally(s lex.Tokens) bool {
	for i := range s {
		if s.At(i+1).Text != "(" {
			continue
		}
		switch name := strings.ToLower(s[i].Name()); {
		case name == "set_config" && !s.At(closing(s, i+1)-1).Is("true"):
			return false
		case strings.Contains(name, "advisory") && !strings.Contains(name, "xact"):
			return false
		}
	}
	return true
}

// closing returns the position of the parenthesis that closes the one at open.
func closing(s lex.Tokens, open int) int {
	depth := 0
	for i := open; i < len(s); i++ {
		switch s[i].Text {
		case "(":
			depth++
		case ")":
			depth--
		}
		if depth == 0 {
			return i
		}
	}
	return len(s)
}

func selectsIntoTemporary(s lex.Tokens) bool {
	for i, t := range s {
		if t.Is("INTO") && !s.At(i-1).Is("INSERT") {
			next := s.At(i + 1)
			if next.IsAny("GLOBAL", "LOCAL") {
				next = s.At(i + 2)
			}
			if next.IsAny("TEMP", "TEMPORARY", "pg_temp") {
				return true
			}
		}
	}
	return false
}

// endsStatement reports whether a semicolon after s ends it. It does not in
// parentheses (CREATE RULE … DO (a; b)) and in the body of a function that is
// written in SQL (BEGIN ATOMIC a; b; END).
func endsStatement(s lex.Tokens) bool {
	routine := s.At(0).Is("CREATE") && (s.At(1).IsAny("FUNCTION", "PROCEDURE") || s.At(3).IsAny("FUNCTION", "PROCEDURE"))
	parens, body := 0, 0
	for i, t := range s {
		switch {
		case t.Text == "(":
			parens++
		case t.Text == ")":
			parens--
		case !routine:
		case t.Is("BEGIN") && s.At(i+1).Is("ATOMIC"), t.Is("CASE") && body > 0:
			body++
		case t.Is("END") && body > 0:
			body--
		}
	}
	return parens <= 0 && body == 0
}

// rebind numbers the placeholders: $1, $2, … The operators that are written
// with a question mark are doubled by the caller: ??, ??|, ??&, @??.
func rebind(query string) string {
	return lex.PostgresSyntax.Rebind(query, func(sb *strings.Builder, n int) {
		sb.WriteByte('$')
		sb.WriteString(strconv.Itoa(n))
	})
}
