package orm_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/holdfast-go/holdfast/atomic"
	"github.com/holdfast-go/holdfast/dialect"
	"github.com/holdfast-go/holdfast/dialect/postgres"
	"github.com/holdfast-go/holdfast/dialect/sqlite"
	"github.com/holdfast-go/holdfast/orm"
)

// A writer that is found wherever it is, and two standbys to read from.
func ExampleWithReplicas() {
	open := func(ctx context.Context) (*orm.DB, error) {
		return orm.Open(ctx,
			postgres.Open("postgres://shop@pg1,pg2,pg3/shop?target_session_attrs=read-write"),
			orm.WithReplicas(postgres.Open("postgres://shop@pg2/shop"), postgres.Open("postgres://shop@pg3/shop")),
			orm.ReplicaWait(500*time.Millisecond))
	}
	_ = open

	// What has no replicas says so.
	ctx := context.Background()
	source := sqlite.Open(":memory:")
	_, err := orm.Open(ctx, source, orm.WithReplicas(source))
	fmt.Println(errors.Is(err, dialect.ErrUnsupported))
	fmt.Println(dialect.Server{Engine: dialect.Postgres}.Can(dialect.Replicas))
	// Output:
	// true
	// true
}

// A list that may be a little old, for whoever has not just changed it.
func ExampleQuerySet_OnReplica() {
	ctx := context.Background()
	db := jukebox(ctx)
	defer db.Close()

	ctx = atomic.Seen(ctx, db)
	check(orm.Objects[Band](db).Create(ctx, &Band{Name: "Rollback"}))
	n, err := orm.Objects[Band](db).OnReplica().Count(ctx)
	fmt.Println(n, err) // there are no replicas: the writer answers
	// Output: 3 <nil>
}
