package query

import "github.com/holdfast-go/holdfast/internal/ast"

// Assignment gives a column a new value in an UPDATE.
type Assignment struct{ node ast.Assignment }

// Set assigns a value, or what the server computes from the row as it was:
//
//	query.Set("text", "Hello")
//	query.Set("speed", query.F("speed").Mul(2))
//
// An assignment of nil is NULL. All assignments of one UPDATE see the row as it
// was before, on every engine.
func Set(name string, value any) Assignment { return assign(ast.Column{Path: name}, value) }

// Node is for the library's own packages: a seam, without promises.
func (a Assignment) Node() ast.Assignment { return a.node }

func assign(column ast.Node, value any) Assignment {
	return Assignment{ast.Assignment{Column: column, Value: operand(value)}}
}
