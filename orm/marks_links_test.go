package orm_test

import (
	"context"
	"errors"

	"github.com/uptrace/bun"

	"github.com/holdfast-go/holdfast/models"
	"github.com/holdfast-go/holdfast/orm"
)

// unreadableKey is a number that cannot be read.
type unreadableKey int64

func (*unreadableKey) Scan(any) error { return errors.New("cannot be read") }

// The notes of the table as rows that are marked when they are deleted, and as rows
// that have tags.
type (
	softNote struct {
		bun.BaseModel `bun:"table:note"`
		ID            int64  `bun:",pk,autoincrement"`
		Name          string `bun:",unique"`
		State         string `bun:",notnull,nullzero,default:'draft'"`
		models.SoftDelete
	}
	softNoteGone struct {
		bun.BaseModel `bun:"table:gone"`
		ID            int64 `bun:",pk,autoincrement"`
		Name          string
		State         string `bun:",notnull,nullzero,default:'draft'"`
		models.SoftDelete
	}
	softNoteUnbindable struct {
		bun.BaseModel `bun:"table:note"`
		ID            int64      `bun:",pk,autoincrement"`
		Name          unbindable `bun:"type:varchar(40)"`
		State         string     `bun:",notnull,nullzero,default:'draft'"`
		models.SoftDelete
	}
	softNoteUnreadable struct {
		bun.BaseModel `bun:"table:note"`
		ID            int64 `bun:",pk,autoincrement"`
		Name          string
		State         unreadable `bun:",notnull,nullzero,default:'draft'"`
		models.SoftDelete
	}
	linkedNote struct {
		bun.BaseModel `bun:"table:note"`
		ID            int64 `bun:",pk,autoincrement"`
		Name          string
		Tags          []*noteTag      `bun:"m2m:note_tags,join:Note=Tag"`
		Gone          []*noteTag      `bun:"m2m:gone_tags,join:Note=Tag"`
		Unread        []*noteTagGiven `bun:"m2m:note_tags_unread,join:Note=Tag"`
	}
	noteTag struct {
		bun.BaseModel `bun:"table:tag_of_note"`
		ID            int64 `bun:",pk"`
	}
	noteTagGiven struct {
		bun.BaseModel `bun:"table:note_tag_given"`
		ID            unreadableKey `bun:",pk"`
	}
	noteTags struct {
		bun.BaseModel `bun:"table:note_tags"`
		NoteID        int64       `bun:",pk"`
		TagID         int64       `bun:",pk"`
		Note          *linkedNote `bun:"rel:belongs-to,join:note_id=id"`
		Tag           *noteTag    `bun:"rel:belongs-to,join:tag_id=id"`
	}
	noteTagsGone struct { // in a table that does not exist
		bun.BaseModel `bun:"table:gone_tags"`
		NoteID        int64       `bun:",pk"`
		TagID         int64       `bun:",pk"`
		Note          *linkedNote `bun:"rel:belongs-to,join:note_id=id"`
		Tag           *noteTag    `bun:"rel:belongs-to,join:tag_id=id"`
	}
	noteTagsUnread struct {
		bun.BaseModel `bun:"table:note_tags_unread"`
		NoteID        int64         `bun:",pk"`
		TagID         unreadableKey `bun:",pk"`
		Note          *linkedNote   `bun:"rel:belongs-to,join:note_id=id"`
		Tag           *noteTagGiven `bun:"rel:belongs-to,join:tag_id=id"`
	}
)

// linkTables creates what the notes are linked by.
func linkTables(ctx context.Context, db *orm.DB) error {
	for _, err := range []error{orm.Objects[noteTags](db).Err(), orm.Objects[noteTagsGone](db).Err(), orm.Objects[noteTagsUnread](db).Err()} {
		if err != nil {
			return err
		}
	}
	if err := orm.CreateTables(ctx, db, (*softNote)(nil), (*noteTag)(nil), (*noteTagGiven)(nil)); err != nil {
		return err
	}
	if err := orm.CreateTables(ctx, db, (*noteTags)(nil), (*noteTagsUnread)(nil)); err != nil {
		return err
	}
	if err := orm.Objects[noteTag](db).BulkCreate(ctx, []*noteTag{{ID: 1}}); err != nil {
		return err
	}
	return orm.Objects[noteTagGiven](db).BulkCreate(ctx, []*noteTagGiven{{ID: 1}, {ID: 2}})
}

