// Package tests is the contract suite: one test for each rule of the design,
// named after it (TestB06_…), run on every engine with a real server behind it.
// Where a rule has no meaning on an engine, the test says so.
//
// The suite looks at each rule from outside as well: what is in the tables, as
// another program sees it, and whether the server still has a transaction open.
package tests
