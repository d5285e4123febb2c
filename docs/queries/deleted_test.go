package queries

import (
	"context"
	"fmt"

	"github.com/holdfast-go/holdfast/models"
	"github.com/holdfast-go/holdfast/orm"
	"github.com/holdfast-go/holdfast/query"
)

// Voucher is not deleted from its table: models.SoftDelete has the column deleted_at.
type Voucher struct {
	models.AutoID
	models.SoftDelete
	Code  string
	Cents int64
}

func Example_softDelete() {
	ctx := context.Background()
	db := shop(ctx)
	check(orm.CreateTables(ctx, db, (*Voucher)(nil)))
	check(orm.Objects[Voucher](db).BulkCreate(ctx, []*Voucher{{Code: "spring", Cents: 500}, {Code: "autumn", Cents: 700}}))
	forget()
	defer db.Close()

	vouchers := orm.Objects[Voucher](db)
	spring := vouchers.Filter(query.F("code").Eq("spring"))
	n, err := spring.Delete(ctx)
	fmt.Println(n, err)
	living, err := vouchers.Count(ctx)
	fmt.Println(living, err)
	all, err := vouchers.WithDeleted().Count(ctx)
	fmt.Println(all, err)
	sent()
	n, err = spring.Restore(ctx)
	fmt.Println(n, err)
	// Output:
	// 1 <nil>
	// 1 <nil>
	// 2 <nil>
	// UPDATE vouchers SET deleted_at = ? WHERE vouchers.code = ? AND vouchers.deleted_at IS NULL
	// SELECT COUNT(*) FROM vouchers WHERE vouchers.deleted_at IS NULL
	// SELECT COUNT(*) FROM vouchers
	// 1 <nil>
}
