package block

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/holdfast-go/holdfast/atomic"
	"github.com/holdfast-go/holdfast/dialect"
	"github.com/holdfast-go/holdfast/internal/backend"
)

// AdvisoryLock implements seam.Executor.
func (x *Executor) AdvisoryLock(ctx context.Context, name string, limit *time.Duration, refused string) error {
	b, err := x.scope(ctx).enclosing()
	switch {
	case err != nil:
		return err
	case b == nil:
		return &atomic.BlockError{Kind: atomic.ErrNotInBlock, Reason: "an advisory lock is held to the end of a block; take it inside atomic.Do"}
	}
	if err := x.db.Server.Require(dialect.AdvisoryLock); err != nil {
		return err
	}
	locker, ok := x.db.Engine.(backend.AdvisoryLocker)
	if !ok {
		return &dialect.UnsupportedError{Server: x.db.Server, Feature: dialect.AdvisoryLock.String()}
	}
	if refused != "" {
		return &atomic.BlockError{Block: b.Info(), Kind: atomic.ErrOption, Reason: refused}
	}
	wait := b.LockWait()
	if limit != nil {
		wait = limit
	}
	lock := locker.AdvisoryLock(name, wait)
	st := Statement{SQL: lock.SQL, Args: lock.Args, Built: true, Locks: true, Wait: lock.Wait, holder: holderOf(lock)}
	return b.tx.run(ctx, b, st, func(w backend.Wire, prefix []string, query string) (func() error, error) {
		rows, err := w.Query(ctx, prefix, query, st.Args)
		if err != nil {
			return nil, err
		}
		obtained, err := readFlag(rows)
		if lock.Release != "" && obtained {
			b.tx.afterwards = append(b.tx.afterwards, lock.Release)
		}
		if err == nil && !obtained {
			err = &dialect.Error{Engine: x.db.Server.Engine, Kind: dialect.ErrLockNotAvailable, Message: fmt.Sprintf("advisory lock %q", name)}
		}
		return func() error { return err }, nil
	})
}

// errNoFlag: MariaDB's GET_LOCK that is interrupted returns NULL.
var errNoFlag = errors.New("the server does not say whether the lock was obtained: the statement was interrupted")

// readFlag reads one row with one column.
func readFlag(rows driver.Rows) (flag bool, err error) {
	defer func() { err = errors.Join(err, rows.Close()) }()
	row := make([]driver.Value, 1)
	switch err := rows.Next(row); err {
	case nil:
	case io.EOF:
		return false, nil
	default:
		return false, err
	}
	switch v := row[0].(type) {
	case nil:
		return false, errNoFlag
	case bool:
		return v, nil
	case int64:
		return v != 0, nil
	case []byte:
		return string(v) == "1", nil
	case string:
		return v == "1", nil
	}
	return false, nil
}
