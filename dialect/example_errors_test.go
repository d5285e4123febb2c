package dialect_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net/http"

	"github.com/holdfast-go/holdfast/dialect"
	"github.com/holdfast-go/holdfast/dialect/sqlite"
	"github.com/holdfast-go/holdfast/orm"
)

// status is what a web server answers. The kinds are the same on every engine.
func status(err error) int {
	for kind, code := range map[error]int{
		dialect.ErrUniqueViolation:      http.StatusConflict,
		dialect.ErrForeignKeyViolation:  http.StatusConflict,
		dialect.ErrCheckViolation:       http.StatusUnprocessableEntity,
		dialect.ErrNotNullViolation:     http.StatusUnprocessableEntity,
		dialect.ErrLockNotAvailable:     http.StatusLocked,
		dialect.ErrDeadlock:             http.StatusServiceUnavailable, // or atomic.Retry
		dialect.ErrSerializationFailure: http.StatusServiceUnavailable, // or atomic.Retry
		dialect.ErrConnectionLost:       http.StatusServiceUnavailable,
		dialect.ErrQueryCanceled:        http.StatusGatewayTimeout,
		dialect.ErrReadOnly:             http.StatusForbidden,
		dialect.ErrTooLarge:             http.StatusRequestEntityTooLarge,
		dialect.ErrUnsupported:          http.StatusNotImplemented,
	} {
		if errors.Is(err, kind) {
			return code
		}
	}
	return http.StatusInternalServerError
}

// The kind is for the program, and so is what was violated; the server's own code is
// for the person who reads the log. The text holds no value of a row. Other engines name
// the constraint of a key, and SQLite its columns.
func ExampleError() {
	ctx := context.Background()
	db := shop(ctx)
	defer db.Close()

	for _, statement := range []string{
		"INSERT INTO item (id, price) VALUES (1, 30)",
		"INSERT INTO item (id, price, code) VALUES (4, 30, 'A1')",
		"INSERT INTO item (id, price) VALUES (2, -5)",
		"INSERT INTO item (id, price) VALUES (3, NULL)",
		"INSERT INTO sale (item_id) VALUES (77)",
	} {
		_, err := db.Exec(ctx, statement)
		var e *dialect.Error
		if errors.As(err, &e) {
			fmt.Println(status(err), e.Engine, e.Kind, e.Code, e.Constraint, e.Columns)
		}
	}
	// Output:
	// 409 sqlite unique violation SQLITE_CONSTRAINT_PRIMARYKEY  [id]
	// 409 sqlite unique violation SQLITE_CONSTRAINT_UNIQUE  [code]
	// 422 sqlite check violation SQLITE_CONSTRAINT_CHECK not_negative []
	// 422 sqlite not-null violation SQLITE_CONSTRAINT_NOTNULL  [price]
	// 409 sqlite foreign key violation SQLITE_CONSTRAINT_FOREIGNKEY  []
}

// shop is a database in memory with one item, which has the id 1.
func shop(ctx context.Context) *orm.DB {
	db, err := orm.Open(ctx, sqlite.Open(":memory:"))
	if err != nil {
		log.Fatal(err)
	}
	for _, statement := range []string{
		"CREATE TABLE item (id INTEGER PRIMARY KEY, price INTEGER NOT NULL CONSTRAINT not_negative CHECK (price >= 0), code TEXT UNIQUE)",
		"CREATE TABLE sale (item_id INTEGER NOT NULL REFERENCES item)",
		"INSERT INTO item (id, price, code) VALUES (1, 20, 'A1')",
	} {
		if _, err := db.Exec(ctx, statement); err != nil {
			log.Fatal(err)
		}
	}
	return db
}
