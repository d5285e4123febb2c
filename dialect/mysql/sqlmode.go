package mysql

import (
	"strings"

	"github.com/holdfast-go/holdfast/internal/lex"
)

// changingModes are the sql_modes under which the same statement stores another
// value or has another answer, and what each does. The others are met by what is
// written: no || and no NOT in front of a condition, DOUBLE for REAL, a difference of
// numbers with a sign, times as fine as their column, assignments that read nothing
// that was assigned.
//
// Sources: MySQL manual, "Server SQL Modes"; MariaDB documentation, "SQL_MODE".
var changingModes = []struct{ name, does string }{
	{"EMPTY_STRING_IS_NULL", "makes NULL of every empty text that is bound"},
	{"ORACLE", "makes NULL of what a function leaves empty, and a DATETIME of a DATE"},
	{"PAD_CHAR_TO_FULL_LENGTH", "fills what a CHAR column holds with blanks"},
}

// changingMode is why nobody can work under a sql_mode, or nothing.
func changingMode(mode string) string {
	for _, m := range changingModes {
		if strings.Contains(strings.ToUpper(mode), m.name) {
			return m.name + " " + m.does
		}
	}
	return ""
}

// checkMode looks at the sql_mode of connections that have been opened (rule S1).
func checkMode(mode string) error {
	if !strings.Contains(mode, "STRICT_TRANS_TABLES") && !strings.Contains(mode, "STRICT_ALL_TABLES") {
		return conflict("sql_mode", "without a strict mode the server changes values that it cannot store: "+
			"open the pool with a sql_mode that has STRICT_TRANS_TABLES")
	}
	if why := changingMode(mode); why != "" {
		return conflict("sql_mode", why+": leave it out of the sql_mode, or where the server's has it, "+
			"give the DSN one without, as in sql_mode='TRADITIONAL'")
	}
	return nil
}

// sameModes is the condition, for sessionCheck, that the session has none of changingModes.
var sameModes = func() string {
	var found []string
	for _, m := range changingModes {
		found = append(found, "FIND_IN_SET('"+m.name+"', @@sql_mode)")
	}
	return strings.Join(found, " + ") + " = 0"
}()

// changesMode says why a SET is refused that names one of changingModes for the
// session's sql_mode, or nothing. What an expression hides is found by sessionCheck.
func changesMode(s lex.Tokens) string {
	for i, t := range s {
		if !strings.EqualFold(t.Name(), "sql_mode") {
			continue
		}
		if _, ok := assigned(s, i); !ok {
			continue
		}
		depth := 0
		for _, part := range s[i+1:] {
			switch part.Text {
			case "(":
				depth++
			case ")":
				depth--
			}
			if depth == 0 && (part.Text == "," || part.Is("FOR")) {
				break
			}
			if why := changingMode(part.Text); why != "" {
				return why + "; leave it out of the session's sql_mode"
			}
		}
	}
	return ""
}
