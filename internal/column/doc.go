// Package column knows what a column is: the class of the values that it holds,
// read from its SQL type or, where a model names none, from the Go type that
// orm.CreateTables would make a column of. What may stand beside a column, and
// what it can hold, follows from its class alone (package render), so that it is
// the same on every engine.
package column
