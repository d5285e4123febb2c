package atomic_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log"
	"time"

	"github.com/holdfast-go/holdfast/atomic"
	"github.com/holdfast-go/holdfast/dialect"
	"github.com/holdfast-go/holdfast/dialect/sqlite"
	"github.com/holdfast-go/holdfast/orm"
)

// open returns an empty database in memory with a table of accounts, and a
// function that tells an account's balance.
func open(ctx context.Context) (db *orm.DB, balance func(owner string) int) {
	db, err := orm.Open(ctx, sqlite.Open(":memory:"))
	if err != nil {
		log.Fatal(err)
	}
	for _, statement := range []string{
		"CREATE TABLE account (owner TEXT PRIMARY KEY, balance INTEGER NOT NULL CHECK (balance >= 0))",
		"INSERT INTO account (owner, balance) VALUES ('ann', 100), ('ben', 0)",
	} {
		if _, err := db.Exec(ctx, statement); err != nil {
			log.Fatal(err)
		}
	}
	return db, func(owner string) (n int) {
		if err := db.QueryRow(ctx, "SELECT balance FROM account WHERE owner = ?", owner).Scan(&n); err != nil {
			log.Fatal(err)
		}
		return n
	}
}

func add(ctx context.Context, db *orm.DB, owner string, amount int) error {
	_, err := db.Exec(ctx, "UPDATE account SET balance = balance + ? WHERE owner = ?", amount, owner)
	return err
}

func ExampleDo() {
	ctx := context.Background()
	db, balance := open(ctx)
	defer db.Close()

	move := func(amount int) error {
		return atomic.Do(ctx, db, func(ctx context.Context) error {
			if err := add(ctx, db, "ben", amount); err != nil {
				return err
			}
			return add(ctx, db, "ann", -amount) // fails if there is not enough
		})
	}
	fmt.Println(move(70), balance("ann"), balance("ben"))
	fmt.Println(errors.Is(move(70), dialect.ErrCheckViolation), balance("ann"), balance("ben"))
	// Output:
	// <nil> 30 70
	// true 30 70
}

// A statement that may fail goes into a nested block: its failure leaves the
// outer one clean.
func ExampleDo_nested() {
	ctx := context.Background()
	db, balance := open(ctx)
	defer db.Close()

	err := atomic.Do(ctx, db, func(ctx context.Context) error {
		err := atomic.Do(ctx, db, func(ctx context.Context) error {
			_, err := db.Exec(ctx, "INSERT INTO account (owner, balance) VALUES ('ben', 5)")
			return err
		})
		if errors.Is(err, dialect.ErrUniqueViolation) {
			return add(ctx, db, "ben", 5)
		}
		return err
	})
	fmt.Println(err, balance("ben"))
	// Output: <nil> 5
}

// The error of a statement cannot get lost: the block is rolled back even if fn
// ignores it.
func ExampleDo_swallowedError() {
	ctx := context.Background()
	db, balance := open(ctx)
	defer db.Close()

	err := atomic.Do(ctx, db, func(ctx context.Context) error {
		_ = add(ctx, db, "ann", -1000)
		_ = add(ctx, db, "ben", 1000)
		return nil
	})
	fmt.Println(errors.Is(err, atomic.ErrRollbackRequired), errors.Is(err, dialect.ErrCheckViolation), balance("ben"))
	// Output: true true 0
}

func ExampleValue() {
	ctx := context.Background()
	db, _ := open(ctx)
	defer db.Close()

	total, err := atomic.Value(ctx, db, func(ctx context.Context) (n int, err error) {
		err = db.QueryRow(ctx, "SELECT sum(balance) FROM account").Scan(&n)
		return n, err
	})
	fmt.Println(total, err)
	// Output: 100 <nil>
}

func ExampleWrap() {
	ctx := context.Background()
	db, balance := open(ctx)
	defer db.Close()

	gift := atomic.Wrap(db, func(ctx context.Context) error { return add(ctx, db, "ben", 1) }, atomic.Name("gift"))
	fmt.Println(gift(ctx), gift(ctx), balance("ben"))
	// Output: <nil> <nil> 2
}

