// Package ast is what statements are made of, as data: package query builds it
// for an application, and package render writes it as one engine's SQL. It knows
// neither of them, and no table, column or engine.
//
// A field of type any holds a [Node], or else a Go value to be bound. Nodes are
// never changed once they are built: any number of statements and goroutines
// share them.
package ast

import (
	"reflect"
	"slices"
)

// Node is an expression or a condition. A nil Node is one that the application
// left out, which is refused when the statement is rendered.
type Node interface{ node() }

// Operand is what hands out an expression: query.Operand.
type Operand interface{ Node() Node }

// Condition is what hands out a condition: query.Cond.
type Condition interface{ Condition() Node }

// Conditions appends the nodes of conds to list.
func Conditions[C Condition](list []Node, conds []C) []Node {
	list = slices.Grow(list, len(conds))
	for _, c := range conds {
		var n Node
		if any(c) != nil {
			n = c.Condition()
		}
		list = append(list, n)
	}
	return list
}

// Missing stands where a field of type any should have a Node: nil would be the
// value NULL there.
type Missing struct{}

// Column is a column named by its path: "text", "project.name".
type Column struct{ Path string }

// Member is a column found by the struct field that holds it.
type Member struct {
	Model reflect.Type
	Path  []string // Go names of the relations on the way
	Index []int    // of the field, in the struct that Path leads to
	Err   error    // why there is no such field; the others are empty then
}

// Raw is SQL written by hand. Each ? in it stands for the next of Args.
type Raw struct {
	SQL  string
	Args []any
}

func (Missing) node() {}
func (Column) node()  {}
func (*Member) node() {}
func (Raw) node()     {}
