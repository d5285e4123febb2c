package queries

import (
	"context"
	"errors"
	"fmt"

	"github.com/holdfast-go/holdfast/orm"
)

func Example_after() {
	ctx := context.Background()
	db := shop(ctx)
	defer db.Close()

	orders := orm.Objects[Order](db).OrderBy("-total")
	var last *Order // nil is the beginning
	for {
		page, err := orders.After(last).Limit(2).All(ctx)
		if err != nil || len(page) == 0 {
			break
		}
		fmt.Println(page)
		last = page[len(page)-1]
	}
	sent()
	// Output:
	// [#3 #2]
	// [#1 #4]
	// [#5]
	// SELECT … FROM orders ORDER BY orders.total DESC, orders.id DESC LIMIT ?
	// SELECT … FROM orders WHERE (orders.total, orders.id) < (?, ?) ORDER BY orders.total DESC, orders.id DESC LIMIT ?
}

func Example_cursor() {
	ctx := context.Background()
	db := shop(ctx)
	defer db.Close()

	page := func(cursor string) (list []*Order, next string, err error) {
		orders := orm.Objects[Order](db).OrderBy("-placed")
		list, err = orders.AfterCursor(cursor).Limit(3).All(ctx)
		if err == nil && len(list) > 0 {
			next, err = orders.Cursor(list[len(list)-1])
		}
		return list, next, err
	}
	list, next, err := page("")
	fmt.Println(list, err)
	list, _, err = page(next)
	fmt.Println(list, err)
	_, _, err = page("made up")
	fmt.Println(errors.Is(err, orm.ErrCursor))
	// Output:
	// [#5 #4 #3] <nil>
	// [#2 #1] <nil>
	// true
}
