package dialect_test

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/holdfast-go/holdfast/dialect"
	"github.com/holdfast-go/holdfast/dialect/mysql"
	"github.com/holdfast-go/holdfast/dialect/postgres"
	"github.com/holdfast-go/holdfast/dialect/sqlite"
)

// A program that can do without asks first.
func ExampleServer() {
	ctx := context.Background()
	db := shop(ctx)
	defer db.Close()

	server := db.Server() // what the server said of itself when it was opened
	fmt.Println(server.Engine == dialect.SQLite, server.Version.AtLeast(3, 35, 0))
	fmt.Println(server.Can(dialect.SkipLocked), server.Can(dialect.LockWaits))
	// Output:
	// true true
	// true false
}

// What is missing is told with the version that would have it.
func ExampleServer_Require() {
	server := dialect.Server{Engine: dialect.MariaDB, Product: "MariaDB", Version: dialect.Version{Major: 10, Minor: 5, Patch: 29}}
	err := server.Require(dialect.SkipLocked)
	var missing *dialect.UnsupportedError
	if errors.As(err, &missing) {
		fmt.Println(missing.Feature, missing.Hint)
	}
	fmt.Println(errors.Is(err, dialect.ErrUnsupported))
	// Output:
	// SKIP LOCKED needs MariaDB 10.6
	// true
}

// How each engine says that it does not wait for ever.
func ExampleServer_Spelling() {
	for _, server := range []dialect.Server{
		{Engine: dialect.MySQL, Product: "MySQL", Version: dialect.Version{Major: 9, Minor: 7}},
		{Engine: dialect.MariaDB, Product: "MariaDB", Version: dialect.Version{Major: 11, Minor: 8}},
		{Engine: dialect.Postgres, Product: "PostgreSQL", Version: dialect.Version{Major: 18}},
	} {
		fmt.Printf("%s: %q or %q\n", server, server.Spelling(dialect.WaitClause), server.Spelling(dialect.WaitSetting))
	}
	// Output:
	// MySQL 9.7.0: "" or "innodb_lock_wait_timeout"
	// MariaDB 11.8: "WAIT" or "innodb_lock_wait_timeout"
	// PostgreSQL 18.0: "" or "lock_timeout"
}

// What one server cannot do. README has the table of all of them.
func ExampleCapability() {
	server := dialect.Server{Engine: dialect.MySQL, Product: "MySQL", Version: dialect.Version{Major: 9, Minor: 7}}
	for _, c := range []dialect.Capability{
		dialect.ForUpdate, dialect.ForShare, dialect.NoKeyUpdate, dialect.KeyShare,
		dialect.NoWait, dialect.SkipLocked, dialect.WaitClause, dialect.WaitSetting, dialect.Of,
		dialect.AdvisoryLock, dialect.LockWaits, dialect.Returning, dialect.UpdateReturning, dialect.DeleteReturning, dialect.Deferrable,
		dialect.TransactionTimeout, dialect.IdleTimeout, dialect.CommitStatus,
		dialect.Savepoint, dialect.WholeCommit, dialect.DDLInBlock, dialect.SeveralStatements, dialect.JSONEquality, dialect.JSONPaths,
		dialect.With, dialect.Window, dialect.FrameGroups, dialect.Intersect, dialect.Replicas,
	} {
		if !server.Can(c) {
			fmt.Println(c)
		}
	}
	// Output:
	// FOR NO KEY UPDATE
	// FOR KEY SHARE
	// WAIT
	// INSERT … RETURNING
	// UPDATE … RETURNING
	// DELETE … RETURNING
	// DEFERRABLE
	// a limit on the whole transaction
	// a limit on an idle transaction
	// the fate of a transaction
	// DDL in a block
	// frames of groups
}

// One setting for every engine, as a program with a -dsn flag has it. Only the
// drivers of packages that are imported are linked.
func ExampleSource() {
	source := func(dsn string) dialect.Source {
		switch {
		case strings.HasPrefix(dsn, "postgres://"):
			return postgres.Open(dsn)
		case strings.HasPrefix(dsn, "mysql://"), strings.HasPrefix(dsn, "mariadb://"):
			return mysql.Open(dsn)
		default:
			return sqlite.Open(dsn)
		}
	}
	pool, err := source(":memory:").Connect(context.Background()) // orm.Open does this
	fmt.Println(err)
	_ = pool.Close()
	// Output: <nil>
}
