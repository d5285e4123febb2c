package database

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/holdfast-go/holdfast/orm"
	"github.com/holdfast-go/holdfast/tests/testdb"
)

// Open opens the database that was asked for. clean closes it, and removes what
// was made for it: a temporary file, a container.
func Open(ctx context.Context, d Database, opts ...orm.Option) (db *orm.DB, clean func() error, err error) {
	remove := func() error { return nil }
	dsn := d.DSN
	switch {
	case d.Engine == testdb.SQLite:
		dir, err := os.MkdirTemp("", "holdfast-example-")
		if err != nil {
			return nil, nil, err
		}
		dsn, remove = filepath.Join(dir, "example.db"), func() error { return os.RemoveAll(dir) }
	case d.Container():
		server, err := testdb.Start(ctx, d.Engine, testdb.Report(func(s string) { fmt.Fprintln(os.Stderr, s) }))
		if err != nil {
			return nil, nil, err
		}
		dsn, remove = server.DSN, server.Close
	}
	db, err = orm.Open(ctx, testdb.Source(d.Engine, dsn), opts...)
	if err != nil {
		return nil, nil, errors.Join(err, remove())
	}
	return db, func() error { return errors.Join(db.Close(), remove()) }, nil
}
