// Package clusters has the rules of the contract on more than one machine: behind a
// failover, a cut line, two writers, a pooler.
//
// "make test" runs what a PostgreSQL primary with its standby and PgBouncer show;
// "make test-clusters" starts every kind of cluster but Vitess, for which there is
// "make test-vitess". HOLDFAST_SOAK, which "make
// soak-clusters" sets, makes the long tests long.
package clusters
