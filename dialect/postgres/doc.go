// Package postgres opens PostgreSQL 13 and later, and servers that speak its
// protocol and its SQL, through pgx.
//
//	db, err := orm.Open(ctx, postgres.Open("postgres://app:secret@db:5432/shop"))
//
// Statements travel in the extended protocol and their values apart from their
// text. A block's control statements travel in front of its next statement, in
// the same round trip. Each connection keeps the statements that it has
// prepared; behind a pooler that hands the server's connections around
// (PgBouncer in transaction mode) that has to be switched off with
// [WithoutStatementCache].
//
// Behind pgpool-II each of them takes a round trip of its own ([OneByOne]).
//
// A session that [Open] begins is in UTC and in UTF-8, whatever the DSN, the
// environment or the server's settings say, so that a time.Time comes back as
// the instant that went in.
//
// A ctx that ends while its statement runs, unless that is COMMIT, closes the
// connection: the driver asks the server to cancel the statement and hangs up,
// and the server rolls back what was open. The connection is not kept, because a
// request to cancel that arrives late would hit whatever runs on it next.
package postgres
