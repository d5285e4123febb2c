package mysql

import (
	"context"
	"database/sql/driver"
	"errors"
	"slices"
	"strconv"
	"strings"

	godriver "github.com/go-sql-driver/mysql"

	"github.com/holdfast-go/holdfast/dialect"
	"github.com/holdfast-go/holdfast/internal/backend"
	"github.com/holdfast-go/holdfast/internal/lex"
)

// MySQL tells who waits for whom in the performance schema, which is of the
// moment: information_schema.INNODB_TRX is a cache that does not change while it
// is read often. Sources: MySQL manual, "The data_locks Table", "The
// data_lock_waits Table", "The metadata_locks Table".
//
// THREAD_ID of a row lock is whoever made its entry, and for the lock of a row
// that was just written that is the first one who waits for it. A table lock is
// always its owner's, and nobody has row locks without one. A prepared XA
// transaction whose connection is gone has none.
//
// The second part has the waits for GET_LOCK, for a table that somebody alters or
// has locked with LOCK TABLES, and for who stops all writing. Who has a lock on
// metadata keeps only those waiting whose lock does not go with it (the table in
// the server's sql/mdl.cc); who waits for one that goes with hardly any keeps
// those who came later waiting as well.
const lockWaits = `
SELECT wt.PROCESSLIST_ID, ws.TIMER_WAIT DIV 1000000000, COALESCE(wt.PROCESSLIST_INFO, ws.SQL_TEXT), COALESCE(wt.PROCESSLIST_INFO, ws.SQL_TEXT),
       ht.PROCESSLIST_ID, hx.TIMER_WAIT DIV 1000000000, COALESCE(ht.PROCESSLIST_INFO, hs.SQL_TEXT), COALESCE(ht.PROCESSLIST_INFO, hs.SQL_TEXT),
       p.tab
FROM (
  SELECT w.REQUESTING_THREAD_ID AS waiting, o.owner AS holding, MIN(l.OBJECT_NAME) AS tab, TRUE AS here
  FROM performance_schema.data_lock_waits w
  JOIN performance_schema.data_locks l ON l.ENGINE_LOCK_ID = w.REQUESTING_ENGINE_LOCK_ID
  JOIN (SELECT ENGINE_TRANSACTION_ID AS trx, MIN(THREAD_ID) AS owner FROM performance_schema.data_locks WHERE LOCK_TYPE = 'TABLE' GROUP BY 1) o
    ON o.trx = w.BLOCKING_ENGINE_TRANSACTION_ID
  WHERE l.OBJECT_SCHEMA = COALESCE(DATABASE(), l.OBJECT_SCHEMA)
  GROUP BY 1, 2
  UNION ALL
  SELECT r.OWNER_THREAD_ID, g.OWNER_THREAD_ID, MIN(IF(r.OBJECT_TYPE = 'TABLE', r.OBJECT_NAME, '')), r.OBJECT_TYPE = 'TABLE' OR r.LOCK_TYPE = 'SHARED'
  FROM performance_schema.metadata_locks r
  JOIN performance_schema.metadata_locks g ON g.OBJECT_TYPE = r.OBJECT_TYPE AND g.OBJECT_SCHEMA <=> r.OBJECT_SCHEMA AND g.OBJECT_NAME <=> r.OBJECT_NAME
    AND g.OWNER_THREAD_ID <> r.OWNER_THREAD_ID
    AND (g.LOCK_STATUS = 'GRANTED' OR g.LOCK_STATUS = 'PENDING' AND (r.OBJECT_TYPE <> 'TABLE' AND g.LOCK_TYPE = 'SHARED'
      OR g.LOCK_TYPE IN ('SHARED_NO_WRITE', 'SHARED_NO_READ_WRITE', 'EXCLUSIVE') AND r.LOCK_TYPE NOT IN ('SHARED_NO_WRITE', 'SHARED_NO_READ_WRITE', 'EXCLUSIVE')))
    AND NOT FIND_IN_SET(g.LOCK_TYPE, CASE r.LOCK_TYPE
      WHEN 'INTENTION_EXCLUSIVE' THEN 'INTENTION_EXCLUSIVE'
      WHEN 'SHARED' THEN IF(r.OBJECT_TYPE = 'TABLE', 'SHARED,SHARED_HIGH_PRIO,SHARED_READ,SHARED_WRITE,SHARED_WRITE_LOW_PRIO,SHARED_UPGRADABLE,SHARED_READ_ONLY,SHARED_NO_WRITE,SHARED_NO_READ_WRITE', 'SHARED')
      WHEN 'SHARED_HIGH_PRIO' THEN 'SHARED,SHARED_HIGH_PRIO,SHARED_READ,SHARED_WRITE,SHARED_WRITE_LOW_PRIO,SHARED_UPGRADABLE,SHARED_READ_ONLY,SHARED_NO_WRITE,SHARED_NO_READ_WRITE'
      WHEN 'SHARED_READ' THEN 'SHARED,SHARED_HIGH_PRIO,SHARED_READ,SHARED_WRITE,SHARED_WRITE_LOW_PRIO,SHARED_UPGRADABLE,SHARED_READ_ONLY,SHARED_NO_WRITE'
      WHEN 'SHARED_WRITE' THEN 'SHARED,SHARED_HIGH_PRIO,SHARED_READ,SHARED_WRITE,SHARED_WRITE_LOW_PRIO,SHARED_UPGRADABLE'
      WHEN 'SHARED_WRITE_LOW_PRIO' THEN 'SHARED,SHARED_HIGH_PRIO,SHARED_READ,SHARED_WRITE,SHARED_WRITE_LOW_PRIO,SHARED_UPGRADABLE'
      WHEN 'SHARED_UPGRADABLE' THEN 'SHARED,SHARED_HIGH_PRIO,SHARED_READ,SHARED_WRITE,SHARED_WRITE_LOW_PRIO,SHARED_READ_ONLY'
      WHEN 'SHARED_READ_ONLY' THEN 'SHARED,SHARED_HIGH_PRIO,SHARED_READ,SHARED_UPGRADABLE,SHARED_READ_ONLY,SHARED_NO_WRITE'
      WHEN 'SHARED_NO_WRITE' THEN 'SHARED,SHARED_HIGH_PRIO,SHARED_READ,SHARED_READ_ONLY'
      WHEN 'SHARED_NO_READ_WRITE' THEN 'SHARED,SHARED_HIGH_PRIO'
      ELSE '' END)
  WHERE r.LOCK_STATUS = 'PENDING'
    AND (r.OBJECT_TYPE = 'TABLE' AND r.OBJECT_SCHEMA = COALESCE(DATABASE(), r.OBJECT_SCHEMA) OR r.OBJECT_TYPE IN ('USER LEVEL LOCK', 'GLOBAL', 'COMMIT', 'BACKUP LOCK'))
  GROUP BY 1, 2, 4
) p
JOIN performance_schema.threads wt ON wt.THREAD_ID = p.waiting AND (p.here OR wt.PROCESSLIST_DB = COALESCE(DATABASE(), wt.PROCESSLIST_DB))
LEFT JOIN performance_schema.threads ht ON ht.THREAD_ID = p.holding
LEFT JOIN performance_schema.events_statements_current ws ON ws.THREAD_ID = p.waiting AND ws.NESTING_EVENT_LEVEL = 0
LEFT JOIN performance_schema.events_statements_current hs ON hs.THREAD_ID = p.holding AND hs.NESTING_EVENT_LEVEL = 0
LEFT JOIN performance_schema.events_transactions_current hx ON hx.THREAD_ID = p.holding AND hx.STATE = 'ACTIVE'
ORDER BY 2 DESC, 1, 5`

