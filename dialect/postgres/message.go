package postgres

import "strings"

// safeMessage is the server's message without values. Its detail is never used:
// that is where the server puts whole rows.
func (a answer) safeMessage() string {
	switch {
	case a.routine == "exec_stmt_raise": // by RAISE in PL/pgSQL
		return "raised by a function or a trigger; the text is in the driver's error"
	case strings.HasPrefix(a.code, "22"):
		return a.dataException()
	case a.code == "26000", a.code == "42P05":
		return a.message + "; behind a pooler in transaction mode, open with WithoutStatementCache"
	}
	return a.message
}

// dataException is about a value, and its message quotes it more often than
// not. What stands in front of the quotation is kept, and the whole message
// where it is known to quote nothing.
func (a answer) dataException() string {
	switch a.code {
	case "22001", // value too long for type character varying(3)
		"22012", // division by zero
		"22P03": // incorrect binary data format in bind parameter 1
		return a.message
	}
	head, _, quotes := strings.Cut(a.message, `: "`) // invalid input syntax for type integer: "x"
	if (quotes || strings.HasPrefix(head, "invalid input syntax for type ")) && !strings.ContainsAny(head, `:"'«»„“`) {
		return head
	}
	if name := dataExceptions[a.code]; name != "" {
		return name
	}
	return "data exception"
}

// dataExceptions are the names of the conditions of class 22 that an
// application meets.
var dataExceptions = map[string]string{
	"22003": "numeric value out of range",
	"22004": "null value not allowed",
	"22007": "invalid datetime format",
	"22008": "datetime field overflow",
	"22009": "invalid time zone displacement value",
	"2200H": "sequence generator limit exceeded",
	"2200M": "invalid XML document",
	"2201B": "invalid regular expression",
	"2201W": "invalid row count in LIMIT clause",
	"2201X": "invalid row count in OFFSET clause",
	"22011": "substring error",
	"22015": "interval field overflow",
	"22019": "invalid escape character",
	"22021": "character not in repertoire: a byte sequence that is not valid in the encoding, such as a zero byte",
	"22023": "invalid parameter value",
	"22025": "invalid escape sequence",
	"22026": "string data, length mismatch",
	"2202E": "array subscript error",
	"22030": "duplicate JSON object key value",
	"22032": "invalid JSON text",
	"22P01": "floating point exception",
	"22P02": "invalid text representation",
	"22P05": "untranslatable character",
}
