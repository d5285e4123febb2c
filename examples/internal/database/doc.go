// Package database is the option -db of the examples: the embedded database, a server
// that is running, or one in a container that is removed afterwards.
package database
