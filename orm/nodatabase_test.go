package orm_test

import (
	"context"
	"database/sql"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/atomic"
	"github.com/holdfast-go/holdfast/dialect"
	"github.com/holdfast-go/holdfast/dialect/mysql"
	"github.com/holdfast-go/holdfast/dialect/postgres"
	"github.com/holdfast-go/holdfast/dialect/sqlite"
	"github.com/holdfast-go/holdfast/orm"
	"github.com/holdfast-go/holdfast/query"
)

// What Open returns beside an error is nil, and whoever goes on with it is told so.
func TestB18_NoDatabase(t *testing.T) {
	ctx := t.Context()
	var db *orm.DB
	q, row := orm.Objects[Stair](db), &Stair{Name: "one"}
	row.ID = 1
	for name, call := range map[string]func() error{
		"Err":             func() error { return q.Filter(F("level").Gt(1)).OrderBy("name").Limit(1).Err() },
		"All":             func() error { _, err := q.All(ctx); return err },
		"Get":             func() error { _, err := q.Get(ctx); return err },
		"First":           func() error { _, err := q.First(ctx); return err },
		"Find":            func() error { _, err := q.Find(ctx, 1); return err },
		"FindMany":        func() error { _, err := orm.FindMany(ctx, q, []int64{1}); return err },
		"Count":           func() error { _, err := q.Count(ctx); return err },
		"Exists":          func() error { _, err := q.Exists(ctx); return err },
		"Aggregate":       func() error { _, err := orm.Aggregate[*int64](ctx, q, query.Max(F("level"))); return err },
		"Select":          func() error { _, err := orm.Select[int64](ctx, q, F("level").As("level")); return err },
		"Create":          func() error { return q.Create(ctx, row) },
		"BulkCreate":      func() error { return q.BulkCreate(ctx, []*Stair{row}) },
		"Save":            func() error { return q.Save(ctx, row) },
		"BulkSave":        func() error { return q.BulkSave(ctx, []*Stair{row}) },
		"Refresh":         func() error { return q.Refresh(ctx, row) },
		"Update":          func() error { _, err := q.Update(ctx, query.Set("level", 1)); return err },
		"UpdateReturning": func() error { _, err := q.UpdateReturning(ctx, query.Set("level", 1)); return err },
		"Delete":          func() error { _, err := q.Delete(ctx); return err },
		"DeleteReturning": func() error { _, err := q.DeleteReturning(ctx); return err },
		"DeleteRow":       func() error { return q.DeleteRow(ctx, row) },
		"Explain":         func() error { _, err := q.Explain(ctx); return err },
		"After":           func() error { _, err := q.After(row).All(ctx); return err },
		"Cursor":          func() error { _, err := q.Cursor(row); return err },
		"AfterCursor":     func() error { return q.AfterCursor("x").Err() },
		"SelectForUpdate": func() error { return q.SelectForUpdate(orm.NoWait).Err() },
		"Iterate": func() error {
			for _, err := range q.Iterate(ctx) {
				return err
			}
			return nil
		},
		"Lock":         func() error { return orm.Lock(ctx, db, row) },
		"Scan":         func() error { _, err := orm.Scan[int64](ctx, db, "SELECT 1"); return err },
		"Exec":         func() error { _, err := db.Exec(ctx, "SELECT 1"); return err },
		"Query":        func() error { _, err := db.Query(ctx, "SELECT 1"); return err },
		"QueryRow":     func() error { return db.QueryRow(ctx, "SELECT 1").Err() },
		"CreateTables": func() error { return orm.CreateTables(ctx, db, (*Stair)(nil)) },
		"CreateIndex":  func() error { return orm.CreateIndex(ctx, db, (*Stair)(nil), "level") },
		"Check":        func() error { return orm.Check(ctx, db, (*Stair)(nil)) },
		"LockWaits":    func() error { _, err := orm.LockWaits(ctx, db); return err },
		"Link":         func() error { return orm.Link(ctx, db, row, "others", row) },
		"Migrate":      func() error { return orm.Migrate(ctx, db, "m", func(context.Context, *sql.DB) error { return nil }) },
		"Session":      func() error { _, _, err := db.Session(ctx); return err },
		"Do":           func() error { return atomic.Do(ctx, db, func(context.Context) error { return nil }) },
	} {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if p := recover(); p != nil {
					t.Fatal("it panicked: ", p)
				}
			}()
			require.ErrorContains(t, call(), "there is no database")
		})
	}
}

func TestOpen_AnOptionIsNil(t *testing.T) {
	ctx := t.Context()
	for want, open := range map[string]func() (*orm.DB, error){
		"open: options: option 2 of orm.Open is nil":  func() (*orm.DB, error) { return orm.Open(ctx, sqlite.Open(":memory:"), orm.MaxOpenConns(1), nil) },
		"open sqlite: options: option 1 is nil":       func() (*orm.DB, error) { return orm.Open(ctx, sqlite.Open(":memory:", nil)) },
		"open postgres: options: option 1 is nil":     func() (*orm.DB, error) { return orm.Open(ctx, postgres.Open("postgres://nowhere.invalid/", nil)) },
		"open mysql: options: option 1 is nil":        func() (*orm.DB, error) { return orm.Open(ctx, mysql.Open("mysql://nowhere.invalid/d", nil)) },
		"WithBlock: option 1 is nil":                  func() (*orm.DB, error) { return orm.Open(ctx, sqlite.Open(":memory:"), orm.WithBlock(nil)) },
		"source: there is none: pass what Open of an": func() (*orm.DB, error) { return orm.Open(ctx, nil) },
	} {
		_, err := open()
		var refused *dialect.OpenError
		require.ErrorAs(t, err, &refused, want)
		require.ErrorContains(t, err, want)
	}
}
