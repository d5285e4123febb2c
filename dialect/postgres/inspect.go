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
		if second.Is("TRANSACTION") && (s.At(2).Kind == lex.Literal || s.At(2).Is("U") && s.At(3).Text == "&") {
			return lex.Verdict{Control: "PREPARE TRANSACTION"}
		}
		return lex.Verdict{Session: true}
	case "EXECUTE":
		// A connection keeps a block's control statements under their own texts.
		if v := inspectNamed(second); v != "" {
			return lex.Verdict{Control: "EXECUTE of " + v}
		}
		return lex.Verdict{Session: true}
	case "EXPLAIN": // ANALYZE runs it
		for i, t := range s[1:] {
			if t.IsAny("EXECUTE", "CREATE", "DECLARE", "REFRESH") {
				return inspectStatement(s[i+1:])
			}
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
	for i := range s {
		if inTemporarySchema(s[i:]) {
			return true
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
