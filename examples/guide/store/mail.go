package store

import (
	"context"
	"time"

	"github.com/holdfast-go/holdfast/orm"
	"github.com/holdfast-go/holdfast/query"
)

// Claim takes up to n mails that are due. No other worker gets them for the next
// five minutes; a worker that dies loses nothing but that time.
func Claim(ctx context.Context, db *orm.DB, n int) ([]*Mail, error) {
	now := time.Now()
	return orm.Objects[Mail](db).
		Filter(query.F("due_at").Le(now)).
		OrderBy("due_at").
		Limit(n).
		SelectForUpdate(orm.SkipLocked).
		UpdateReturning(ctx, query.Set("due_at", now.Add(5*time.Minute)))
}

// Send sends the mails that it has claimed, outside any block, and deletes each
// one when it is sent.
func Send(ctx context.Context, db *orm.DB, n int, send func(context.Context, *Mail) error) (sent int, err error) {
	mails, err := Claim(ctx, db, n)
	for _, mail := range mails {
		if err := send(ctx, mail); err != nil {
			return sent, err
		}
		if err := orm.Objects[Mail](db).DeleteRow(ctx, mail); err != nil {
			return sent, err
		}
		sent++
	}
	return sent, err
}
