package statements

import (
	"context"
	"database/sql"
	"errors"
	"strconv"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/tests/testdb"
)

// plain is database/sql, written by hand: what any library could at best add
// nothing to.
func plain(b *testing.B, at testdb.Database) operations {
	var db *sql.DB
	q := queries
	if at.Engine == testdb.Postgres {
		config, err := pgx.ParseConfig(at.DSN)
		require.NoError(b, err)
		db = stdlib.OpenDB(*config)
		q = dollarQueries
	} else {
		db = mysqlPool(b, at.DSN)
	}
	b.Cleanup(func() { _ = db.Close() })
	return operations{
		insert: func(ctx context.Context, row *Audio) error {
			if at.Engine == testdb.Postgres {
				return db.QueryRowContext(ctx, q.insert, row.values()...).Scan(&row.ID)
			}
			res, err := db.ExecContext(ctx, q.insert, row.values()...)
			if err == nil {
				row.ID, err = res.LastInsertId()
			}
			return err
		},
		byID: func(ctx context.Context, id int64) (*Audio, error) {
			row := new(Audio)
			return row, db.QueryRowContext(ctx, q.byID, id).Scan(row.columns()...)
		},
		first: func(ctx context.Context, n int) ([]*Audio, error) { return list(ctx, db, (*Audio).columns, q.first, n) },
		update: func(ctx context.Context, row *Audio) error {
			_, err := db.ExecContext(ctx, q.update, append(row.values(), row.ID)...)
			return err
		},
		change: func(ctx context.Context, id int64) error {
			tx, err := db.BeginTx(ctx, nil)
			if err != nil {
				return err
			}
			defer func() { _ = tx.Rollback() }()
			row := new(Audio)
			if err := tx.QueryRowContext(ctx, q.byID+" FOR UPDATE", id).Scan(row.columns()...); err != nil {
				return err
			}
			row.Index++
			if _, err := tx.ExecContext(ctx, q.update, append(row.values(), row.ID)...); err != nil {
				return err
			}
			return tx.Commit()
		},
		insertMany: func(ctx context.Context, all []*Audio) error {
			args := make([]any, 0, 9*len(all))
			for _, row := range all {
				args = append(args, row.values()...)
			}
			if at.Engine == testdb.Postgres {
				rows, err := db.QueryContext(ctx, q.insertMany, args...)
				if err != nil {
					return err
				}
				for i := 0; rows.Next(); i++ {
					if err := rows.Scan(&all[i].ID); err != nil {
						return errors.Join(err, rows.Close())
					}
				}
				return errors.Join(rows.Err(), rows.Close())
			}
			res, err := db.ExecContext(ctx, q.insertMany, args...)
			if err != nil {
				return err
			}
			id, err := res.LastInsertId()
			for i, row := range all {
				row.ID = id + int64(i)
			}
			return err
		},
		upsertMany: func(ctx context.Context, all []*Product) error {
			_, err := db.ExecContext(ctx, q.upsertMany, productValues(all)...)
			return err
		},
		upsertRead: func(ctx context.Context, all []*Product) error {
			byID, ids := make(map[int64]*Product, len(all)), make([]any, len(all))
			for i, p := range all {
				byID[p.ID], ids[i] = p, p.ID
			}
			if at.Engine != testdb.MySQL {
				return readProducts(byID)(db.QueryContext(ctx, q.upsertRead+" RETURNING id, name, price, stock", productValues(all)...))
			}
			tx, err := db.BeginTx(ctx, nil)
			if err != nil {
				return err
			}
			defer func() { _ = tx.Rollback() }()
			if _, err := tx.ExecContext(ctx, q.upsertRead, productValues(all)...); err != nil {
				return err
			}
			if err := readProducts(byID)(tx.QueryContext(ctx, q.products, ids...)); err != nil {
				return err
			}
			return tx.Commit()
		},
		tree: func(ctx context.Context) ([]*Folder, error) {
			all, err := list(ctx, db, func(f *Folder) []any { return []any{&f.ID, &f.Name} }, q.folders)
			if err != nil {
				return nil, err
			}
			keys, byID := make([]any, len(all)), make(map[int64]*Folder, len(all))
			for i, f := range all {
				keys[i], byID[f.ID] = f.ID, f
			}
			some, err := list(ctx, db, func(t *Track) []any { return []any{&t.ID, &t.FolderID, &t.Title, &t.Seconds} }, q.tracks, keys...)
			for _, t := range some {
				f := byID[t.FolderID]
				f.Tracks = append(f.Tracks, t)
			}
			return all, err
		},
		report: func(ctx context.Context) ([]Total, error) {
			rows, err := db.QueryContext(ctx, q.report)
			if err != nil {
				return nil, err
			}
			var all []Total
			for rows.Next() {
				var t Total
				if err := rows.Scan(&t.FolderID, &t.N, &t.Longest); err != nil {
					return nil, errors.Join(err, rows.Close())
				}
				all = append(all, t)
			}
			return all, errors.Join(rows.Err(), rows.Close())
		},
		page: func(ctx context.Context, after int64) ([]*Audio, error) {
			return list(ctx, db, (*Audio).columns, q.page, after, page)
		},
	}
}

