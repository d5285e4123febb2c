// Package testdb gives a test a fresh database on a real server.
//
//	func TestTransfer(t *testing.T) {
//		testdb.Each(t, func(t *testing.T, db testdb.Database) {
//			// db.DSN is what the engine's Open takes; db.Admin looks on
//			// from outside, through the stock driver.
//		})
//	}
//
// The servers of a test process are shared by its tests, each of which has a
// database of its own. Where a server comes from, in this order:
//
//   - HOLDFAST_TEST_MYSQL, HOLDFAST_TEST_MARIADB and HOLDFAST_TEST_POSTGRES
//     name a running one. The command tests/rig, which "make test" uses, starts
//     the servers once for all packages and sets these.
//   - A container of mysql:8.4, mariadb:11 or postgres:17, or of the image in
//     HOLDFAST_MYSQL_IMAGE, HOLDFAST_MARIADB_IMAGE or HOLDFAST_POSTGRES_IMAGE.
//   - Where no image can be pulled, a container of an image built on the spot
//     from Debian packages (package images).
//
// HOLDFAST_TEST_ENGINES, a list such as "sqlite,postgres", restricts a run to
// some engines. Apart from that, a server that was asked for and cannot be had
// fails the test; nothing is skipped.
//
// HOLDFAST_MYSQL_FLAGS, HOLDFAST_MARIADB_FLAGS and HOLDFAST_POSTGRES_FLAGS are
// given to each server that is started, so that the same tests run against a
// server with other settings.
//
// A test that needs more than one machine asks for them: [Cluster] starts a cluster
// whose nodes the test kills, cuts off from each other and promotes, and
// [Machines.Pooler] what stands in front of one. HOLDFAST_TEST_CLUSTERS lists those
// that a run is to start, or says "all"; without it these are the ones that need no
// image of their own, a PostgreSQL primary with its standby, and PgBouncer. Vitess is
// compiled from its module, which takes minutes, and has to be named: "all" leaves it
// out.
//
// A container lives no longer than the process that started it, however that
// ends: its standard input is the process's.
//
// Databases are package testserver's, which the library's own tests use: it takes
// a server from the environment alone.
package testdb
