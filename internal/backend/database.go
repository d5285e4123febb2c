package backend

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"

	"github.com/uptrace/bun/schema"

	"github.com/holdfast-go/holdfast/dialect"
)

// Database is one opened database.
type Database struct {
	// Pool holds the connections to the server. Only atomic takes connections
	// from it: a statement sent here directly would bypass every block.
	Pool *sql.DB
	// Reserve makes connections beside the pool, for a question that cannot wait
	// until others give theirs back. It is nil where nobody knows how, for a
	// pool of the application's.
	Reserve *sql.DB
	// Connector opens the driver's own connections with the pool's settings (Tools).
	// It is nil for a pool of the application's.
	Connector driver.Connector
	// Server is what the server said of itself when it was opened.
	Server dialect.Server
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

// Apply gives the options of a Source of engine to its settings. The error, of which
// Connect tells, is an *OpenError: one of them is nil.
func Apply[S any, O ~func(*S)](engine string, to *S, opts []O) (err error) {
	for i, opt := range opts {
		if opt == nil {
			err = &dialect.OpenError{Engine: engine, Setting: "options", Problem: fmt.Sprintf("option %d is nil", i+1)}
			continue
		}
		opt(to)
	}
	return err
}

// Opened is what Connect of a Source returns.
func Opened(d *Database, err error) (io.Closer, error) {
	if err != nil {
		return nil, err
	}
	return d, nil
}

// Connect opens the database that src leads to. Errors are those of
// [dialect.Source]; a Source that is not of this library's is refused.
func Connect(ctx context.Context, src dialect.Source) (*Database, error) {
	if src == nil {
		return nil, &dialect.OpenError{Setting: "source", Problem: "there is none: pass what Open of an engine's package returns"}
	}
	opened, err := src.Connect(ctx)
	if err != nil {
		return nil, err
	}
	database, ok := opened.(*Database)
	if !ok {
		_ = opened.Close()
		return nil, &dialect.OpenError{Setting: "source", Problem: fmt.Sprintf("%T is not a source that mysql.Open, postgres.Open, sqlite.Open or a From returns", src)}
	}
	return database, nil
}
