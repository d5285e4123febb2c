package postgres_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver of the pool

	"github.com/holdfast-go/holdfast/dialect"
	"github.com/holdfast-go/holdfast/dialect/postgres"
)

// The table of atomic.Once, for a migration tool.
func ExampleOpen_onceTable() {
	fmt.Println(strings.HasPrefix(postgres.OnceTable, "CREATE TABLE IF NOT EXISTS holdfast_once"))
	// Output: true
}

func ExampleOpen() {
	ctx := context.Background()
	_, err := postgres.Open("postgres://app:secret@127.0.0.1:1/shop?sslmode=disable").Connect(ctx) // orm.Open does this
	var problem *dialect.OpenError
	if errors.As(err, &problem) {
		fmt.Println(problem.Setting)
		fmt.Println(err)
	}
	// Output:
	// host
	// holdfast: open postgres: host: no server answers at 127.0.0.1:1: connect: connection refused; check host and port
}

// Behind PgBouncer in transaction mode a session's prepared statements are
// somebody else's the next time.
func ExampleWithoutStatementCache() {
	_ = postgres.Open("postgres://app:secret@pgbouncer:6432/shop", postgres.WithoutStatementCache())
	// Output:
}

// A pooler that loses count of statements that travel together. pgpool-II is
// recognised without the option.
func ExampleOneByOne() {
	_ = postgres.Open("postgres://app:secret@pooler:9999/shop", postgres.OneByOne())
	// Output:
}

// A server that has little memory for each connection.
func ExampleStatementCache() {
	_ = postgres.Open("postgres://app:secret@db:5432/shop", postgres.StatementCache(64))
	// Output:
}

// A pool that the program has opened already, and keeps.
func ExampleFrom() {
	pool, err := sql.Open("pgx", "postgres://app:secret@127.0.0.1:1/shop?sslmode=disable")
	if err != nil {
		fmt.Println(err)
	}
	defer pool.Close()
	_, err = postgres.From(pool).Connect(context.Background())
	var problem *dialect.OpenError
	fmt.Println(errors.As(err, &problem))
	// Output: true
}
