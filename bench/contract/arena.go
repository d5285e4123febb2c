package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/holdfast-go/holdfast/bench/peers"
	"github.com/holdfast-go/holdfast/bench/servers"
	"github.com/holdfast-go/holdfast/dialect/mysql"
	"github.com/holdfast-go/holdfast/internal/proxy"
	"github.com/holdfast-go/holdfast/tests/testdb"
)

// arena is a database with one library in it at a time, behind a proxy. The
// tables: t (id, v) is what the programs write, with a row 100; r has rows 1 and
// 2 to fight about; heavy makes a transaction not worth rolling back; child needs
// its parent in t when it is committed.
type arena struct {
	*servers.Database
	library peers.Library
	proxy   *proxy.Proxy
	handles []peers.DB
}

func newArena(ctx context.Context, db *servers.Database) (*arena, error) {
	err := db.Run(ctx,
		"CREATE TABLE t (id BIGINT NOT NULL PRIMARY KEY, v BIGINT NOT NULL)", "INSERT INTO t (id, v) VALUES (100, 0)",
		"CREATE TABLE r (id BIGINT NOT NULL PRIMARY KEY, v BIGINT NOT NULL)", "INSERT INTO r (id, v) VALUES (1, 0), (2, 0)",
		"CREATE TABLE heavy (id BIGINT NOT NULL PRIMARY KEY)",
	)
	if err != nil {
		return nil, err
	}
	if db.Engine == testdb.Postgres {
		err = errors.Join(
			db.Run(ctx, "CREATE TABLE child (parent BIGINT NOT NULL REFERENCES t (id) DEFERRABLE INITIALLY DEFERRED)"),
			db.Set(ctx, "lock_timeout", "1s"), db.Set(ctx, "deadlock_timeout", "50ms"),
		)
	} else {
		err = errors.Join(db.Run(ctx, mysql.CommitsTable), db.Set(ctx, "innodb_lock_wait_timeout", "1"))
	}
	if err != nil {
		return nil, err
	}
	p, err := proxy.Listen(db.Addr)
	return &arena{Database: db, proxy: p}, err
}

// clear makes the arena as it was: what a library has leaked ends here.
func (a *arena) clear(ctx context.Context) error {
	for _, db := range a.handles {
		_ = db.Close() // it may well complain about what it has leaked
	}
	a.handles = nil
	a.proxy.Cut()
	if err := a.until(ctx, a.settled); err != nil {
		return fmt.Errorf("waiting for the end of what is left: %w", err)
	}
	err := a.Run(ctx, "DELETE FROM t WHERE id <> 100", "UPDATE r SET v = 0", "DELETE FROM heavy")
	if a.Engine == testdb.Postgres {
		err = errors.Join(err, a.Run(ctx, "DELETE FROM child"), a.Set(ctx, "default_transaction_isolation", "read committed"))
	}
	return err
}

func (a *arena) close() error { return errors.Join(a.proxy.Close(), a.Database.Close()) }

// open opens the library with a pool of at most so many connections.
func (a *arena) open(ctx context.Context, pool int) (peers.DB, error) {
	db, err := a.library.Open(ctx, a.Engine, a.Via(a.proxy.Addr()), pool)
	if err == nil {
		a.handles = append(a.handles, db)
	}
	return db, err
}

// kept are the ids in t that are committed, without 100.
func (a *arena) kept(ctx context.Context) (ids []int64, err error) {
	rows, err := a.Admin.QueryContext(ctx, "SELECT id FROM t WHERE id <> 100 ORDER BY id")
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var id int64
		if err := rows.Scan(&id); err != nil {
			return nil, err
		}
		ids = append(ids, id)
	}
	return ids, rows.Err()
}

// holds says whether exactly these ids are committed, once nothing is open any
// more.
func (a *arena) holds(ctx context.Context, want ...int64) (bool, error) {
	if err := a.until(ctx, a.settled); err != nil {
		return false, err
	}
	ids, err := a.kept(ctx)
	return slices.Equal(ids, want), err
}

// number is a query for one number, from outside.
func (a *arena) number(ctx context.Context, query string) (n int, err error) {
	err = a.Admin.QueryRowContext(ctx, query).Scan(&n)
	return n, err
}

// settled reports whether the database has no transaction in progress.
func (a *arena) settled(ctx context.Context) (bool, error) {
	n, err := a.number(ctx, map[testdb.Engine]string{
		testdb.Postgres: `SELECT count(*) FROM pg_stat_activity
			WHERE datname = current_database() AND xact_start IS NOT NULL AND pid <> pg_backend_pid()`,
		testdb.MySQL: `SELECT count(*) FROM performance_schema.events_transactions_current
			JOIN performance_schema.threads USING (thread_id)
			WHERE processlist_db = DATABASE() AND processlist_id <> CONNECTION_ID() AND state = 'ACTIVE'`,
		testdb.MariaDB: `SELECT count(*) FROM information_schema.innodb_trx
			JOIN information_schema.processlist ON id = trx_mysql_thread_id WHERE db = DATABASE()`,
	}[a.Engine])
	return n == 0, err
}

// blocked reports whether a session waits for a lock.
func (a *arena) blocked(ctx context.Context) (bool, error) {
	n, err := a.number(ctx, map[testdb.Engine]string{
		testdb.Postgres: `SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`,
		testdb.MySQL: `SELECT count(*) FROM performance_schema.data_lock_waits
			JOIN performance_schema.threads ON thread_id = requesting_thread_id WHERE processlist_db = DATABASE()`,
		testdb.MariaDB: `SELECT count(*) FROM information_schema.innodb_trx
			JOIN information_schema.processlist ON id = trx_mysql_thread_id
			WHERE db = DATABASE() AND trx_state = 'LOCK WAIT'`,
	}[a.Engine])
	return n > 0, err
}

// patience is how long something may take that has to happen soon.
const patience = 5 * time.Second

var errNotSoon = fmt.Errorf("not within %s", patience)

// until waits for a condition.
func (a *arena) until(ctx context.Context, holds func(context.Context) (bool, error)) error {
	ctx, cancel := context.WithTimeoutCause(ctx, patience, errNotSoon)
	defer cancel()
	pause := 2 * time.Millisecond
	if a.Engine == testdb.MariaDB {
		pause = 120 * time.Millisecond // innodb_trx stays as it is while it is read more often than every 0.1 s
	}
	for {
		ok, err := holds(ctx)
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if ok || err != nil {
			return err
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

func insert(ctx context.Context, on peers.Statements, id int64) error {
	return on.Exec(ctx, "INSERT INTO t (id, v) VALUES (?, ?)", id, id)
}

// outcome is how a block ended: "nil" or its error, and what was committed.
func outcome(err error, ids []int64) string {
	said := "nil"
	if err != nil {
		said = fmt.Sprintf("error %q", shortened(err))
	}
	if len(ids) == 0 {
		return said + ", nothing is committed"
	}
	return fmt.Sprintf("%s, committed: %v", said, ids)
}

func shortened(err error) string {
	const most = 90
	text := []rune(err.Error())
	if len(text) > most {
		text = append(text[:most], '…')
	}
	return string(text)
}
