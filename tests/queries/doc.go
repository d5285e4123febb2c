// Package queries has the property test of what is read: rules S30 to S38, S44, S45, S50, S52, S56
// and S57. A program is a few small tables that refer to each other, and a query
// over them that is built twice, step by step: with package query and orm for the
// server, and as functions over the rows in Go, which know nothing of SQL. What the
// server answers is compared row by row, in their order where the query has one.
//
// The tables have NULLs, rows that are equal but for their keys, references to the
// same table, and texts that differ in capitals and in blanks at their end. A query
// has joins, groups, sub-selects, windows, unions, common table expressions, rows
// of relations, and pages; each may stand within the others.
package queries
