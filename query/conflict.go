package query

import (
	"slices"

	"github.com/holdfast-go/holdfast/internal/ast"
)

// Conflict says what BulkCreate of package orm does with a row whose key is
// there already. It begins with [OnConflict].
type Conflict struct{ node ast.Conflict }

// OnConflict names the columns of the unique key by which a new row may meet one
// that is there (rule S40). What happens then is said by one of the methods:
//
//	query.OnConflict("name").DoNothing()
//	query.OnConflict("name").Update("price", "stock")
//	query.OnConflict("name").Set(query.Set("stock", query.F("stock").Add(query.Excluded("stock"))))
func OnConflict(columns ...string) Conflict {
	return Conflict{ast.Conflict{Target: slices.Clone(columns)}}
}

// DoNothing leaves the row that is there as it is.
func (c Conflict) DoNothing() Conflict {
	c.node.Nothing = true
	return c
}

// Update writes the named columns of the new row over those of the one that is
// there; without names all that Save would write and the new row has a value for.
func (c Conflict) Update(columns ...string) Conflict {
	c.node.All = c.node.All || len(columns) == 0
	c.node.Update = append(slices.Clip(c.node.Update), columns...)
	return c
}

// Set computes columns of the row that is there, from its own values and those of
// the new row, which is [Excluded]. It can be joined with Update.
func (c Conflict) Set(set ...Assignment) Conflict {
	c.node.Set = slices.Clip(c.node.Set)
	for _, a := range set {
		c.node.Set = append(c.node.Set, a.node)
	}
	return c
}

// Node is for the library's own packages: a seam, without promises.
func (c Conflict) Node() ast.Conflict { return c.node }

// Excluded is the value that the new row has for a column, in the Set of an
// [OnConflict]; it has no meaning elsewhere.
func Excluded(column string) Expr { return Expr{ast.Excluded{Column: column}} }
