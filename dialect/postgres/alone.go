package postgres

import (
	"context"
	"errors"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/holdfast-go/holdfast/internal/backend"
)

// simple sends a control statement by itself, in the simple protocol.
func (w *wire) simple(ctx context.Context, text string) (tag pgconn.CommandTag, err error) {
	w.used, w.unreplicated = true, false
	all, err := w.conn.Exec(ctx, text).ReadAll()
	if err != nil {
		return tag, w.lost(err)
	}
	if len(all) > 0 {
		tag = all[len(all)-1].CommandTag
	}
	return tag, nil
}

// controlAlone sends the control statements in front of another, one by one.
func (w *wire) controlAlone(ctx context.Context, prefix []string) error {
	for _, text := range prefix {
		_, err := w.simple(ctx, text)
		var refused *pgconn.PgError
		if errors.As(err, &refused) {
			return &backend.PrefixError{Statement: text, Err: err}
		}
		if err != nil {
			return err
		}
		if begins(text) {
			w.begun = true
		} else if w.gone() {
			return &backend.EndedError{}
		}
	}
	return nil
}

func (w *wire) commitAlone(ctx context.Context, prefix []string) (tag pgconn.CommandTag, err error) {
	if err := w.controlAlone(ctx, prefix); err != nil {
		return tag, err
	}
	w.begun = false
	return w.simple(ctx, "COMMIT")
}

func (w *wire) rollbackAlone(ctx context.Context, suffix []string) error {
	if _, err := w.simple(ctx, "ROLLBACK"); err != nil {
		return err
	}
	w.begun = false
	return w.controlAlone(ctx, suffix)
}