// A dry run: everything is done, looked at and undone.
func ExampleSetRollback() {
	ctx := context.Background()
	db, balance := open(ctx)
	defer db.Close()

	err := atomic.Do(ctx, db, func(ctx context.Context) error {
		if err := atomic.SetRollback(ctx, db, true); err != nil {
			return err
		}
		return add(ctx, db, "ben", 1)
	})
	fmt.Println(err, balance("ben"))
	// Output: <nil> 0
}

func ExampleOnCommit() {
	ctx := context.Background()
	db, _ := open(ctx)
	defer db.Close()

	err := atomic.Do(ctx, db, func(ctx context.Context) error {
		err := atomic.OnCommit(ctx, db, func(context.Context) error {
			fmt.Println("a message is sent")
			return nil
		})
		fmt.Println("the block is still open")
		return err
	})
	fmt.Println(err)
	// Output:
	// the block is still open
	// a message is sent
	// <nil>
}

func ExampleOnRollback() {
	ctx := context.Background()
	db, _ := open(ctx)
	defer db.Close()

	err := atomic.Do(ctx, db, func(ctx context.Context) error {
		err := atomic.OnRollback(ctx, db, func(context.Context) error {
			fmt.Println("the file that was written is removed")
			return nil
		})
		if err != nil {
			return err
		}
		return errors.New("no more room")
	})
	fmt.Println(err)
	// Output:
	// the file that was written is removed
	// no more room
}

func ExampleRobust() {
	ctx := context.Background()
	db, _ := open(ctx)
	defer db.Close()

	var failed *atomic.HookError
	err := atomic.Do(ctx, db, func(ctx context.Context) error {
		return atomic.OnCommit(ctx, db, func(context.Context) error { return errors.New("the cache is down") })
	})
	fmt.Println(errors.As(err, &failed), failed.Committed)
	// Output: true true
}

func ExampleDurable() {
	ctx := context.Background()
	db, _ := open(ctx)
	defer db.Close()

	charge := func(ctx context.Context) error {
		return atomic.Do(ctx, db, func(context.Context) error { return nil }, atomic.Durable())
	}
	fmt.Println(charge(ctx))
	_ = atomic.Do(ctx, db, func(ctx context.Context) error {
		fmt.Println(errors.Is(charge(ctx), atomic.ErrDurable))
		return nil
	})
	// Output:
	// <nil>
	// true
}

func ExampleNoSavepoint() {
	ctx := context.Background()
	db, balance := open(ctx)
	defer db.Close()

	err := atomic.Do(ctx, db, func(ctx context.Context) error {
		_ = atomic.Do(ctx, db, func(context.Context) error { return errors.New("no") }, atomic.NoSavepoint())
		return add(ctx, db, "ben", 1)
	})
	fmt.Println(errors.Is(err, atomic.ErrRollbackRequired), balance("ben"))
	// Output: true 0
}

func ExamplePropagation() {
	ctx := context.Background()
	db, _ := open(ctx)
	defer db.Close()

	post := func(ctx context.Context) error {
		return atomic.Do(ctx, db, func(ctx context.Context) error { return add(ctx, db, "ben", 1) },
			atomic.Propagation(atomic.Mandatory))
	}
	fmt.Println(errors.Is(post(ctx), atomic.ErrNotInBlock), atomic.Do(ctx, db, post))
	// Output: true <nil>
}

func ExampleReadOnly() {
	ctx := context.Background()
	db, _ := open(ctx)
	defer db.Close()

	err := atomic.Do(ctx, db, func(ctx context.Context) error { return add(ctx, db, "ben", 1) }, atomic.ReadOnly())
	fmt.Println(errors.Is(err, dialect.ErrReadOnly))
	// Output: true
}

