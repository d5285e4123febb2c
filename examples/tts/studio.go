package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/holdfast-go/holdfast/atomic"
	"github.com/holdfast-go/holdfast/orm"
	"github.com/holdfast-go/holdfast/query"
)

// studio is the database of the studio: what workers and writers do with it.
// Each method takes part in the block of its ctx; nobody passes a transaction on.
type studio struct{ db *orm.DB }

// FindForUpdate claims up to limit rows that need audio, those that have waited
// longest first, and locks them to the end of the block. Rows that somebody else
// has locked are left out if skipLocked is true, and otherwise make it fail with
// dialect.ErrLockNotAvailable at once.
func (s studio) FindForUpdate(ctx context.Context, limit int, skipLocked bool) ([]*Audio, error) {
	if skipLocked {
		return s.required(limit).SelectForUpdate(orm.SkipLocked).All(ctx)
	}
	return s.required(limit).SelectForUpdate(orm.NoWait).All(ctx)
}

// FindAndWait claims rows as FindForUpdate does, and waits for locked ones.
func (s studio) FindAndWait(ctx context.Context, limit int) ([]*Audio, error) {
	return s.required(limit).SelectForUpdate().All(ctx)
}

// Find reads the same rows without a lock: another worker may find them too, and
// a writer may edit them meanwhile.
func (s studio) Find(ctx context.Context, limit int) ([]*Audio, error) {
	return s.required(limit).All(ctx)
}

func (s studio) required(limit int) orm.QuerySet[Audio] {
	return orm.Objects[Audio](s.db).
		Filter(query.F("is_audio_required").Eq(true)).
		OrderBy("updated_at").
		Limit(limit)
}

// PassedOver counts the rows that needed audio before the last of claimed and
// are not among them: somebody else holds their locks.
func (s studio) PassedOver(ctx context.Context, claimed []*Audio) (int, error) {
	n, err := orm.Objects[Audio](s.db).
		Filter(query.F("is_audio_required").Eq(true),
			query.F("updated_at").Lt(claimed[len(claimed)-1].UpdatedAt),
			query.F("id").NotIn(ids(claimed)...)).
		Count(ctx)
	return int(n), err
}

// StoreSound notes the file that speaks a row's text.
func (s studio) StoreSound(ctx context.Context, id int64, path string) error {
	_, err := orm.Objects[Audio](s.db).
		Filter(query.F("id").Eq(id)).
		Update(ctx, query.Set("path", path), query.Set("is_audio_required", false))
	return err
}

// Edit gives a row another text and asks for its sound. With lock it holds the
// row from reading to writing it.
func (s studio) Edit(ctx context.Context, id int64, text string, lock bool) error {
	one := orm.Objects[Audio](s.db).Filter(query.F("id").Eq(id))
	if lock {
		one = one.SelectForUpdate()
	}
	audio, err := one.Get(ctx)
	if err != nil {
		return err
	}
	audio.Text, audio.IsAudioRequired = text, true
	return orm.Objects[Audio](s.db).Save(ctx, audio, "text", "is_audio_required")
}

// Pending counts the rows that need audio.
func (s studio) Pending(ctx context.Context) (int, error) {
	n, err := orm.Objects[Audio](s.db).Filter(query.F("is_audio_required").Eq(true)).Count(ctx)
	return int(n), err
}

// All reads every row.
func (s studio) All(ctx context.Context) ([]*Audio, error) {
	return orm.Objects[Audio](s.db).OrderBy("id").All(ctx)
}

// Fill creates the tables and rows to work on. It refuses a database that has
// such tables already: they are not ours.
func (s studio) Fill(ctx context.Context, texts []string, rows int) error {
	for _, table := range []string{"audio", "project"} {
		if _, err := s.db.Exec(ctx, "SELECT 1 FROM "+table+" WHERE 1 = 0"); err == nil {
			return fmt.Errorf("the database has a table %q already; use an empty one, or drop what an interrupted run has left", table)
		}
	}
	if err := orm.CreateTables(ctx, s.db, (*Project)(nil), (*Audio)(nil)); err != nil {
		return err
	}
	// A claim locks what it reads: without the index that would be every row.
	if err := orm.CreateIndex(ctx, s.db, (*Audio)(nil), "is_audio_required", "updated_at"); err != nil {
		return err
	}
	const perProject = 40
	return atomic.Do(ctx, s.db, func(ctx context.Context) error {
		var audios []*Audio
		var project *Project
		since := time.Now().Add(-time.Hour)
		for i := range rows {
			if i%perProject == 0 {
				project = &Project{Name: fmt.Sprintf("Project %d", i/perProject+1)}
				if err := orm.Objects[Project](s.db).Create(ctx, project); err != nil {
					return err
				}
			}
			a := &Audio{
				ProjectID: project.ID, UserID: int64(i%7 + 1), Index: i%perProject + 1,
				Text: texts[i%len(texts)], Speed: 1, IsAudioRequired: true,
			}
			a.UpdatedAt = since.Add(time.Duration(i) * time.Millisecond)
			audios = append(audios, a)
		}
		return orm.Objects[Audio](s.db).BulkCreate(ctx, audios)
	})
}

// Drop removes what Fill has created.
func (s studio) Drop(ctx context.Context) error {
	var errs []error
	for _, table := range []string{"audio", "project"} {
		_, err := s.db.Exec(ctx, "DROP TABLE IF EXISTS "+table)
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

func ids(audios []*Audio) []any {
	all := make([]any, len(audios))
	for i, a := range audios {
		all[i] = a.ID
	}
	return all
}
