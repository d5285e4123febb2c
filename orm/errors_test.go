package orm_test

import (
	"context"
	"database/sql/driver"
	"errors"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/uptrace/bun"

	"github.com/holdfast-go/holdfast/dialect"
	"github.com/holdfast-go/holdfast/models"
	"github.com/holdfast-go/holdfast/orm"
	"github.com/holdfast-go/holdfast/query"
)

var errTalkative = errors.New("hunter2 is no password")

// talkative quotes what it holds when it refuses to be stored.
type talkative string

func (talkative) Value() (driver.Value, error) { return nil, errTalkative }

type talkativeJSON struct{ S string }

func (talkativeJSON) MarshalJSON() ([]byte, error) { return nil, errTalkative }

type Secret struct {
	bun.BaseModel `bun:"table:secrets"`
	models.AutoID
	Token talkative `bun:"type:varchar(40)"`
}

type Letter struct {
	bun.BaseModel `bun:"table:letters"`
	models.AutoID
	Doc  talkativeJSON
	List []talkativeJSON
}

func TestS05_ErrorsHoldNoValues(t *testing.T) {
	each(t, func(t *testing.T, ctx context.Context, db *orm.DB) {
		require.NoError(t, orm.CreateTables(ctx, db, (*Secret)(nil), (*Letter)(nil)))
		secrets, letters := orm.Objects[Secret](db), orm.Objects[Letter](db)
		s, l := &Secret{Token: "hunter2"}, &Letter{Doc: talkativeJSON{"hunter2"}}
		saved, kept := *s, *l
		saved.ID, kept.ID = 1, 1
		of := func(_ any, err error) error { return err }
		for name, err := range map[string]error{
			"Create": secrets.Create(ctx, s), "BulkCreate": secrets.BulkCreate(ctx, []*Secret{s, s}), "Save": secrets.Save(ctx, &saved),
			"Update": of(secrets.Update(ctx, query.Set("token", s.Token))), "Filter": of(secrets.Filter(F("token").Eq(s.Token)).All(ctx)),
			"In": of(secrets.Filter(F("token").In(s.Token)).Count(ctx)), "Raw": of(secrets.Filter(query.Raw("token = ?", s.Token)).Exists(ctx)),
			"Value": of(secrets.Filter(query.Value(s.Token).Eq(F("token"))).Exists(ctx)), "Delete": of(secrets.Filter(F("token").Eq(s.Token)).Delete(ctx)),
			"GetOrCreate": of(secrets.GetOrCreate(ctx, s, "token")), "UpdateOrCreate": of(secrets.UpdateOrCreate(ctx, s, "token")),
			"Exec": of(db.Exec(ctx, "UPDATE secrets SET token = ?", s.Token)), "QueryRow": db.QueryRow(ctx, "SELECT ?", s.Token).Err(),
			"Query":       of(db.Query(ctx, "SELECT ?", s.Token)),
			"SQL.Exec":    of(db.SQL().ExecContext(ctx, rebound(db, "UPDATE secrets SET token = ?"), s.Token)),
			"SQL.Query":   of(db.SQL().QueryContext(ctx, rebound(db, "SELECT ?"), s.Token)),
			"JSON Create": letters.Create(ctx, l), "JSON Save": letters.Save(ctx, &kept), "JSON Filter": of(letters.Filter(F("doc").Eq(l.Doc)).All(ctx)),
			"JSON Update": of(letters.Update(ctx, query.Set("list", []talkativeJSON{l.Doc}))), "JSON Exec": of(db.Exec(ctx, "SELECT ?", l.Doc)),
		} {
			require.Error(t, err, name)
			require.NotContains(t, err.Error(), "hunter2", name)
			require.ErrorIs(t, err, errTalkative, name)
		}
	})
}

// rebound is a text with one placeholder as the engine writes it.
func rebound(db *orm.DB, text string) string {
	if db.Server().Engine == dialect.Postgres {
		return strings.Replace(text, "?", "$1", 1)
	}
	return text
}