const lockParties = `
SELECT t.PROCESSLIST_ID, x.TIMER_WAIT DIV 1000000000, COALESCE(t.PROCESSLIST_INFO, s.SQL_TEXT), COALESCE(t.PROCESSLIST_INFO, s.SQL_TEXT)
FROM performance_schema.threads t
LEFT JOIN performance_schema.events_statements_current s ON s.THREAD_ID = t.THREAD_ID AND s.NESTING_EVENT_LEVEL = 0
LEFT JOIN performance_schema.events_transactions_current x ON x.THREAD_ID = t.THREAD_ID AND x.STATE = 'ACTIVE'
WHERE t.PROCESSLIST_ID IN (#)
ORDER BY 2 DESC, 1`

// lockCandidates are those who have row locks in a table that the connection
// itself has locked rows in, or wanted to: its lock on the table stays when a
// row is not to be had.
const lockCandidates = `
SELECT DISTINCT t.PROCESSLIST_ID
FROM performance_schema.threads me
JOIN performance_schema.data_locks mine ON mine.THREAD_ID = me.THREAD_ID AND mine.LOCK_TYPE = 'TABLE'
JOIN performance_schema.data_locks theirs ON theirs.OBJECT_SCHEMA = mine.OBJECT_SCHEMA AND theirs.OBJECT_NAME = mine.OBJECT_NAME
  AND theirs.LOCK_TYPE = 'TABLE' AND theirs.THREAD_ID <> me.THREAD_ID
JOIN performance_schema.threads t ON t.THREAD_ID = theirs.THREAD_ID
WHERE me.PROCESSLIST_ID IN (#)
LIMIT 10`

