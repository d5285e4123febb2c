package queries

import (
	"context"
	"fmt"

	"github.com/holdfast-go/holdfast/orm"
	"github.com/holdfast-go/holdfast/query"
)

func Example_links() {
	ctx := context.Background()
	db := shop(ctx)
	defer db.Close()

	products, tags := orm.Objects[Product](db), orm.Objects[Tag](db)
	pen, err := products.Filter(query.F("name").Eq("pen")).Get(ctx)
	check(err)
	paper, err := tags.Filter(query.F("name").Eq("paper")).Get(ctx)
	check(err)
	forget()
	fmt.Println(orm.Link(ctx, db, pen, "tags", paper))
	sent()
	n, err := orm.Unlink(ctx, db, pen, "tags", paper)
	fmt.Println(n, err)
	fmt.Println(orm.SetLinks(ctx, db, pen, "tags", paper)) // these and no others
	pen, err = products.Prefetch("tags").Find(ctx, pen.ID)
	fmt.Println(pen.Tags, err)
	// Output:
	// <nil>
	// INSERT INTO product_tags (product_id, tag_id) VALUES (?, ?) ON CONFLICT (product_id, tag_id) DO NOTHING
	// 1 <nil>
	// <nil>
	// [paper] <nil>
}
