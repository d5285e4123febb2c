package orm

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/holdfast-go/holdfast/atomic"
	"github.com/holdfast-go/holdfast/dialect"
	"github.com/holdfast-go/holdfast/internal/backend"
)

// ErrMigrationLockLost: the connection with the lock of [Migrate] was lost while the
// migration ran, so that another process may have begun it as well. What it has
// done stays: look how far it came before it runs again.
var ErrMigrationLockLost = errors.New("the lock of the migration was lost while it ran")

// Migrations is a new *sql.DB over the same server with the same settings (DSN, TLS,
// time zone), for tools that change tables: goose, golang-migrate, bun's migrator,
// atlas. Its statements are their owner's responsibility (rule M1): none is refused,
// none joins a block, a connection goes back as the tool leaves it, and errors are
// the driver's. Its driver is go-sql-driver/mysql, pgx or modernc.org/sqlite, which
// such tools know. Close it when they have run; where a tool closes it that is
// enough. db stays open.
//
// Of a database that was opened by From it lends the connections of the application's
// pool, one for each that is in use. That pool's driver then decides what a tool can.
func (db *DB) Migrations() *sql.DB { return db.executor.Database().Tools() }

// Migrate runs fn, which is given what [DB.Migrations] returns, while no other process
// of the same database can run a Migrate of the same name (rule M2). The others wait,
// as long as ctx or [Wait] allows, and then run their own fn, which finds nothing to
// do where its tool keeps account of what has been done, as all of them do. A lock
// that is not obtained in time is dialect.ErrLockNotAvailable, at once with
// [NoWait].
//
// The lock is given back when fn returns, panics, or the process ends in whatever way.
// It is held on a connection of its own, which is asked once a second whether it is
// still there. If it is not, fn's ctx is cancelled, with [ErrMigrationLockLost] as its
// cause, and Migrate returns an error that matches it, also where fn has returned nil.
// Otherwise it returns the error of fn.
//
// PostgreSQL: an advisory lock of a transaction. MySQL and MariaDB: GET_LOCK. SQLite:
// the lock on a file beside the database's, "<file>-migrate-<hash of name>", which
// stays there. A server whose locks hold on one node only, or not at all, is
// dialect.ErrUnsupported before anything is sent, as for atomic.AdvisoryLock: there
// run migrations from one place. In a block, and in a session without autocommit, it is
// atomic.ErrInBlock, and with the ctx of a block that has ended atomic.ErrBlockClosed; a
// pool of the application's (From) that may open no second connection is
// atomic.ErrPoolExhausted.
func Migrate(ctx context.Context, db *DB, name string, fn func(ctx context.Context, db *sql.DB) error, opts ...atomic.WaitOption) error {
	limit, err := migrateWait(opts)
	if err != nil {
		return err
	}
	if db == nil {
		return fmt.Errorf("holdfast: migration %q: %w", name, errNoDatabase)
	}
	if fn == nil {
		return &atomic.BlockError{Kind: atomic.ErrOption, Reason: "there is no fn to run"}
	}
	if err := db.executor.Outside(ctx, "a migration is no part of a block; call Migrate with the ctx from outside"); err != nil {
		return err
	}
	lock, err := lockProcess(ctx, db.executor.Database(), name, limit)
	if err != nil {
		return fmt.Errorf("holdfast: migration %q: %w", name, err)
	}
	defer lock.release()
	tools := db.Migrations()
	defer func() { _ = tools.Close() }()
	inner, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	unwatch := lock.watch(cancel)
	defer func() { _ = unwatch() }()

	err = fn(inner, tools)
	if lost := unwatch(); lost != nil {
		err = errors.Join(lost, err)
	}
	if err != nil {
		return fmt.Errorf("holdfast: migration %q: %w", name, err)
	}
	return nil
}

func migrateWait(opts []atomic.WaitOption) (limit *time.Duration, err error) {
	for _, o := range opts {
		if o == nil {
			return nil, &atomic.BlockError{Kind: atomic.ErrOption, Reason: "an option of Migrate is nil"}
		}
		d, err := o.WaitLimit()
		if err != nil {
			return nil, err
		}
		if limit != nil && *limit != d {
			return nil, &atomic.BlockError{Kind: atomic.ErrOption, Reason: "the options of Migrate contradict each other"}
		}
		limit = &d
	}
	return limit, nil
}

// locker is what spells the lock of the database, if it has one that holds.
func locker(database *backend.Database, name string) (backend.ProcessLock, error) {
	if err := database.Server.Require(dialect.AdvisoryLock); err != nil {
		return backend.ProcessLock{}, err
	}
	engine, ok := database.Engine.(backend.ProcessLocker)
	if !ok {
		return backend.ProcessLock{}, &dialect.UnsupportedError{Server: database.Server, Feature: dialect.AdvisoryLock.String()}
	}
	lock, err := engine.ProcessLock(name)
	if err == nil && lock.Connector == nil && database.Borrowed && database.Pool.Stats().MaxOpenConnections == 1 {
		err = &atomic.BlockError{Kind: atomic.ErrPoolExhausted, Reason: "the lock needs a connection beside the migration's; let the pool open two"}
	}
	return lock, err
}