// MariaDB has the waits in information_schema, and the last statement of a
// connection that is idle only in the performance schema, which is off by
// default. Source: MariaDB documentation, "Information Schema
// INNODB_LOCK_WAITS Table".
//
// A transaction gets its id with its first lock FOR UPDATE or its first row
// written. Before that it has shared locks at most, and is 0 in INNODB_LOCKS and
// INNODB_LOCK_WAITS, like each other one of its kind; in INNODB_TRX it is 0 too
// since 10.6, and a number above all ids (2^48) before. A prepared XA transaction
// whose connection is gone has the thread 0. So the waiting side is
// found by the lock that it asks for, and a holding side of this kind is any
// transaction of this kind that has locked rows, apart from the one that it
// waits for, or waits for this very lock before the other.
//
// trx_started is in whole seconds of the zone that the server's machine is in.
const (
	mariaDatabase  = `CONCAT(REPLACE(REPLACE(DATABASE(), '"', ''), '` + "`" + `', ''), '.')` // as lock_table begins, without quotes
	mariaLockTable = `REPLACE(REPLACE(l.lock_table, '"', ''), '` + "`" + `', '')`            // which are those of who asks
	mariaLockWaits = `
SELECT DISTINCT rt.trx_mysql_thread_id, FLOOR(p.TIME_MS), COALESCE(p.INFO, rt.trx_query), COALESCE(p.INFO, rt.trx_query),
       bt.trx_mysql_thread_id, TIMESTAMPDIFF(MICROSECOND, CONVERT_TZ(bt.trx_started, 'SYSTEM', @@time_zone), NOW(6)) DIV 1000, COALESCE(bt.trx_query, #), COALESCE(bt.trx_query, #),
       l.lock_table, w.blocking_trx_id = 0
FROM information_schema.INNODB_LOCK_WAITS w
JOIN information_schema.INNODB_LOCKS l ON l.lock_id = w.requested_lock_id
JOIN information_schema.INNODB_TRX rt ON rt.trx_requested_lock_id = w.requested_lock_id
JOIN information_schema.INNODB_TRX bt ON bt.trx_mysql_thread_id <> rt.trx_mysql_thread_id AND IF(w.blocking_trx_id <> 0,
  bt.trx_id = w.blocking_trx_id,
  (bt.trx_id = 0 OR bt.trx_id >= 281474976710656)
    AND (bt.trx_requested_lock_id = w.blocking_lock_id OR bt.trx_rows_locked > (bt.trx_requested_lock_id IS NOT NULL)))
LEFT JOIN information_schema.PROCESSLIST p ON p.ID = rt.trx_mysql_thread_id
WHERE DATABASE() IS NULL OR LEFT(` + mariaLockTable + `, CHAR_LENGTH(` + mariaDatabase + `)) = ` + mariaDatabase + `
ORDER BY 2 DESC, 1, 5`
	mariaLastOfBlocking = `(SELECT s.SQL_TEXT FROM performance_schema.threads t JOIN performance_schema.events_statements_current s USING (THREAD_ID)
 WHERE t.PROCESSLIST_ID = bt.trx_mysql_thread_id AND s.NESTING_EVENT_LEVEL = 0 LIMIT 1)`

	mariaLockParties = `
SELECT p.ID, TIMESTAMPDIFF(MICROSECOND, CONVERT_TZ(x.trx_started, 'SYSTEM', @@time_zone), NOW(6)) DIV 1000, COALESCE(p.INFO, #), COALESCE(p.INFO, #)
FROM information_schema.PROCESSLIST p
LEFT JOIN information_schema.INNODB_TRX x ON x.trx_mysql_thread_id = p.ID
WHERE p.ID IN (##)
ORDER BY 2 DESC, 1`
	mariaLastOfProcess = `(SELECT s.SQL_TEXT FROM performance_schema.threads t JOIN performance_schema.events_statements_current s USING (THREAD_ID)
 WHERE t.PROCESSLIST_ID = p.ID AND s.NESTING_EVENT_LEVEL = 0 LIMIT 1)`

	mariaLockCandidates = `
SELECT ID FROM information_schema.PROCESSLIST WHERE ID IN (#) AND DB = DATABASE() LIMIT 10`
)

var lockReader = backend.LockReader{Syntax: lex.MySQLSyntax, Block: blockName}

