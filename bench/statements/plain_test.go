package statements

import (
	"context"
	"database/sql"
	"errors"
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
		first: func(ctx context.Context, n int) (all []*Audio, err error) {
			rows, err := db.QueryContext(ctx, q.first, n)
			if err != nil {
				return nil, err
			}
			for rows.Next() {
				row := new(Audio)
				if err := rows.Scan(row.columns()...); err != nil {
					return nil, errors.Join(err, rows.Close())
				}
				all = append(all, row)
			}
			return all, errors.Join(rows.Err(), rows.Close())
		},
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
	}
}

func (a *Audio) values() []any {
	return []any{a.CreatedAt, a.UpdatedAt, a.ProjectID, a.UserID, a.Index, a.Text, a.Speed, a.Path, a.IsAudioRequired}
}

func (a *Audio) columns() []any {
	return []any{&a.ID, &a.CreatedAt, &a.UpdatedAt, &a.ProjectID, &a.UserID, &a.Index, &a.Text, &a.Speed, &a.Path, &a.IsAudioRequired}
}

type texts struct{ insert, byID, first, update string }

var queries = texts{
	insert: "INSERT INTO audio (created_at, updated_at, project_id, user_id, `index`, text, speed, path, is_audio_required) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
	byID:   "SELECT id, created_at, updated_at, project_id, user_id, `index`, text, speed, path, is_audio_required FROM audio WHERE id = ?",
	first:  "SELECT id, created_at, updated_at, project_id, user_id, `index`, text, speed, path, is_audio_required FROM audio ORDER BY id LIMIT ?",
	update: "UPDATE audio SET created_at = ?, updated_at = ?, project_id = ?, user_id = ?, `index` = ?, text = ?, speed = ?, path = ?, is_audio_required = ? WHERE id = ?",
}

var dollarQueries = texts{
	insert: `INSERT INTO audio (created_at, updated_at, project_id, user_id, "index", text, speed, path, is_audio_required) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) RETURNING id`,
	byID:   `SELECT id, created_at, updated_at, project_id, user_id, "index", text, speed, path, is_audio_required FROM audio WHERE id = $1`,
	first:  `SELECT id, created_at, updated_at, project_id, user_id, "index", text, speed, path, is_audio_required FROM audio ORDER BY id LIMIT $1`,
	update: `UPDATE audio SET created_at = $1, updated_at = $2, project_id = $3, user_id = $4, "index" = $5, text = $6, speed = $7, path = $8, is_audio_required = $9 WHERE id = $10`,
}
