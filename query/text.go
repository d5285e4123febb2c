package query

import "github.com/holdfast-go/holdfast/internal/ast"

// Concat is its arguments, which are text, one after the other, and NULL if one of
// them is NULL: see [Coalesce].
func Concat(first, second any, more ...any) Expr {
	return Expr{ast.Concat{Of: operands(append([]any{first, second}, more...))}}
}

// Length is the number of characters of a text: of code points, as
// utf8.RuneCountInString counts them. SQLite counts up to a NUL.
func Length(e Operand) Expr { return Expr{ast.Length{Of: nodeOf(e)}} }

// Substr is the part of a text from its character number start on, of as many
// characters as length says, or all the rest. The first character is 1; a negative
// start counts from the end, and begins with the first where the text is shorter. A
// start of 0, or a negative length, is a *ValueError.
func Substr(e Operand, start int, length ...int) Expr {
	node := ast.Substr{Of: nodeOf(e), Start: start, ToEnd: true}
	if len(length) > 0 {
		node.Length, node.ToEnd = length[0], false
	}
	return Expr{node}
}

// Trim is a text without the characters of set at its beginning and its end, or
// without blanks there; no other space is one.
func Trim(e Operand, set ...string) Expr { return trim(e, true, true, set) }

// TrimLeft is [Trim] at the beginning of a text only.
func TrimLeft(e Operand, set ...string) Expr { return trim(e, true, false, set) }

// TrimRight is [Trim] at the end of a text only.
func TrimRight(e Operand, set ...string) Expr { return trim(e, false, true, set) }

func trim(e Operand, left, right bool, set []string) Expr {
	node := ast.Trim{Of: nodeOf(e), Left: left, Right: right, Set: " "}
	if len(set) > 0 {
		node.Set = set[0]
	}
	return Expr{node}
}

// Replace is a text in which replacement stands for each old, capitals told apart from
// small letters. An empty old is found nowhere.
func Replace(e Operand, old, replacement any) Expr {
	return Expr{ast.Replace{Of: nodeOf(e), Old: operand(old), New: operand(replacement)}}
}
