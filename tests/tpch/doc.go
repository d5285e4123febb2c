// Package tpch asks the 22 business questions of TPC-H twice: with orm and query,
// and as SQL by hand, on every engine, and compares the answers. What is asked is
// TPC's (TPC Benchmark H, Standard Specification, revision 3.0.1, clause 2.4); the
// statements, and the data, are this package's own.
//
// SQLite has no decimals, so that amounts are whole cents, and discounts and taxes
// whole per cents. An amount times (100 - discount) is in hundredths of a cent, and
// times (100 + tax) in ten-thousandths.
//
// The tables are in schema.go, the questions in questions.go and questions_more.go, what
// they are compared with in plain.go. The data have the sizes of a hundredth of scale 1
// and are the same each time (generate.go). Amounts are compared exactly, means and
// shares to twelve digits.
package tpch