// One consistent snapshot for a report of several queries.
func ExampleIsolation() {
	ctx := context.Background()
	db, _ := open(ctx)
	defer db.Close()

	err := atomic.Do(ctx, db, func(ctx context.Context) error {
		var accounts, total int
		if err := db.QueryRow(ctx, "SELECT count(*) FROM account").Scan(&accounts); err != nil {
			return err
		}
		if err := db.QueryRow(ctx, "SELECT sum(balance) FROM account").Scan(&total); err != nil {
			return err
		}
		fmt.Println(accounts, total)
		return nil
	}, atomic.ReadOnly(), atomic.Isolation(sql.LevelRepeatableRead))
	fmt.Println(err)
	// Output:
	// 2 100
	// <nil>
}

// Only PostgreSQL has such a transaction, and only PostgreSQL needs one: on
// SQLite, where every transaction is serializable and none fails for it, the
// option changes nothing.
func ExampleDeferrable() {
	ctx := context.Background()
	db, _ := open(ctx)
	defer db.Close()

	err := atomic.Do(ctx, db, func(ctx context.Context) error {
		_, err := db.Exec(ctx, "SELECT 1")
		return err
	}, atomic.Isolation(sql.LevelSerializable), atomic.ReadOnly(), atomic.Deferrable())
	fmt.Println(err)
	// Output: <nil>
}

func ExampleRetry() {
	ctx := context.Background()
	db, balance := open(ctx)
	defer db.Close()

	err := atomic.Do(ctx, db, func(ctx context.Context) error {
		fmt.Println("attempt", atomic.Attempt(ctx, db))
		return add(ctx, db, "ben", 1)
	}, atomic.Retry(5))
	fmt.Println(err, balance("ben"))
	// Output:
	// attempt 1
	// <nil> 1
}

func ExampleRetryPolicy() {
	ctx := context.Background()
	db, balance := open(ctx)
	defer db.Close()

	err := atomic.Do(ctx, db, func(ctx context.Context) error { return add(ctx, db, "ben", 1) },
		atomic.RetryPolicy{Max: 10, Base: 5 * time.Millisecond, Cap: time.Second, Locks: true})
	fmt.Println(err, balance("ben"))
	// Output: <nil> 1
}

func ExampleTimeout() {
	ctx := context.Background()
	db, balance := open(ctx)
	defer db.Close()

	err := atomic.Do(ctx, db, func(ctx context.Context) error {
		if err := add(ctx, db, "ben", 1); err != nil {
			return err
		}
		<-ctx.Done() // something slow that respects ctx
		return nil
	}, atomic.Timeout(20*time.Millisecond))
	fmt.Println(errors.Is(err, atomic.ErrTimeout), errors.Is(err, context.DeadlineExceeded), balance("ben"))
	// Output: true true 0
}

func ExampleIdleTimeout() {
	ctx := context.Background()
	db, balance := open(ctx)
	defer db.Close()

	released := make(chan struct{})
	err := atomic.Do(ctx, db, func(ctx context.Context) error {
		_ = atomic.OnRollback(ctx, db, func(context.Context) error { return nil })
		if err := add(ctx, db, "ben", 1); err != nil {
			return err
		}
		go func() { // somebody else gets the lock although fn goes on
			defer close(released)
			_ = add(context.Background(), db, "ann", 0)
		}()
		<-released
		return add(ctx, db, "ben", 1)
	}, atomic.IdleTimeout(20*time.Millisecond))
	fmt.Println(errors.Is(err, atomic.ErrIdleTimeout), balance("ben"))
	// Output: true 0
}

func ExampleLockTimeout() {
	ctx := context.Background()
	db, _ := open(ctx)
	defer db.Close()

	_ = atomic.Do(ctx, db, func(held context.Context) error {
		if err := add(held, db, "ben", 1); err != nil {
			return err
		}
		err := atomic.Do(ctx, db, func(ctx context.Context) error { return add(ctx, db, "ben", 1) },
			atomic.LockTimeout(10*time.Millisecond), atomic.Name("the other"))
		fmt.Println(errors.Is(err, dialect.ErrLockNotAvailable))
		return nil
	})
	// Output: true
}

