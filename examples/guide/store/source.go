package store

import (
	"strings"

	"github.com/holdfast-go/holdfast/dialect"
	"github.com/holdfast-go/holdfast/dialect/mysql"
	"github.com/holdfast-go/holdfast/dialect/postgres"
	"github.com/holdfast-go/holdfast/dialect/sqlite"
)

// Source is the database at an address: "postgres://…", "mysql:" and a DSN of
// go-sql-driver/mysql, or a file of SQLite.
func Source(address string) dialect.Source {
	if strings.HasPrefix(address, "postgres://") {
		return postgres.Open(address)
	}
	if dsn, is := strings.CutPrefix(address, "mysql:"); is {
		return mysql.Open(dsn)
	}
	return sqlite.Open(address)
}
