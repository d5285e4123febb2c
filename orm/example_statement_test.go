package orm_test

import (
	"context"
	"fmt"

	"github.com/holdfast-go/holdfast/orm"
	"github.com/holdfast-go/holdfast/query"
)

func ExampleQuerySet_SQL() {
	ctx := context.Background()
	db := jukebox(ctx)
	defer db.Close()

	text, values, err := orm.Objects[Band](db).Filter(query.F("name").In("A", "B")).OrderBy("-id").Limit(5).SQL(ctx)
	fmt.Println(text)
	fmt.Println(values, err)
	// Output:
	// SELECT "bands"."id", "bands"."name" FROM "bands" WHERE "bands"."name" IN (?, ?) ORDER BY "bands"."id" DESC LIMIT ?
	// [A B 5] <nil>
}

func ExampleQuerySet_Explain() {
	ctx := context.Background()
	db := jukebox(ctx)
	defer db.Close()

	plan, err := orm.Objects[Band](db).Filter(query.F("id").Eq(1)).Explain(ctx)
	check(err)
	fmt.Print(plan)
	// Output: SEARCH bands USING INTEGER PRIMARY KEY (rowid=?)
}
