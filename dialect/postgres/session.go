package postgres

import (
	"strings"

	"github.com/holdfast-go/holdfast/internal/lex"
)

// sessionFunctions change the session that calls them, or leave something in it.
// What is left out undoes itself with the transaction.
var sessionFunctions = map[string]bool{
	"set_config": true, "setseed": true, "set_limit": true,
	"pg_advisory_lock": true, "pg_advisory_lock_shared": true, "pg_try_advisory_lock": true, "pg_try_advisory_lock_shared": true,
	"pg_advisory_unlock": true, "pg_advisory_unlock_shared": true, "pg_advisory_unlock_all": true,
	"dblink_connect": true, "dblink_connect_u": true, "dblink_disconnect": true, "dblink_open": true, "dblink_close": true, "dblink_send_query": true,
	"pg_create_logical_replication_slot": true, "pg_create_physical_replication_slot": true,
	"pg_copy_logical_replication_slot": true, "pg_copy_physical_replication_slot": true, // which may be temporary
	"pg_backup_start": true, "pg_start_backup": true, "pg_replication_origin_session_setup": true, "pg_replication_origin_session_reset": true,
	// These run a text that they are given.
	"query_to_xml": true, "query_to_xmlschema": true, "query_to_xml_and_xmlschema": true,
	"cursor_to_xml": true, "cursor_to_xmlschema": true, "ts_stat": true, "ts_rewrite": true,
	"crosstab": true, "crosstabn": true, "connectby": true, "crosstab2": true, "crosstab3": true, "crosstab4": true, "xpath_table": true,
}

// signs are parts of all that changes a session in the text of a query: a cheap
// look before the close one. An identifier in U&"…" can be anything.
var signs = []string{
	"set_", "setseed", "advisory", "dblink_", "replication_", "backup", "to_xml", "ts_stat", "ts_rewrite", "crosstab", "connectby", "xpath_table",
	"pg_settings", "temp", `u&"`,
} // of three bytes at least

// changesSession reports whether query, a SELECT or whatever else may have
// functions in it, changes the session by what can be seen of it. What the
// functions of an application do cannot.
func changesSession(query string) bool {
	if !hasSign(query) {
		return false
	}
	s := lex.PostgresSyntax.Tokens(query)
	for i, t := range s {
		switch {
		case t.Is("U") && s.At(i+1).Text == "&" && s.At(i+2).Kind == lex.Quoted:
			return true
		case s.At(i+1).Text == "(" && sessionFunctions[folded(t)] && !(folded(t) == "set_config" && setsLocally(s, i+1)):
			return true
		case folded(t) == "pg_settings" && updates(s[:i]):
			return true // a rule makes set_config of it
		case t.Is("INTO") && !s.At(i-1).IsAny("INSERT", "MERGE") && intoTemporary(s[i+1:]):
			return true
		}
	}
	return false
}

// pairs has the first two letters of each sign, as small ones. No other pair that
// stands in signs' place becomes one of them that way but by chance.
var pairs = func() (p [1 << 10]bool) {
	for _, sign := range signs {
		p[pair(sign[0], sign[1])] = true
	}
	return p
}()

func pair(a, b byte) int { return int(a&31)<<5 | int(b&31) }

// hasSign goes through query once.
func hasSign(query string) bool {
	for i := 0; i+2 < len(query); i++ {
		if !pairs[pair(query[i], query[i+1])] {
			continue
		}
		for _, sign := range signs {
			if query[i]|0x20 == sign[0] && query[i+2]|0x20 == sign[2]|0x20 && len(query)-i >= len(sign) && strings.EqualFold(query[i:i+len(sign)], sign) {
				return true
			}
		}
	}
	return false
}

// folded is the name that the server takes t for, "" if it is none.
func folded(t lex.Token) string {
	switch t.Kind {
	case lex.Word:
		return strings.ToLower(t.Text)
	case lex.Quoted:
		return t.Name()
	}
	return ""
}

// setsLocally reports whether the call of set_config whose parenthesis is at open
// says true at its end, which keeps the setting in the transaction.
func setsLocally(s lex.Tokens, open int) bool {
	end := closing(s, open)
	return s.At(end-1).Is("true") && s.At(end-2).Text == ","
}

// updates reports whether a table that follows s is one that is updated.
func updates(s lex.Tokens) bool {
	n := len(s)
	if n >= 2 && s[n-1].Text == "." {
		n -= 2 // its schema
	}
	if s.At(n - 1).Is("ONLY") {
		n--
	}
	return s.At(n - 1).Is("UPDATE")
}

func intoTemporary(s lex.Tokens) bool {
	if s.At(0).IsAny("GLOBAL", "LOCAL") {
		s = s[1:]
	}
	return s.At(0).IsAny("TEMP", "TEMPORARY") || inTemporarySchema(s)
}

// inTemporarySchema reports whether s begins with the name of something in the
// schema that lives as long as the session.
func inTemporarySchema(s lex.Tokens) bool {
	return strings.HasPrefix(folded(s.At(0)), "pg_temp") && s.At(1).Text == "."
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

// reported are the settings of which the server says when they change, whoever
// has changed them (PostgreSQL manual, "Asynchronous Operations"). What it says
// of others, such as whether it is a standby, is not the session's.
var reported = [...]string{
	"application_name", "client_encoding", "DateStyle", "default_transaction_read_only", "IntervalStyle",
	"search_path", "session_authorization", "standard_conforming_strings", "TimeZone",
}

// settled remembers what the session is like.
func (w *wire) settled() {
	for i, name := range reported {
		w.session[i] = w.conn.ParameterStatus(name)
	}
}

// unsettled reports whether the server has said that it is something else now.
func (w *wire) unsettled() bool {
	for i, name := range reported {
		if w.session[i] != w.conn.ParameterStatus(name) {
			return true
		}
	}
	return false
}