// list reads rows, each into what columns says.
func list[T any](ctx context.Context, db *sql.DB, columns func(*T) []any, text string, args ...any) (all []*T, err error) {
	rows, err := db.QueryContext(ctx, text, args...)
	if err != nil {
		return nil, err
	}
	for rows.Next() {
		row := new(T)
		if err := rows.Scan(columns(row)...); err != nil {
			return nil, errors.Join(err, rows.Close())
		}
		all = append(all, row)
	}
	return all, errors.Join(rows.Err(), rows.Close())
}

// readProducts reads rows into those that have their keys.
func readProducts(byID map[int64]*Product) func(*sql.Rows, error) error {
	return func(rows *sql.Rows, err error) error {
		if err != nil {
			return err
		}
		for rows.Next() {
			var read Product
			if err := rows.Scan(&read.ID, &read.Name, &read.Price, &read.Stock); err != nil {
				return errors.Join(err, rows.Close())
			}
			*byID[read.ID] = read
		}
		return errors.Join(rows.Err(), rows.Close())
	}
}

func productValues(all []*Product) []any {
	args := make([]any, 0, 4*len(all))
	for _, p := range all {
		args = append(args, p.ID, p.Name, p.Price, p.Stock)
	}
	return args
}

func (a *Audio) values() []any {
	return []any{a.CreatedAt, a.UpdatedAt, a.ProjectID, a.UserID, a.Index, a.Text, a.Speed, a.Path, a.IsAudioRequired}
}

func (a *Audio) columns() []any {
	return []any{&a.ID, &a.CreatedAt, &a.UpdatedAt, &a.ProjectID, &a.UserID, &a.Index, &a.Text, &a.Speed, &a.Path, &a.IsAudioRequired}
}

type texts struct {
	insert, byID, first, update                           string
	insertMany, upsertMany, folders, tracks, report, page string
	upsertRead, products                                  string
}

const (
	columns = "created_at, updated_at, project_id, user_id, `index`, text, speed, path, is_audio_required"
	folder  = "SELECT id, name FROM folder ORDER BY id"
	report  = "SELECT folder_id, COUNT(*), MAX(seconds) FROM track GROUP BY folder_id ORDER BY folder_id"
)

var insertProducts = "INSERT INTO product (id, name, price, stock) VALUES " + marks(bulk, 4)

var queries = texts{
	insert: "INSERT INTO audio (" + columns + ") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
	byID:   "SELECT id, " + columns + " FROM audio WHERE id = ?",
	first:  "SELECT id, " + columns + " FROM audio ORDER BY id LIMIT ?",
	update: "UPDATE audio SET created_at = ?, updated_at = ?, project_id = ?, user_id = ?, `index` = ?, text = ?, speed = ?, path = ?, is_audio_required = ? WHERE id = ?",

	insertMany: "INSERT INTO audio (" + columns + ") VALUES " + marks(bulk, 9),
	upsertMany: insertProducts + " ON DUPLICATE KEY UPDATE name = VALUES(name), price = VALUES(price), stock = VALUES(stock)",
	upsertRead: insertProducts + " ON DUPLICATE KEY UPDATE price = VALUES(price), stock = VALUES(stock)",
	products:   "SELECT id, name, price, stock FROM product WHERE id IN " + marks(1, bulk) + " FOR UPDATE",
	folders:    folder,
	tracks:     "SELECT id, folder_id, title, seconds FROM track WHERE folder_id IN " + marks(1, folders),
	report:     report,
	page:       "SELECT id, " + columns + " FROM audio WHERE id > ? ORDER BY id LIMIT ?",
}

// dollarQueries are PostgreSQL's.
var dollarQueries = texts{
	insert: dollars(queries.insert) + " RETURNING id",
	byID:   dollars(queries.byID),
	first:  dollars(queries.first),
	update: dollars(queries.update),

	insertMany: dollars(queries.insertMany) + " RETURNING id",
	upsertMany: dollars(insertProducts) + " ON CONFLICT (id) DO UPDATE SET name = excluded.name, price = excluded.price, stock = excluded.stock",
	upsertRead: dollars(insertProducts) + " ON CONFLICT (id) DO UPDATE SET price = excluded.price, stock = excluded.stock",
	folders:    folder,
	tracks:     dollars(queries.tracks),
	report:     report,
	page:       dollars(queries.page),
}

// marks is placeholders for so many rows.
func marks(rows, columns int) string {
	row := "(" + strings.TrimSuffix(strings.Repeat("?, ", columns), ", ") + ")"
	return strings.TrimSuffix(strings.Repeat(row+", ", rows), ", ")
}

// dollars is text as PostgreSQL has its names and placeholders.
func dollars(text string) string {
	parts := strings.Split(strings.ReplaceAll(text, "`", `"`), "?")
	for i := range parts[:len(parts)-1] {
		parts[i] += "$" + strconv.Itoa(i+1)
	}
	return strings.Join(parts, "")
}