// LockWaits implements backend.LockWatcher.
func (e *engine) LockWaits(ctx context.Context, w backend.Wire) (waits []dialect.LockWait, err error) {
	if e.server.Engine == dialect.MariaDB {
		return mariaWaits(ctx, w)
	}
	err = backend.QueryRows(ctx, w, lockWaits, nil, func(row []driver.Value) error {
		waits = append(waits, lockReader.Wait(row))
		return nil
	})
	return waits, err
}

func mariaWaits(ctx context.Context, w backend.Wire) (waits []dialect.LockWait, err error) {
	shared := map[int64]int{} // by the waiting connection, how many may have the lock that it waits for
	err = eitherWay(mariaLockWaits, mariaLastOfBlocking, func(query string) error {
		return backend.QueryRows(ctx, w, query, nil, func(row []driver.Value) error {
			wait := lockReader.Wait(row)
			wait.Table = tableOf(wait.Table)
			if backend.Integer(row[9]) != 0 {
				wait.Certain = false
				shared[wait.Waiting.ConnectionID]++
			}
			waits = append(waits, wait)
			return nil
		})
	})
	for i := range waits {
		waits[i].Certain = waits[i].Certain || shared[waits[i].Waiting.ConnectionID] == 1
	}
	return waits, err
}

// tableOf is the table of `database`.`table` /* Partition `p0` */.
func tableOf(lockTable string) string {
	names := lex.MySQLSyntax.Tokens(lockTable)
	if len(names) < 3 {
		return lockTable
	}
	table := names[2].Text
	if q := table[:1]; q == "`" || q == `"` { // ANSI_QUOTES
		table = strings.ReplaceAll(table[1:len(table)-1], q+q, q)
	}
	return table
}

// LockParties implements backend.LockWatcher.
func (e *engine) LockParties(ctx context.Context, w backend.Wire, ids []int64) (parties []dialect.LockParty, err error) {
	if len(ids) == 0 {
		return nil, nil
	}
	read := func(row []driver.Value) error {
		parties = append(parties, lockReader.Party(row))
		return nil
	}
	if e.server.Engine != dialect.MariaDB {
		err = backend.QueryRows(ctx, w, strings.Replace(lockParties, "#", join64(ids), 1), nil, read)
		return parties, err
	}
	query := strings.Replace(mariaLockParties, "##", join64(ids), 1)
	err = eitherWay(query, mariaLastOfProcess, func(query string) error {
		return backend.QueryRows(ctx, w, query, nil, read)
	})
	return parties, err
}

// eitherWay asks with what the performance schema knows of an idle connection,
// and without if the user may not read that.
func eitherWay(query, last string, ask func(string) error) error {
	err := ask(strings.ReplaceAll(query, "#", last))
	var refused *godriver.MySQLError
	if errors.As(err, &refused) && (refused.Number == 1142 || refused.Number == 1143) {
		return ask(strings.ReplaceAll(query, "#", "NULL"))
	}
	return err
}

// LockHolders implements backend.LockWatcher.
func (e *engine) LockHolders(ctx context.Context, w backend.Wire, self int64, err error) (holders []dialect.LockParty, certain bool, _ error) {
	if errors.Is(e.Classify(err), dialect.ErrDeadlock) {
		holders, err := e.deadlock(ctx, w, self)
		return holders, true, err
	}
	query, about := lockCandidates, []int64{self}
	if e.server.Engine == dialect.MariaDB {
		report, err := innodbStatus(ctx, w)
		if err != nil {
			return nil, false, err
		}
		if about = lockingIn(report, self); len(about) == 0 {
			return nil, false, nil
		}
		query = mariaLockCandidates
	}
	ids, err := backend.QueryIntegers(ctx, w, strings.Replace(query, "#", join64(about), 1), nil)
	if err != nil {
		return nil, false, err
	}
	holders, err = e.LockParties(ctx, w, ids)
	return holders, false, err
}

// ConnectionID implements backend.LockWatcher.
func (e *engine) ConnectionID(ctx context.Context, w backend.Wire) (id int64, err error) {
	err = backend.QueryRows(ctx, w, "SELECT CONNECTION_ID()", nil, func(row []driver.Value) error {
		id = backend.Integer(row[0])
		return nil
	})
	return id, err
}

// join64 writes numbers of connections, which are no values of anybody's.
func join64(ids []int64) string {
	texts := make([]string, len(ids))
	for i, id := range ids {
		texts[i] = strconv.FormatInt(id, 10)
	}
	slices.Sort(texts)
	return strings.Join(texts, ", ")
}
