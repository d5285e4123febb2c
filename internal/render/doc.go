// Package render writes statements: it knows the models of a database, and
// turns what package query has built (package ast) into the SQL of one engine,
// with placeholders, and a list of values for the driver to bind. No value is
// ever written into the text (rule S1).
package render
