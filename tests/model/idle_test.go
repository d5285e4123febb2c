package model

import (
	"context"
	"fmt"
	"time"

	"github.com/holdfast-go/holdfast/dialect"
)

// What is asked of the server after each program: whether a transaction has
// been left open.

func (tg *target) idlePostgres(ctx context.Context) error {
	return tg.none(ctx, "sessions have a transaction open", `SELECT count(*) FROM pg_stat_activity
		WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'
		AND (state LIKE 'idle in transaction%' OR backend_xid IS NOT NULL)`)
}

// idleMySQL asks the performance schema, because information_schema.innodb_trx
// is a copy that MySQL renews only when nobody has read it for 100 ms, and
// lacks transactions that have begun and done nothing.
func (tg *target) idleMySQL(ctx context.Context) error {
	return tg.none(ctx, "sessions have a transaction open", `SELECT COUNT(*)
		FROM performance_schema.events_transactions_current e JOIN performance_schema.threads t USING (thread_id)
		WHERE e.state = 'ACTIVE' AND t.processlist_db = DATABASE() AND t.processlist_id <> CONNECTION_ID()`)
}

// idleMariaDB asks the pooled connections themselves.
func (tg *target) idleMariaDB(ctx context.Context) error {
	pool := tg.executor.Database().Pool
	for range pool.Stats().Idle {
		conn, err := pool.Conn(ctx)
		if err != nil {
			return err
		}
		defer conn.Close() // not before all have been asked
		var in bool
		if err := conn.QueryRowContext(ctx, "SELECT @@in_transaction").Scan(&in); err != nil {
			return err
		}
		if in {
			return fmt.Errorf("a pooled connection has a transaction open")
		}
	}
	return nil
}

func (tg *target) idleSQLite(ctx context.Context) error {
	conn, err := tg.admin.Conn(ctx)
	if err != nil {
		return err
	}
	defer conn.Close()
	for _, statement := range []string{"PRAGMA busy_timeout = 0", "BEGIN IMMEDIATE", "ROLLBACK", "PRAGMA busy_timeout = 10000"} {
		if _, err := conn.ExecContext(ctx, statement); err != nil {
			return fmt.Errorf("%s after the program: %w", statement, err)
		}
	}
	return nil
}

// idleAfterAll asks what cannot be asked after each program.
func (tg *target) idleAfterAll(ctx context.Context) error {
	if engine := tg.executor.Database().Server.Engine; engine != dialect.MySQL && engine != dialect.MariaDB {
		return nil
	}
	const copied = 100 * time.Millisecond // how long the server shows one copy, if nobody reads it
	ctx, end := context.WithTimeout(ctx, 300*copied)
	defer end()
	for left := fmt.Errorf("never asked"); ; {
		select {
		case <-ctx.Done():
			return left
		case <-time.After(2 * copied):
		}
		left = tg.none(ctx, "transactions are in InnoDB", `SELECT COUNT(*) FROM information_schema.innodb_trx x
			JOIN information_schema.processlist p ON p.id = x.trx_mysql_thread_id
			WHERE p.db = DATABASE() AND p.id <> CONNECTION_ID()`)
		if left == nil {
			return nil
		}
	}
}

// none runs a query that counts what there should be none of.
func (tg *target) none(ctx context.Context, what, query string) error {
	var n int
	if err := tg.admin.QueryRowContext(ctx, query).Scan(&n); err != nil {
		return err
	}
	if n != 0 {
		return fmt.Errorf("%d %s", n, what)
	}
	return nil
}
