// Package values has the property test of rule S1: for each Go type and each
// type of column that it can have, extreme and random values come back equal and
// are found by their own value, or are refused with a *query.ValueError that
// names the field, whichever call stores them.
package values
