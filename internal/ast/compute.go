package ast

import "reflect"

// Case is the value of the first branch whose condition holds.
type Case struct {
	Branches []Branch
	Else     any // nil: NULL
}

// Branch is a condition of a [Case], and the value where it holds.
type Branch struct {
	If   Node
	Then any
}

// Extreme is the greatest or the least of several values, and NULL if one of
// them is.
type Extreme struct {
	Greatest bool
	Of       []any
}

// Abs is a number without its sign.
type Abs struct{ Of Node }

// Round is a number with as many decimal places, halves away from zero.
type Round struct {
	Of     Node
	Places int
}

// Cast is Of as a value of another kind, which a Go type names.
type Cast struct {
	Of Node
	To reflect.Type
}

func (Case) node()    {}
func (Extreme) node() {}
func (Abs) node()     {}
func (Round) node()   {}
func (Cast) node()    {}

// Concat is texts, one after the other.
type Concat struct{ Of []any }

// Length is the number of characters of a text.
type Length struct{ Of Node }

// Substr is the part of a text that begins with its character Start, counted
// from 1, or from the end if it is negative.
type Substr struct {
	Of     Node
	Start  int
	Length int
	ToEnd  bool // Length is not given
}

// Trim is a text without the characters of Set at its ends.
type Trim struct {
	Of          Node
	Left, Right bool
	Set         string
}

// Replace is a text in which New stands for each Old.
type Replace struct {
	Of       Node
	Old, New any
}

func (Concat) node()  {}
func (Length) node()  {}
func (Substr) node()  {}
func (Trim) node()    {}
func (Replace) node() {}
