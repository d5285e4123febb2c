package dialect

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"

	"github.com/uptrace/bun/schema"
)

// Source says how to reach a database. mysql.Open, postgres.Open and
// sqlite.Open return one, and so does From of each, for a pool that the
// application has opened itself.
type Source interface {
	// Connect opens the pool, asks the server who it is and checks that its
	// version is one that Holdfast supports. It returns an *OpenError, which
	// names the setting at fault and never holds a password.
	Connect(ctx context.Context) (*Database, error)
}

// Database is one opened database.
type Database struct {
	// Pool holds the connections to the server. Only atomic takes connections
	// from it: a statement sent here directly would bypass every block.
	Pool *sql.DB
	// Reserve makes connections beside the pool, for a question that cannot wait
	// until others give theirs back. It is nil where nobody knows how, for a
	// pool of the application's.
	Reserve *sql.DB
	// Server is what the server said of itself when it was opened.
	Server Server
	// Engine spells and sends what differs between databases.
	Engine Engine
	// Schema is bun's dialect for this server: tables, fields and scanning.
	Schema schema.Dialect
	// Borrowed is true when Pool was handed in by the application (From):
	// closing the database then leaves Pool open.
	Borrowed bool
}

// Close closes the pool unless it is borrowed.
func (d *Database) Close() error {
	var errs []error
	if d.Reserve != nil {
		errs = append(errs, d.Reserve.Close())
	}
	if !d.Borrowed {
		errs = append(errs, d.Pool.Close())
	}
	return errors.Join(errs...)
}

// NewReserve makes a Reserve: of few connections, none of which is kept.
func NewReserve(c driver.Connector) *sql.DB {
	db := sql.OpenDB(c)
	db.SetMaxOpenConns(4)
	db.SetMaxIdleConns(-1)
	return db
}
