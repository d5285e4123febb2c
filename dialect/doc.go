// Package dialect has what an application sees of the differences between
// databases: the kinds of errors, what a server can do, who waits for whom.
//
// The engines live in sub-packages that each open their own driver
// (dialect/mysql, dialect/postgres, dialect/sqlite), so that an application
// links only the drivers that it imports. This package imports none.
//
// Applications meet this package in three places: they hand a [Source] to
// orm.Open, they match error kinds such as [ErrUniqueViolation] with
// [errors.Is], and they ask a [Server] whether it has a [Capability].
//
// Rules that the documentation names by number (L3, S5) are in docs/contract.md,
// https://github.com/holdfast-go/holdfast/blob/main/docs/contract.md.
package dialect
