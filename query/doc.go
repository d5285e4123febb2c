// Package query builds the parts of statements: columns, conditions,
// arithmetic, functions, orderings and assignments. Package orm sends them, as
// SQL text with placeholders and a list of values for the driver to bind; no
// value is ever written into the text (rule S1).
//
// A condition starts from a column, named as a string that is checked against
// the model (rule S2), or found by a typed function that the compiler checks
// (rule S3):
//
//	query.F("is_audio_required").Eq(true)
//	query.F("project.name").StartsWith("Radio")        // over a relation
//	query.F("index").Add(1).Le(query.F("length"))
//
//	var UpdatedAt = query.Column(func(a *Audio) *time.Time { return &a.UpdatedAt })
//	UpdatedAt.Lt(time.Now().Add(-time.Hour))
//
// # NULL
//
// A condition is true or false for a row, never unknown. NULL is a value that
// equals nil and nothing else: Eq(nil) holds for NULL (as Django's exact=None
// does), Eq(5) does not, Ne(5) does, and Lt and Gt do not. So [Not] and Ne keep
// exactly the rows that their opposites drop. SQL's own <> and NOT, which drop
// NULL on both sides, can be written with [Raw].
//
// # The same on every engine
//
// A condition means the same on every engine, and where engines differ in the
// spelling, the package spells it. Two things stay the database's own: the
// collation decides how text compares in Eq, Lt and orderings, and the server which
// letters Lower, Upper and IContains fold (SQLite: ASCII only; PostgreSQL: those
// of the database's locale).
//
// NULL sorts before every other value, on every engine.
//
// Rules that the documentation names by number (S1, S10) are in docs/contract.md,
// https://github.com/holdfast-go/holdfast/blob/main/docs/contract.md.
package query