// marking is a method of a QuerySet of rows that are marked when they are deleted.
func marking(name string, reads bool, on func(m model) act, not ...string) operation {
	o := operation{name: name, not: not, run: map[string]act{
		"the server refuses it":   on(of(func() *softNoteGone { return &softNoteGone{ID: 1, Name: "new"} }, F("name").Eq("new"))),
		"a value cannot be bound": on(of(func() *softNoteUnbindable { return &softNoteUnbindable{ID: 1} }, F("state").Eq(unbindable{}))),
		"no row is there":         on(of(func() *softNote { return &softNote{ID: 77777, Name: "new"} }, F("id").Eq(77777))),
		"`ctx` has ended":         on(of(func() *softNote { return &softNote{ID: 1, Name: "new"} })),
		"the connection is lost":  on(of(func() *softNote { return &softNote{ID: 1, Name: "new"} })),
		"it is misused":           on(of(func() *softNote { return &softNote{ID: 1, Name: "new"} }, F("nme").Eq("new"))),
	}}
	if reads {
		o.run["its rows cannot be read"] = on(of(func() *softNoteUnreadable { return &softNoteUnreadable{ID: 1, Name: "old"} }))
	}
	return o
}

// linking is a function that writes links.
func linking(name string, reads bool, link func(ctx context.Context, db *orm.DB, note *linkedNote, relation string) error, not ...string) operation {
	of := func(id int64, relation string) act {
		return func(ctx context.Context, db *orm.DB) error { return link(ctx, db, &linkedNote{ID: id}, relation) }
	}
	o := operation{name: name, not: not, run: map[string]act{
		"the server refuses it":  of(1, "gone"),
		"`ctx` has ended":        of(1, "tags"),
		"the connection is lost": of(1, "tags"),
		"it is misused":          of(1, "name"),
	}}
	if reads {
		o.run["no row is there"] = of(77777, "tags")
		o.run["its rows cannot be read"] = func(ctx context.Context, db *orm.DB) error {
			if err := orm.Link(ctx, db, &linkedNote{ID: 1}, "unread", &noteTagGiven{ID: 1}); err != nil {
				return err
			}
			return orm.SetLinks(ctx, db, &linkedNote{ID: 1}, "unread", &noteTagGiven{ID: 2})
		}
	}
	return o
}

// markingOperations are the lines of the table that are about these.
func markingOperations() []operation {
	const none = "no row is there"
	return []operation{
		marking("`Delete` of a model with `soft_delete`", false, func(m model) act { return m.remove }, none),
		marking("`DeleteReturning` of a model with `soft_delete`", true, func(m model) act { return m.deleteReturning }, none),
		unbound(marking("`DeleteRow` of a model with `soft_delete`", false, func(m model) act { return m.deleteRow })),
		marking("`Restore`", false, func(m model) act { return m.restore }, none),
		unbound(marking("`RestoreRow`", false, func(m model) act { return m.restoreRow })),
		method("`ForceDelete`", false, true, func(m model) act { return m.forceDelete }, none),
		unbound(method("`ForceDeleteRow`", false, true, func(m model) act { return m.forceDeleteRow })),
		linking("`orm.Link`", false, func(ctx context.Context, db *orm.DB, note *linkedNote, relation string) error {
			return orm.Link(ctx, db, note, relation, &noteTag{ID: 1})
		}),
		linking("`orm.Unlink`", false, func(ctx context.Context, db *orm.DB, note *linkedNote, relation string) error {
			_, err := orm.Unlink(ctx, db, note, relation, &noteTag{ID: 1})
			return err
		}),
		linking("`orm.SetLinks`", true, func(ctx context.Context, db *orm.DB, note *linkedNote, relation string) error {
			return orm.SetLinks(ctx, db, note, relation, &noteTag{ID: 1})
		}),
	}
}
