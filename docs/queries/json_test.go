package queries

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/holdfast-go/holdfast/models"
	"github.com/holdfast-go/holdfast/orm"
	"github.com/holdfast-go/holdfast/query"
)

// Event is what happened to an order; what else is known of it depends on its kind.
type Event struct {
	models.AutoID
	Kind string
	Data json.RawMessage
}

func events(ctx context.Context) (*orm.DB, orm.QuerySet[Event]) {
	db := shop(ctx)
	check(orm.CreateTables(ctx, db, (*Event)(nil)))
	events := orm.Objects[Event](db)
	check(events.BulkCreate(ctx, []*Event{
		{Kind: "sent", Data: json.RawMessage(`{"to": {"city": "Turin"}, "grams": 900, "parcels": ["A1"]}`)},
		{Kind: "sent", Data: json.RawMessage(`{"to": {"city": "Oslo"}, "grams": 15000, "parcels": ["B1", "B2"]}`)},
		{Kind: "paid", Data: json.RawMessage(`{"by": "card"}`)},
	}))
	forget()
	return db, events
}

func Example_jsonPaths() {
	ctx := context.Background()
	db, events := events(ctx)
	defer db.Close()

	data := query.F("data")
	heavy := data.JSON("grams").Int().Gt(1000)
	list, err := orm.Select[struct {
		City    string
		Parcels int64
	}](ctx, events.Filter(heavy), data.JSON("to", "city").Text().As("city"), data.JSON("parcels").Len().As("parcels"))
	fmt.Println(list, err)
	n, err := events.Filter(data.JSON("parcels", 0).Eq("A1")).Count(ctx)
	fmt.Println(n, err)
	// Output:
	// [{Oslo 2}] <nil>
	// 1 <nil>
}

func Example_jsonSet() {
	ctx := context.Background()
	db, events := events(ctx)
	defer db.Close()

	data := query.F("data")
	n, err := events.Filter(data.JSON("grams").Exists()).Update(ctx, data.JSON("to", "country").Set("unknown"), data.JSON("grams").Remove())
	fmt.Println(n, err)
	event, err := events.First(ctx)
	check(err)
	fmt.Println(string(event.Data))
	// Output:
	// 2 <nil>
	// {"to":{"city":"Turin","country":"unknown"},"parcels":["A1"]}
}
