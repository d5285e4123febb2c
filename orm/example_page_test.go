package orm_test

import (
	"context"
	"fmt"

	"github.com/holdfast-go/holdfast/orm"
	"github.com/holdfast-go/holdfast/query"
)

// A query is a value: a function can narrow it down for all who need the same.
func ExampleQuerySet() {
	ctx := context.Background()
	db := jukebox(ctx)
	defer db.Close()

	page := func(q orm.QuerySet[Song], number int) orm.QuerySet[Song] {
		return q.OrderBy("title").Limit(2).Offset(2 * (number - 1))
	}
	long := orm.Objects[Song](db).Filter(query.F("seconds").Ge(180))
	for number := 1; number <= 2; number++ {
		songs, err := page(long, number).All(ctx)
		check(err)
		for _, s := range songs {
			fmt.Println(number, s.Title)
		}
	}
	// Output:
	// 1 Deadlock Blues
	// 1 Nested
	// 2 Roll Me Back
	// 2 Skip Locked
}
