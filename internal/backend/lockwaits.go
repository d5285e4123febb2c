package backend

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"strconv"
	"time"

	"github.com/holdfast-go/holdfast/dialect"
	"github.com/holdfast-go/holdfast/internal/lex"
)

// LockWatcher is an Engine whose server tells who waits for whom. Its methods
// are given the wire of a connection that is in no transaction.
type LockWatcher interface {
	// LockWaits asks who waits for whom in the current database.
	LockWaits(ctx context.Context, w Wire) ([]dialect.LockWait, error)
	// LockHolders asks who had the lock that a statement of the connection self
	// has failed to get with err, or whom it was in a deadlock with. certain is
	// false if the server only tells who holds such locks.
	LockHolders(ctx context.Context, w Wire, self int64, err error) (holders []dialect.LockParty, certain bool, e error)
	// LockParties asks about connections.
	LockParties(ctx context.Context, w Wire, ids []int64) ([]dialect.LockParty, error)
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
	Syntax lex.Syntax               // of the statements
	Block  func(text string) string // finds the block's name in what shows it
}

// Party reads the columns id, age in milliseconds, statement and the text that
// shows the block's name.
func (r LockReader) Party(row []driver.Value) dialect.LockParty {
	return dialect.LockParty{
		ConnectionID: Integer(row[0]),
		Age:          time.Duration(max(Integer(row[1]), 0)) * time.Millisecond,
		Statement:    r.Syntax.Redact(Text(row[2])),
		Block:        r.Block(Text(row[3])),
	}
}

// Wait reads the columns of the waiting party, those of the holding one, and
// the table. The server is certain of them.
func (r LockReader) Wait(row []driver.Value) dialect.LockWait {
	return dialect.LockWait{Waiting: r.Party(row), Holding: r.Party(row[4:]), Table: Text(row[8]), Certain: true}
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
