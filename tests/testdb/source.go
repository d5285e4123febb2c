package testdb

import (
	"github.com/holdfast-go/holdfast/dialect"
	"github.com/holdfast-go/holdfast/dialect/mysql"
	"github.com/holdfast-go/holdfast/dialect/postgres"
	"github.com/holdfast-go/holdfast/dialect/sqlite"
)

// Source is what orm.Open takes for a database of an engine.
func Source(engine Engine, dsn string) dialect.Source {
	switch engine {
	case SQLite:
		return sqlite.Open(dsn)
	case Postgres:
		return postgres.Open(dsn)
	default:
		return mysql.Open(dsn)
	}
}