// On a server the error says who held the lock, and errors.As finds them. SQLite
// does not know, so that its error is the usual one.
func ExampleExplainLocks() {
	ctx := context.Background()
	db, _ := open(ctx)
	defer db.Close()

	err := atomic.Do(ctx, db, func(ctx context.Context) error { return add(ctx, db, "ben", 1) },
		atomic.ExplainLocks(), atomic.LockTimeout(time.Second))
	var held *atomic.LockHeldError
	if errors.As(err, &held) {
		for _, h := range held.Holders {
			fmt.Println(h.Block, h.ConnectionID, h.Age, h.Statement)
		}
	}
	fmt.Println(err)
	// Output: <nil>
}

// The name stands in the errors of the block, and on the server.
func ExampleName() {
	ctx := context.Background()
	db, _ := open(ctx)
	defer db.Close()

	err := atomic.Do(ctx, db, func(ctx context.Context) error {
		_, err := db.Exec(ctx, "COMMIT")
		return err
	}, atomic.Name("monthly bill"))
	var e *atomic.BlockError
	fmt.Println(errors.As(err, &e), e.Block.Name, e.Block.Depth, errors.Is(err, atomic.ErrTransactionControl))
	// Output: true monthly bill 1 true
}

func ExampleResolveCommit() {
	ctx := context.Background()
	db, balance := open(ctx)
	defer db.Close()
	if _, err := db.Exec(ctx, sqlite.CommitsTable); err != nil { // once, with the schema
		log.Fatal(err)
	}

	err := atomic.Do(ctx, db, func(ctx context.Context) error { return add(ctx, db, "ben", 1) },
		atomic.ResolveCommit(), atomic.Retry(3))
	fmt.Println(err, balance("ben"))
	// Output: <nil> 1
}

func ExampleSavepoint() {
	ctx := context.Background()
	db, balance := open(ctx)
	defer db.Close()

	err := atomic.Do(ctx, db, func(ctx context.Context) error {
		for _, amount := range []int{-30, -100, -20} {
			sp, err := atomic.Savepoint(ctx, db)
			if err != nil {
				return err
			}
			if add(ctx, db, "ann", amount) == nil {
				err = sp.Release(ctx)
			} else {
				err = sp.Rollback(ctx) // clears the mark of the failed statement
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
	fmt.Println(err, balance("ann"))
	// Output: <nil> 50
}

func ExampleAdvisoryLock() {
	ctx := context.Background()
	db, _ := open(ctx)
	defer db.Close()

	err := atomic.Do(ctx, db, func(ctx context.Context) error {
		if err := atomic.AdvisoryLock(ctx, db, "nightly report"); err != nil {
			return err
		}
		fmt.Println("nobody else makes the report now")
		return nil
	})
	fmt.Println(err)
	// Output:
	// nobody else makes the report now
	// <nil>
}

func ExampleOpenSession() {
	ctx := context.Background()
	db, balance := open(ctx)
	defer db.Close()

	session, sctx, err := atomic.OpenSession(ctx, db)
	if err != nil {
		log.Fatal(err)
	}
	err = errors.Join(
		session.SetAutocommit(false),
		add(sctx, db, "ben", 1),
		session.Commit(sctx),
		add(sctx, db, "ben", 1), // not committed
	)
	fmt.Println(err, errors.Is(session.Close(), atomic.ErrUncommitted), balance("ben"))
	// Output: <nil> true 1
}

// Code that knows nothing of blocks takes part by passing ctx on.
func Example_databaseSQL() {
	ctx := context.Background()
	db, balance := open(ctx)
	defer db.Close()

	legacy := func(ctx context.Context, pool *sql.DB) error {
		tx, err := pool.BeginTx(ctx, nil) // inside a block: a savepoint
		if err != nil {
			return err
		}
		defer func() { _ = tx.Rollback() }()
		if _, err := tx.ExecContext(ctx, "UPDATE account SET balance = balance + 1 WHERE owner = 'ben'"); err != nil {
			return err
		}
		return tx.Commit()
	}
	err := atomic.Do(ctx, db, func(ctx context.Context) error {
		if err := legacy(ctx, db.SQL()); err != nil {
			return err
		}
		return atomic.Rollback // takes back what legacy believes to have committed
	})
	fmt.Println(err, balance("ben"))
	// Output: <nil> 0
}
