// Package backend is what a database engine does for the rest of the library:
// how a connection is opened, how control statements are spelled and sent, what
// an error means, who waits for whom. dialect/mysql, dialect/postgres and
// dialect/sqlite implement [Engine] and [Wire]; package atomic's machinery calls
// them.
package backend
