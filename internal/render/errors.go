package render

import "errors"

var (
	errNilCond  = errors.New("a condition is nil")
	errNoExpr   = errors.New("an expression is empty: begin with F, Value or a function of package query")
	errNoBranch = errors.New("a Case has no When")
)
