package orm_test

import (
	"context"
	"fmt"

	"github.com/uptrace/bun"

	"github.com/holdfast-go/holdfast/dialect/sqlite"
	"github.com/holdfast-go/holdfast/models"
	"github.com/holdfast-go/holdfast/orm"
)

type Post struct {
	models.AutoID
	Tags []*Tag `bun:"m2m:post_tag,join:Post=Tag"`
}

type Tag struct {
	models.AutoID
	Name string
}

type PostTag struct {
	bun.BaseModel `bun:"table:post_tag"`
	PostID        int64 `bun:",pk"`
	TagID         int64 `bun:",pk"`
	Post          *Post `bun:"rel:belongs-to,join:post_id=id"`
	Tag           *Tag  `bun:"rel:belongs-to,join:tag_id=id"`
}

func blog(ctx context.Context) (db *orm.DB, post *Post, tags []*Tag) {
	db, err := orm.Open(ctx, sqlite.Open(":memory:"))
	check(err)
	check(orm.CreateTables(ctx, db, (*PostTag)(nil), (*Post)(nil), (*Tag)(nil)))
	post = &Post{}
	check(orm.Objects[Post](db).Create(ctx, post))
	tags = []*Tag{{Name: "go"}, {Name: "sql"}, {Name: "locks"}}
	check(orm.Objects[Tag](db).BulkCreate(ctx, tags))
	return db, post, tags
}

func printTags(ctx context.Context, db *orm.DB) {
	post, err := orm.Objects[Post](db).Prefetch("tags", func(r orm.Related) orm.Related { return r.OrderBy("name") }).Get(ctx)
	check(err)
	for _, tag := range post.Tags {
		fmt.Print(tag.Name, " ")
	}
	fmt.Println()
}

func ExampleLink() {
	ctx := context.Background()
	db, post, tags := blog(ctx)
	defer db.Close()

	check(orm.Link(ctx, db, post, "tags", tags[0], tags[1]))
	check(orm.Link(ctx, db, post, "tags", tags[1])) // it is there
	printTags(ctx, db)
	// Output: go sql
}

func ExampleUnlink() {
	ctx := context.Background()
	db, post, tags := blog(ctx)
	defer db.Close()
	check(orm.Link(ctx, db, post, "tags", tags[0], tags[1]))

	n, err := orm.Unlink(ctx, db, post, "tags", tags[1], tags[2])
	fmt.Println(n, err)
	printTags(ctx, db)
	// Output:
	// 1 <nil>
	// go
}

func ExampleSetLinks() {
	ctx := context.Background()
	db, post, tags := blog(ctx)
	defer db.Close()
	check(orm.Link(ctx, db, post, "tags", tags[0], tags[1]))

	check(orm.SetLinks(ctx, db, post, "tags", tags[1:]...))
	printTags(ctx, db)
	// Output: locks sql
}
