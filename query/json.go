package query

import (
	"slices"

	"github.com/holdfast-go/holdfast/internal/ast"
)

// JSON is a value within a JSON column, at the end of a path (rule S58). Where the path
// leads nowhere it is NULL; the null of JSON is a value. As an [Expr] it is still JSON:
// it equals a Go value that is the same JSON, a string that text and a number that
// number, and has no order. What is not NULL is there, so that a key is tested for by
// [JSON.Exists]. Text, Int, Float and Bool read it as what can be calculated with and
// ordered.
type JSON struct{ Expr }

// JSON is the value within a JSON column to which path leads: a string is the key of an
// object, whatever is in it, and an int a position in an array, of which the first is 0.
//
//	query.F("data").JSON("address", "city").Text()
//	query.F("data").JSON("lines", 0, "price").Float().Gt(9.5)
//
// A key leads nowhere in an array, and a position nowhere in an object. A negative
// position, a key with a NUL in it or that is no UTF-8, and more than 30 steps are a
// *ValueError. MySQL needs 8.0.17 and SQLite 3.45; MariaDB does not find keys that
// begin with -: dialect.ErrUnsupported.
func (e Expr) JSON(path ...any) JSON {
	if of, ok := e.node.(ast.JSONPath); ok {
		return JSON{Expr{ast.JSONPath{Of: of.Of, Path: slices.Concat(of.Path, path)}}}
	}
	return JSON{Expr{ast.JSONPath{Of: nodeOf(e), Path: slices.Clone(path)}}}
}

// JSON is the value within the column to which path leads: see [Expr.JSON].
func (c TypedColumn[M, V]) JSON(path ...any) JSON { return c.Expr().JSON(path...) }

// Text is the characters of a JSON string, and NULL where the value is no string.
func (j JSON) Text() Expr { return j.read(ast.JSONText) }

// Int is a whole number, and NULL where the value is none or has more than 64 bits. 2.0
// is one.
func (j JSON) Int() Expr { return j.read(ast.JSONWhole) }

// Float is any number as a floating-point number, and NULL where the value is no number
// or is beyond 1.797e308.
func (j JSON) Float() Expr { return j.read(ast.JSONFloat) }

// Bool is true or false, and NULL where the value is neither.
func (j JSON) Bool() Expr { return j.read(ast.JSONBoolean) }

// Type says what the value is, as a text: "object", "array", "string", "number",
// "boolean" or "null"; NULL where there is none.
func (j JSON) Type() Expr { return j.read(ast.JSONType) }

// Len is how many elements an array has, and NULL where the value is no array.
func (j JSON) Len() Expr { return j.read(ast.JSONLength) }

// Exists holds where the path leads to a value, also to the null of JSON.
func (j JSON) Exists() Cond { return j.IsNotNull() }

// Set gives the end of the path a value, which is written as encoding/json writes it: nil
// is the null of JSON. What is an object on the way and is not there is made, in a column
// that is NULL too. A position has to be there. Where the path leads through something
// else, such as a text, the whole UPDATE fails: none of its values is lost in silence.
//
// An UPDATE takes any number of changes of one column, of which none lies within what
// another changes.
func (j JSON) Set(value any) Assignment {
	return j.change(ast.JSONChange{Value: operand(value)})
}

// Remove takes away the key, or the element, to which the path leads. What is not there
// stays away: the row is left as it is.
func (j JSON) Remove() Assignment { return j.change(ast.JSONChange{Remove: true}) }

func (j JSON) read(as ast.JSONReading) Expr { return Expr{ast.JSONRead{Of: nodeOf(j), As: as}} }

func (j JSON) change(c ast.JSONChange) Assignment {
	at, _ := j.node.(ast.JSONPath)
	c.Path = at.Path
	return Assignment{ast.Assignment{Column: at.Of, Value: ast.JSONChanged{Of: at.Of, Changes: []ast.JSONChange{c}}}}
}
