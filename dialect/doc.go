// Package dialect holds what differs between databases, behind one face: how a
// connection is opened, how control statements are spelled, how they travel
// with other statements, what the server can do and what its errors mean.
//
// The engines live in sub-packages that each open their own driver
// (dialect/mysql, dialect/postgres, dialect/sqlite), so that an application
// links only the drivers that it imports. This package imports none.
//
// Applications meet this package in two places: they hand a [Source] to
// orm.Open, and they match error kinds such as [ErrUniqueViolation] with
// [errors.Is]. Everything else is for the library's own rooms.
package dialect
