// Package testserver gives a test a fresh database on a server that runs
// already.
//
//	func TestTransfer(t *testing.T) {
//		testserver.Each(t, func(t *testing.T, db testserver.Database) {
//			// db.DSN is what the engine's Open takes; db.Admin looks on
//			// from outside, through the stock driver.
//		})
//	}
//
// HOLDFAST_TEST_MYSQL, HOLDFAST_TEST_MARIADB and HOLDFAST_TEST_POSTGRES name the
// servers; SQLite needs none. Without its variable a test of an engine is
// skipped, unless HOLDFAST_TEST_ENGINES, a list such as "sqlite,postgres", asks
// for that engine: then it fails. An engine that the list leaves out is skipped.
// "make test" starts the servers and sets all four.
//
// The package knows no container, so that the library's module requires nothing
// that starts one. What does is package testdb, in the module of the conformance
// suite, which builds on this one.
package testserver
