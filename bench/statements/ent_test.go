package statements

import (
	"context"
	"testing"

	"entgo.io/ent/dialect"
	entsql "entgo.io/ent/dialect/sql"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/tests/testdb"
)

// ent is its builder of statements and its scanner, on which the code stands that it
// generates: that does the same, and more.
type ent struct {
	driver *entsql.Driver
	*entsql.DialectBuilder
	quotes bool // RETURNING, and not LastInsertId
}

var (
	audioColumns = []string{"id", "created_at", "updated_at", "project_id", "user_id", "index", "text", "speed", "path", "is_audio_required"}
	trackColumns = []string{"id", "folder_id", "title", "seconds"}
)

func viaEnt(b *testing.B, at testdb.Database) operations {
	e := ent{quotes: at.Engine == testdb.Postgres}
	if e.quotes {
		config, err := pgx.ParseConfig(at.DSN)
		require.NoError(b, err)
		e.driver = entsql.OpenDB(dialect.Postgres, stdlib.OpenDB(*config))
	} else {
		e.driver = entsql.OpenDB(dialect.MySQL, mysqlPool(b, at.DSN))
	}
	e.DialectBuilder = entsql.Dialect(e.driver.Dialect())
	b.Cleanup(func() { _ = e.driver.Close() })
	return operations{
		insert: func(ctx context.Context, row *Audio) error {
			return e.insert(ctx, []*Audio{row})
		},
		byID: func(ctx context.Context, id int64) (*Audio, error) { return e.byID(ctx, e.driver, id, false) },
		first: func(ctx context.Context, n int) ([]*Audio, error) {
			return read[*Audio](ctx, e.driver, e.Select(audioColumns...).From(entsql.Table("audio")).OrderBy("id").Limit(n))
		},
		update: func(ctx context.Context, row *Audio) error { return e.update(ctx, e.driver, row) },
		change: func(ctx context.Context, id int64) error {
			tx, err := e.driver.Tx(ctx)
			if err != nil {
				return err
			}
			row, err := e.byID(ctx, tx, id, true)
			if err == nil {
				row.Index++
				err = e.update(ctx, tx, row)
			}
			if err != nil {
				_ = tx.Rollback()
				return err
			}
			return tx.Commit()
		},
		insertMany: e.insert,
		upsertMany: func(ctx context.Context, list []*Product) error {
			insert := e.Insert("product").Columns("id", "name", "price", "stock")
			for _, p := range list {
				insert.Values(p.ID, p.Name, p.Price, p.Stock)
			}
			insert.OnConflict(entsql.ConflictColumns("id"), entsql.ResolveWith(func(u *entsql.UpdateSet) { u.SetExcluded("name").SetExcluded("price").SetExcluded("stock") }))
			query, args := insert.Query()
			return e.driver.Exec(ctx, query, args, nil)
		},
		tree: func(ctx context.Context) ([]*Folder, error) {
			list, err := read[*Folder](ctx, e.driver, e.Select("id", "name").From(entsql.Table("folder")).OrderBy("id"))
			if err != nil {
				return nil, err
			}
			keys, byID := make([]any, len(list)), make(map[int64]*Folder, len(list))
			for i, f := range list {
				keys[i], byID[f.ID] = f.ID, f
			}
			all, err := read[*Track](ctx, e.driver, e.Select(trackColumns...).From(entsql.Table("track")).Where(entsql.In("folder_id", keys...)))
			for _, t := range all {
				byID[t.FolderID].Tracks = append(byID[t.FolderID].Tracks, t)
			}
			return list, err
		},
		report: func(ctx context.Context) ([]Total, error) {
			return read[Total](ctx, e.driver, e.Select("folder_id", entsql.As(entsql.Count("*"), "n"), entsql.As(entsql.Max("seconds"), "longest")).
				From(entsql.Table("track")).GroupBy("folder_id").OrderBy("folder_id"))
		},
		page: func(ctx context.Context, after int64) ([]*Audio, error) {
			return read[*Audio](ctx, e.driver, e.Select(audioColumns...).From(entsql.Table("audio")).Where(entsql.GT("id", after)).OrderBy("id").Limit(page))
		},
	}
}

func read[T any](ctx context.Context, on dialect.ExecQuerier, s *entsql.Selector) (list []T, err error) {
	query, args := s.Query()
	var rows entsql.Rows
	if err := on.Query(ctx, query, args, &rows); err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	return list, entsql.ScanSlice(rows, &list)
}

func (e ent) byID(ctx context.Context, on dialect.ExecQuerier, id int64, lock bool) (*Audio, error) {
	s := e.Select(audioColumns...).From(entsql.Table("audio")).Where(entsql.EQ("id", id))
	if lock {
		s.ForUpdate()
	}
	list, err := read[*Audio](ctx, on, s)
	if err != nil {
		return nil, err
	}
	return list[0], nil
}

func (e ent) update(ctx context.Context, on dialect.ExecQuerier, row *Audio) error {
	update := e.Update("audio").Where(entsql.EQ("id", row.ID))
	for i, v := range row.values() {
		update.Set(audioColumns[i+1], v)
	}
	query, args := update.Query()
	return on.Exec(ctx, query, args, nil)
}

func (e ent) insert(ctx context.Context, list []*Audio) error {
	insert := e.Insert("audio").Columns(audioColumns[1:]...)
	for _, row := range list {
		insert.Values(row.values()...)
	}
	if e.quotes {
		query, args := insert.Returning("id").Query()
		var rows entsql.Rows
		if err := e.driver.Query(ctx, query, args, &rows); err != nil {
			return err
		}
		defer func() { _ = rows.Close() }()
		for i := 0; rows.Next(); i++ {
			if err := rows.Scan(&list[i].ID); err != nil {
				return err
			}
		}
		return rows.Err()
	}
	query, args := insert.Query()
	var res entsql.Result
	if err := e.driver.Exec(ctx, query, args, &res); err != nil {
		return err
	}
	id, err := res.LastInsertId()
	for i, row := range list {
		row.ID = id + int64(i)
	}
	return err
}
