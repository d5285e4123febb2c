package query

import "github.com/holdfast-go/holdfast/internal/ast"

// Any holds for a row that has a related row for which all of conds hold; without
// conds, for one that has related rows. The path leads over relations of which one
// at least is has-many or many-to-many: "bookings", "room.bookings",
// "bookings.items". Conditions name columns of the rows at its end, and those of the
// row itself by [Outer]:
//
//	query.Any("bookings", query.F("state").Eq("open"))
//
// It is an EXISTS: no row comes twice, however many related rows there are (rule
// S37). Related rows that are marked as deleted are not there (rule S60). The table between of a many-to-many relation is a model too, which has to be known
// before the first use of the others: it stands in front of them in
// orm.CreateTables, or is given to RegisterModel of orm.DB.Bun. Of several structs for that
// table this says which one is meant. An unknown name is a *FieldError when the statement is rendered.
func Any(path string, conds ...Cond) Cond { return quantified(path, ast.Some, conds) }

// None holds for a row that has no related row for which all of conds hold: exactly
// where [Any] does not.
func None(path string, conds ...Cond) Cond { return quantified(path, ast.NoneOf, conds) }

// Every holds for a row if all of conds hold for each of its related rows, and so
// also for a row that has none.
func Every(path string, conds ...Cond) Cond { return quantified(path, ast.EveryOf, conds) }

func quantified(path string, which ast.Quantifier, conds []Cond) Cond {
	return cond{ast.Quantified{Path: path, Which: which, Where: ast.Conditions(nil, conds)}}
}

// CountOf is the number of related rows for which all of conds hold. Path and conds
// are those of [Any]:
//
//	rooms.Annotate("open", query.CountOf("bookings", query.F("state").Eq("open"))).OrderBy("-open")
//
// CountOf, SumOf, MinOf, MaxOf and AvgOf are a sub-select each, in which every row
// counts once: two of them in a statement do not multiply each other (rule S37).
func CountOf(path string, conds ...Cond) Expr { return overRelated(path, Count(), conds) }

// SumOf is the sum of e over the related rows, NULL without any. e names their
// columns.
func SumOf(path string, e Operand, conds ...Cond) Expr { return overRelated(path, Sum(e), conds) }

// MinOf is the least value of e among the related rows, NULL without any.
func MinOf(path string, e Operand, conds ...Cond) Expr { return overRelated(path, Min(e), conds) }

// MaxOf is the greatest value of e among the related rows, NULL without any.
func MaxOf(path string, e Operand, conds ...Cond) Expr { return overRelated(path, Max(e), conds) }

// AvgOf is the mean of e over the related rows as a floating-point number, NULL
// without any.
func AvgOf(path string, e Operand, conds ...Cond) Expr { return overRelated(path, Avg(e), conds) }

func overRelated(path string, e AggregateExpr, conds []Cond) Expr {
	return Expr{ast.OverRelated{Path: path, Of: e.node.(ast.Aggregate), Where: ast.Conditions(nil, conds)}}
}
