package store

import (
	"strings"

	"github.com/holdfast-go/holdfast/dialect"
	"github.com/holdfast-go/holdfast/dialect/mysql"
	"github.com/holdfast-go/holdfast/dialect/postgres"
	"github.com/holdfast-go/holdfast/dialect/sqlite"
)

// Source is the database at an address: a URL that begins with postgres:// or
// mysql://, or a file of SQLite.
func Source(address string) dialect.Source {
	scheme, _, _ := strings.Cut(address, "://")
	switch scheme {
	case "postgres", "postgresql":
		return postgres.Open(address)
	case "mysql", "mariadb":
		return mysql.Open(address)
	}
	return sqlite.Open(address)
}
