package dialect

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"strconv"
	"time"
)

// LockParty is one side of a wait for a lock, as the server describes it.
type LockParty struct {
	// ConnectionID is the server's number of the connection: MySQL's and
	// MariaDB's CONNECTION_ID, PostgreSQL's backend process id.
	ConnectionID int64
	// Age is for the waiting side how long its statement has been running, and
	// for the holding one how long its transaction has been open.
	Age time.Duration
	// Statement is what the connection runs, or ran last, with a ? for each
	// value. "" if the server does not tell.
	Statement string
	// Block is the name of its block (atomic.Name), or "". PostgreSQL shows it
	// as the application_name, so that a connection that is in no named block
	// has the name of its application there.
	Block string
}

// LockWait is one connection that waits for another one.
type LockWait struct {
	Waiting, Holding LockParty
	// Table is the one that the lock is on, "" if the server does not tell or
	// the lock is not on a table.
	Table string
	// Certain is true if the server names the holding side. MariaDB does not
	// know which of several transactions has a shared lock as long as they have
	// neither written a row nor locked one FOR UPDATE: each of them that has
	// locked rows then is the holding side of a LockWait that is not certain.
	Certain bool
}

// LockWatcher is an Engine whose server tells who waits for whom. Its methods
// are given the wire of a connection that is in no transaction.
type LockWatcher interface {
	// LockWaits asks who waits for whom in the current database.
	LockWaits(ctx context.Context, w Wire) ([]LockWait, error)
	// LockHolders asks who had the lock that a statement of the connection self
	// has failed to get with err, or whom it was in a deadlock with. certain is
	// false if the server only tells who holds such locks.
	LockHolders(ctx context.Context, w Wire, self int64, err error) (holders []LockParty, certain bool, e error)
	// LockParties asks about connections.
	LockParties(ctx context.Context, w Wire, ids []int64) ([]LockParty, error)
	// ConnectionID asks for what Wire.ID does not know.
	ConnectionID(ctx context.Context, w Wire) (int64, error)
}

// QueryRows sends a query on w and hands each row to read.
func QueryRows(ctx context.Context, w Wire, query string, args []any, read func(row []driver.Value) error) (err error) {
	rows, err := w.Query(ctx, nil, query, args)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	row := make([]driver.Value, len(rows.Columns()))
	for {
		switch err := rows.Next(row); err {
		case nil:
		case io.EOF:
			return nil
		default:
			return err
		}
		if err := read(row); err != nil {
			return err
		}
	}
}

// QueryIntegers sends a statement and returns the first column of its rows.
func QueryIntegers(ctx context.Context, w Wire, query string, args []any) (all []int64, err error) {
	err = QueryRows(ctx, w, query, args, func(row []driver.Value) error {
		all = append(all, Integer(row[0]))
		return nil
	})
	return all, err
}

// LockReader makes something of what a server tells about locks.
type LockReader struct {
	Syntax Syntax                   // of the statements
	Block  func(text string) string // finds the block's name in what shows it
}

// Party reads the columns id, age in milliseconds, statement and the text that
// shows the block's name.
func (r LockReader) Party(row []driver.Value) LockParty {
	return LockParty{
		ConnectionID: Integer(row[0]),
		Age:          time.Duration(max(Integer(row[1]), 0)) * time.Millisecond,
		Statement:    r.Syntax.Redact(Text(row[2])),
		Block:        r.Block(Text(row[3])),
	}
}

// Wait reads the columns of the waiting party, those of the holding one, and
// the table. The server is certain of them.
func (r LockReader) Wait(row []driver.Value) LockWait {
	return LockWait{Waiting: r.Party(row), Holding: r.Party(row[4:]), Table: Text(row[8]), Certain: true}
}

// Integer is a column's value as a driver gives it.
func Integer(v driver.Value) int64 {
	switch v := v.(type) {
	case nil:
		return 0
	case int64:
		return v
	case bool:
		if v {
			return 1
		}
		return 0
	}
	n, _ := strconv.ParseInt(Text(v), 10, 64)
	return n
}

// Text is a column's value as a driver gives it.
func Text(v driver.Value) string {
	switch v := v.(type) {
	case nil:
		return ""
	case string:
		return v
	case []byte:
		return string(v)
	}
	return fmt.Sprint(v)
}
