package store_test

import (
	"errors"
	"path/filepath"
	"testing"

	"example.com/shop/store"
	"github.com/holdfast-go/holdfast/orm"
)

func TestBuy(t *testing.T) {
	sells(t, shop(t, filepath.Join(t.TempDir(), "shop.db"))) // a database of its own
}

// shop opens a database that is empty, and makes its tables.
func shop(t *testing.T, address string) *orm.DB {
	t.Helper()
	db, err := store.Open(t.Context(), address) // the options of production
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	if err := orm.CreateTables(t.Context(), db, store.Models()...); err != nil {
		t.Fatal(err)
	}
	return db
}

// sells has 20 clients buy 10 seats each, of 100.
func sells(t *testing.T, db *orm.DB) {
	t.Helper()
	ctx := t.Context()
	shows := orm.Objects[store.Show](db)
	show := &store.Show{Title: "Hamlet", Free: 100}
	if err := shows.Create(ctx, show); err != nil {
		t.Fatal(err)
	}
	errs := make(chan error)
	for range 20 {
		go func() {
			_, err := store.Buy(ctx, db, show.ID, "ann", 10)
			errs <- err
		}()
	}
	sold := 0
	for range 20 {
		switch err := <-errs; {
		case err == nil:
			sold += 10
		case !errors.Is(err, store.ErrSoldOut):
			t.Error(err)
		}
	}
	if err := shows.Refresh(ctx, show); err != nil || sold != 100 || show.Free != 0 {
		t.Errorf("sold %d, left %d, %v", sold, show.Free, err)
	}
}
