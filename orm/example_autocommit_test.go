package orm_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/holdfast-go/holdfast/atomic"
	"github.com/holdfast-go/holdfast/dialect/sqlite"
	"github.com/holdfast-go/holdfast/orm"
)

// Without autocommit nothing is kept before Commit, and nothing is sent that
// nobody could commit.
func ExampleWithAutocommit() {
	ctx := context.Background()
	db, err := orm.Open(ctx, sqlite.Open(":memory:"), orm.WithAutocommit(false))
	check(err)
	defer db.Close()

	_, err = db.Exec(ctx, "CREATE TABLE note (text TEXT)")
	fmt.Println(errors.Is(err, atomic.ErrNoSession))

	session, sctx, err := db.Session(ctx)
	check(err)
	_, err = db.Exec(sctx, "CREATE TABLE note (text TEXT)")
	check(err)
	fmt.Println(session.Commit(sctx), session.Close())
	// Output:
	// true
	// <nil> <nil>
}
