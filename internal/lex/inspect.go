package lex

import "strings"

// Plain reports whether query is a single SELECT, INSERT, UPDATE, DELETE,
// REPLACE, MERGE or WITH. No such statement can start or end a transaction, on
// any engine, so that it needs no closer look. It costs no allocation; false
// means only that the look has to be closer.
func (s Syntax) Plain(query string) bool {
	l := s.Lexer(query)
	t := l.Next()
	for t.Kind == Symbol && t.Text == "(" {
		t = l.Next()
	}
	if t.Kind != Word || t.Executable || !plainVerb(t) {
		return false
	}
	i := strings.IndexByte(query, ';')
	return i < 0 || strings.TrimRight(query[i+1:], " \t\r\n") == ""
}

func plainVerb(t Token) bool {
	switch len(t.Text) {
	case 4:
		return t.Is("WITH")
	case 5:
		return t.Is("MERGE")
	case 6:
		return t.IsAny("SELECT", "INSERT", "UPDATE", "DELETE")
	case 7:
		return t.Is("REPLACE")
	}
	return false
}

// Verdict is what a statement would do to a block that it runs in.
type Verdict struct {
	// Control is the name of the statement if it would start or end a
	// transaction behind the block's back, or set a savepoint of its own (rule
	// B15): "COMMIT", "CREATE TABLE (implicit commit)". "" if it does not.
	Control string
	// Refused says why the statement is sent nowhere, in a block or outside; "" if
	// it may be.
	Refused string
	// Stacked is true if the text holds more than one statement.
	Stacked bool
	// Session is true if the statement may change the state of the session, so
	// that its connection cannot go back to the pool (rules B13 and B23).
	Session bool
	// Opaque is true if the statement runs code that its text does not show
	// (MySQL: CALL, EXECUTE), so that the transaction has to be checked
	// afterwards.
	Opaque bool
	// Hold travels in front of an Opaque statement in a block: what that does once it
	// has ended the transaction is then not committed by itself. Unhold takes it back
	// when the block has ended, for whoever keeps the connection. "": not needed.
	Hold, Unhold string
}

// Steers reports whether Control is there for the statements that follow it on
// the same connection. An implicit commit is not: it is over at once.
func (v Verdict) Steers() bool {
	switch v.Control {
	case "BEGIN", "START TRANSACTION", "COMMIT", "END", "ROLLBACK", "ABORT", "SAVEPOINT", "RELEASE",
		"SET TRANSACTION", "SET autocommit", "LOCK TABLE (implicit commit)", "LOCK TABLES (implicit commit)":
		return true
	}
	return false
}

// Inspect adds up what the statements of query would do: one reads each of
// them. ends says whether a semicolon ends the statement whose tokens come
// before it, and not just a part of its body; nil means that each does.
func (s Syntax) Inspect(query string, ends func(statement Tokens) bool, one func(statement Tokens) Verdict) Verdict {
	var sum Verdict
	tokens := s.Tokens(query)
	n, start := 0, 0
	for i := 0; i <= len(tokens); i++ {
		if i < len(tokens) && (tokens[i].Kind != Semicolon || ends != nil && !ends(tokens[start:i])) {
			continue
		}
		if i > start {
			n++
			v := one(tokens[start:i])
			if sum.Control == "" {
				sum.Control = v.Control
			}
			if sum.Refused == "" {
				sum.Refused = v.Refused
			}
			sum.Session = sum.Session || v.Session
			sum.Opaque = sum.Opaque || v.Opaque
		}
		start = i + 1
	}
	sum.Stacked = n > 1
	return sum
}

// Split returns the statements of query, each from its first token to the
// semicolon that ends it. ends is that of Inspect.
func (s Syntax) Split(query string, ends func(statement Tokens) bool) (statements []string) {
	tokens := s.Tokens(query)
	start := 0
	for i := 0; i <= len(tokens); i++ {
		if i < len(tokens) && (tokens[i].Kind != Semicolon || ends != nil && !ends(tokens[start:i])) {
			continue
		}
		end := len(query)
		if i < len(tokens) {
			end = tokens[i].Pos
		}
		if i > start {
			statements = append(statements, strings.TrimRight(query[tokens[start].Pos:end], " \t\r\n"))
		}
		start = i + 1
	}
	return statements
}

// Calls reports whether query calls one of the functions: a name in front of an
// opening parenthesis, in any case of letters. Comments and literals are not
// told apart, which keeps it cheap: what it is asked for makes a connection be
// closed early, at worst.
func Calls(query string, functions ...string) bool {
	for rest := query; ; {
		i := strings.IndexByte(rest, '(')
		if i < 0 {
			return false
		}
		end := i
		for end > 0 && (rest[end-1] == ' ' || rest[end-1] == '\n' || rest[end-1] == '\t') {
			end--
		}
		for _, f := range functions {
			if start := end - len(f); start >= 0 && strings.EqualFold(rest[start:end], f) &&
				(start == 0 || !wordPart(rest[start-1])) {
				return true
			}
		}
		rest = rest[i+1:]
	}
}
