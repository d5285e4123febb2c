package postgres

import "strings"

// safeMessage is the server's message without values. Its detail is never used:
// that is where the server puts whole rows.
func (a answer) safeMessage() string {
	switch {
	case a.raised():
		return "raised by a function or a trigger; the text is in the driver's error"
	case strings.HasPrefix(a.code, "22"):
		return a.dataException()
	case a.code == "26000", a.code == "42P05":
		return a.message + "; behind a pooler in transaction mode, open with WithoutStatementCache"
	case a.ends(), a.placed, named[a.code], len(a.code) == 5 && namedClasses[a.code[:2]]:
		return a.message
	}
	if name := conditions[a.code]; name != "" {
		return name + "; the text is in the driver's error"
	}
	return "the text is in the driver's error"
}

// raised reports whether RAISE in PL/pgSQL made a, of which every part is the application's then.
func (a answer) raised() bool { return a.routine == "exec_stmt_raise" }

// violated is what the server names beside its message.
func (a answer) violated() (constraint string, columns []string) {
	if a.raised() || !strings.HasPrefix(a.code, "23") {
		return "", nil
	}
	if a.column != "" {
		columns = []string{a.column}
	}
	return a.constraint, columns
}

// What the server says of a statement's text, it says with a position in it
// ([answer.placed]); what it says without one may come of a function or a cast
// that was given a bound value: to_tsquery, nextval, regclass. These codes are of
// what no value leads to: their messages hold names at most.
var (
	namedClasses = map[string]bool{
		"08": true, // connection exception
		"21": true, // cardinality violation
		"23": true, // integrity constraint violation
		"25": true, // invalid transaction state
		"27": true, // triggered data change violation
		"28": true, // invalid authorization specification
		"2B": true, // dependent objects still exist
		"2F": true, // SQL routine exception: control reached end of function without RETURN
		"3B": true, // savepoint exception
		"40": true, // transaction rollback
		"53": true, // insufficient resources
		"54": true, // program limit exceeded
		"57": true, // operator intervention
	}
	named = map[string]bool{
		"0A000": true,                // feature not supported
		"42501": true,                // permission denied for table parent
		"42P18": true,                // could not determine data type of parameter $1
		"55006": true, "55P03": true, // in use, locked
		// Of statements that take no values:
		"42P04": true, "42P06": true, "42P07": true, "42701": true, "42710": true, "42712": true, "42723": true, // … already exists
		"42P11": true, "42P12": true, "42P13": true, "42P14": true, "42P15": true, "42P16": true, "42P17": true, "42611": true, // invalid definitions
		"42830": true,                // invalid foreign key
		"428C9": true,                // cannot insert a non-DEFAULT value into column "id"
		"42P10": true,                // there is no unique or exclusion constraint matching the ON CONFLICT specification
		"42P21": true, "42P22": true, // could not determine which collation to use
		"44000": true, // new row violates check option for view "cheap"
	}
	conditions = map[string]string{
		"34000": "invalid cursor name",
		"3D000": "invalid database name",
		"3F000": "invalid schema name",
		"42601": "syntax error",
		"42602": "invalid name",
		"42622": "name too long",
		"42703": "undefined column",
		"42704": "undefined object",
		"42725": "ambiguous function",
		"42803": "grouping error",
		"42804": "datatype mismatch",
		"42809": "wrong object type",
		"42846": "cannot coerce",
		"42883": "undefined function",
		"42939": "reserved name",
		"42P01": "undefined table",
		"42P02": "undefined parameter",
		"55000": "object not in prerequisite state",
		"55P02": "the parameter cannot be changed now",
		"55P04": "unsafe use of a new value of an enumeration",
		"58030": "I/O error",
		"58P01": "undefined file",
		"P0000": "error in PL/pgSQL",
		"P0002": "no data found",
		"P0003": "too many rows",
		"P0004": "an assertion failed",
		"XX000": "internal error",
	}
)

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
