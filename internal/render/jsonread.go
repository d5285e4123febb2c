package render

import (
	"github.com/holdfast-go/holdfast/dialect"
	"github.com/holdfast-go/holdfast/internal/ast"
	"github.com/holdfast-go/holdfast/internal/column"
)

// How a value of JSON is read, which is @1: only where it is of the type that is asked
// for, since each engine makes something else of the others (rule S58).
var (
	jsonText = form{
		mysql:    "(CASE WHEN JSON_TYPE(@1) NOT IN ('OBJECT', 'ARRAY', 'BOOLEAN', 'NULL', 'INTEGER', 'UNSIGNED INTEGER', 'DOUBLE', 'DECIMAL') THEN JSON_UNQUOTE(@1) END)",
		postgres: "(CASE WHEN jsonb_typeof(@1) = 'string' THEN @1 #>> '{}' END)",
		sqlite:   "(CASE WHEN json_type(@1) = 'text' THEN json_extract(@1, '$') END)",
	}
	jsonType = form{
		mysql: "(CASE JSON_TYPE(@1) WHEN 'OBJECT' THEN 'object' WHEN 'ARRAY' THEN 'array' WHEN 'BOOLEAN' THEN 'boolean' WHEN 'NULL' THEN 'null' " +
			"WHEN 'INTEGER' THEN 'number' WHEN 'UNSIGNED INTEGER' THEN 'number' WHEN 'DOUBLE' THEN 'number' WHEN 'DECIMAL' THEN 'number' " +
			"ELSE CASE WHEN @1 IS NOT NULL THEN 'string' END END)",
		postgres: "jsonb_typeof(@1)",
		sqlite: "(CASE json_type(@1) WHEN 'true' THEN 'boolean' WHEN 'false' THEN 'boolean' WHEN 'integer' THEN 'number' WHEN 'real' THEN 'number' " +
			"WHEN 'text' THEN 'string' ELSE json_type(@1) END)",
	}
	// What is written with a point or an exponent counts as the floating-point number
	// that it is, which all but PostgreSQL make of it.
	jsonWhole = form{
		mysql: "(CASE JSON_TYPE(@1) WHEN 'INTEGER' THEN CAST(@1 AS SIGNED) " +
			"WHEN 'UNSIGNED INTEGER' THEN CASE WHEN CAST(@1 AS UNSIGNED) <= 9223372036854775807 THEN CAST(@1 AS SIGNED) END " +
			"WHEN 'DOUBLE' THEN " + wholeOf("@1 + 0e0") + " WHEN 'DECIMAL' THEN " + wholeOf("@1 + 0e0") + " END)",
		mariadb: "(CASE WHEN JSON_TYPE(@1) NOT IN ('INTEGER', 'DOUBLE') THEN NULL WHEN @1 REGEXP '^-?[0-9]{1,19}$' " +
			"THEN CASE WHEN CAST(@1 AS DECIMAL(20, 0)) BETWEEN -9223372036854775808 AND 9223372036854775807 THEN CAST(@1 AS SIGNED) END " +
			"ELSE " + wholeOf("@1 + 0e0") + " END)",
		postgres: "(CASE WHEN jsonb_typeof(@1) = 'number' THEN CASE " +
			"WHEN scale(CAST(@1 AS numeric)) = 0 THEN CASE WHEN CAST(@1 AS numeric) BETWEEN -9223372036854775808 AND 9223372036854775807 THEN CAST(CAST(@1 AS numeric) AS bigint) END " +
			"WHEN ABS(CAST(@1 AS numeric)) < 9223372036854775296 AND CAST(CAST(@1 AS numeric) AS double precision) = TRUNC(CAST(CAST(@1 AS numeric) AS double precision)) " +
			"THEN CAST(CAST(CAST(@1 AS numeric) AS double precision) AS bigint) END END)",
		sqlite: "(CASE typeof(json_extract(@1, '$')) WHEN 'integer' THEN CASE WHEN json_type(@1) = 'integer' THEN json_extract(@1, '$') END " +
			"WHEN 'real' THEN CASE WHEN ABS(json_extract(@1, '$')) < 9223372036854775808.0 AND json_extract(@1, '$') = CAST(json_extract(@1, '$') AS INTEGER) " +
			"THEN CAST(json_extract(@1, '$') AS INTEGER) END END)",
	}
	jsonFloat = form{
		mysql: "(CASE WHEN JSON_TYPE(@1) IN ('INTEGER', 'UNSIGNED INTEGER', 'DOUBLE', 'DECIMAL') AND ABS(@1 + 0e0) < 1.7976931348623157e308 THEN @1 + 0e0 END)",
		postgres: "(CASE WHEN jsonb_typeof(@1) = 'number' THEN CASE WHEN ABS(CAST(@1 AS numeric)) < 1.7976931348623157e308 " +
			"THEN CAST(CAST(@1 AS numeric) AS double precision) END END)",
		sqlite: "(CASE WHEN json_type(@1) IN ('integer', 'real') AND ABS(CAST(json_extract(@1, '$') AS REAL)) < 1.7976931348623157e308 THEN CAST(json_extract(@1, '$') AS REAL) END)",
	}
	jsonBoolean = form{
		mysql:    "(CASE WHEN JSON_TYPE(@1) = 'BOOLEAN' THEN JSON_UNQUOTE(@1) = 'true' END)",
		postgres: "(CASE WHEN jsonb_typeof(@1) = 'boolean' THEN CAST(@1 AS boolean) END)",
		sqlite:   "(CASE json_type(@1) WHEN 'true' THEN 1 WHEN 'false' THEN 0 END)",
	}
	jsonLength = form{
		mysql:    "(CASE WHEN JSON_TYPE(@1) = 'ARRAY' THEN JSON_LENGTH(@1) END)",
		postgres: "(CASE WHEN jsonb_typeof(@1) = 'array' THEN CAST(jsonb_array_length(@1) AS bigint) END)",
		sqlite:   "(CASE WHEN json_type(@1) = 'array' THEN json_array_length(@1) END)",
	}

	jsonReadings = [...]struct {
		form form
		as   kind
	}{
		ast.JSONText: {jsonText, someText}, ast.JSONType: {jsonType, someText}, ast.JSONWhole: {jsonWhole, wholeNumber}, ast.JSONFloat: {jsonFloat, floatingNumber},
		ast.JSONBoolean: {jsonBoolean, of(column.Boolean)}, ast.JSONLength: {jsonLength, wholeNumber},
	}
)

// wholeOf is what MySQL makes a whole number of, if it is one.
func wholeOf(f string) string {
	return "CASE WHEN " + f + " >= -9223372036854775808e0 AND " + f + " < 9223372036854775808e0 AND " + f + " = TRUNCATE(" + f + ", 0) THEN CAST(TRUNCATE(" + f + ", 0) AS SIGNED) END"
}

// jsonRead writes a value of JSON as one of another kind.
func (w *writer) jsonRead(n ast.JSONRead) kind {
	if err := w.server.Require(dialect.JSONPaths); err != nil {
		w.fail(err)
	}
	p := w.jsonOf(n.Of)
	if w.err != nil {
		return kind{}
	}
	r := jsonReadings[n.As]
	w.fill(r.form.of(w), p)
	w.byItself(r.as) // as they are they would be equal but for blanks at their end
	w.nullable = true
	return r.as
}
