package orm_test

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"math/big"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/uptrace/bun"

	"github.com/holdfast-go/holdfast/dialect"
	"github.com/holdfast-go/holdfast/models"
	"github.com/holdfast-go/holdfast/orm"
	"github.com/holdfast-go/holdfast/query"
)

// amount is a decimal number as others make them: by the text that it is.
type amount struct{ digits string }

var ofDigits = regexp.MustCompile(`^-?[0-9]+(\.[0-9]+)?$`)

func (a amount) Value() (driver.Value, error) { return a.digits, nil }
func (a *amount) Scan(src any) error {
	text, isText := src.(string)
	if b, ok := src.([]byte); ok {
		text, isText = string(b), true
	}
	if n, ok := src.(int64); ok {
		text, isText = strconv.FormatInt(n, 10), true
	}
	if !isText || !ofDigits.MatchString(text) {
		return fmt.Errorf("%T is no amount", src)
	}
	a.digits = text
	return nil
}

// maybeAmount says nothing of its zero value.
type maybeAmount struct {
	amount
	valid bool
}

func (a maybeAmount) Value() (driver.Value, error) {
	if !a.valid {
		return nil, nil
	}
	return a.amount.Value()
}

func (a *maybeAmount) Scan(src any) error {
	if src == nil {
		*a = maybeAmount{}
		return nil
	}
	a.valid = true
	return a.amount.Scan(src)
}

// sealed is a text that is another in the database.
type sealed struct{ text string }

func (s sealed) Value() (driver.Value, error) { return "sealed:" + s.text, nil }
func (s *sealed) Scan(src any) error {
	text, _ := src.(string)
	if b, isBytes := src.([]byte); isBytes {
		text = string(b)
	}
	var ok bool
	if s.text, ok = strings.CutPrefix(text, "sealed:"); !ok {
		return errors.New("it is not sealed")
	}
	return nil
}

// code is any text, also one of digits.
type code struct{ text string }

func (c code) Value() (driver.Value, error) { return c.text, nil }
func (c *code) Scan(src any) error {
	c.text = fmt.Sprintf("%s", src)
	return nil
}

type moment struct{ at time.Time }

func (m moment) Value() (driver.Value, error) { return m.at, nil }
func (m *moment) Scan(src any) (err error) {
	switch src := src.(type) {
	case time.Time:
		m.at = src
	case string:
		m.at, err = time.Parse("2006-01-02 15:04:05.999999999-07:00", src)
	}
	return err
}

type (
	Toll struct {
		bun.BaseModel `bun:"table:tolls"`
		models.AutoID
		Amount amount
	}
	TollMaybe struct {
		bun.BaseModel `bun:"table:tolls"`
		models.AutoID
		Amount maybeAmount
	}
	TollRef struct {
		bun.BaseModel `bun:"table:tolls"`
		models.AutoID
		Amount *amount
	}
	TollRat struct {
		bun.BaseModel `bun:"table:tolls"`
		models.AutoID
		Amount *big.Rat
	}
	TollTagged struct {
		bun.BaseModel `bun:"table:tolls"`
		models.AutoID
		Amount amount `bun:"type:decimal(10,2)"`
	}
	// TollTotal reads what a query computes.
	TollTotal struct {
		bun.BaseModel `bun:"table:tolls"`
		models.AutoID
		Twice amount `bun:",scanonly"`
	}
	Vault struct {
		bun.BaseModel `bun:"table:vaults"`
		models.AutoID
		Secret sealed
		Code   code
		At     moment
	}
)

// Of a decimal number without the tag type nobody knows how many places its column has,
// and a server rounds to them without an error.
func TestS20_ADecimalNumberNeedsItsType(t *testing.T) {
	refused := func(t *testing.T, err error) {
		t.Helper()
		require.ErrorContains(t, err, "field Amount: ")
		require.ErrorContains(t, err, "holds decimal numbers, and nothing says of how many places")
	}
	each(t, func(t *testing.T, ctx context.Context, db *orm.DB) {
		typ := "DECIMAL(10,2)"
		if db.Server().Engine == dialect.SQLite {
			typ = "TEXT"
		}
		_, err := db.Exec(ctx, "CREATE TABLE tolls (id "+map[string]string{dialect.Postgres: "bigserial", dialect.SQLite: "INTEGER"}[db.Server().Engine]+
			map[bool]string{true: "BIGINT AUTO_INCREMENT"}[strings.HasPrefix(db.Server().Engine, "m")]+" PRIMARY KEY, amount "+typ+" NOT NULL)")
		require.NoError(t, err)
		refused(t, orm.Objects[Toll](db).Create(ctx, &Toll{Amount: amount{"10.005"}}))
		refused(t, orm.Objects[TollMaybe](db).BulkCreate(ctx, []*TollMaybe{{Amount: maybeAmount{amount{"10.005"}, true}}}))
		digits := amount{"10.005"}
		refused(t, orm.Objects[TollRef](db).Create(ctx, &TollRef{Amount: &digits}))
		refused(t, orm.Objects[TollRat](db).Create(ctx, &TollRat{Amount: big.NewRat(10005, 1000)}))
		_, err = orm.Objects[Toll](db).Filter(F("amount").Lt(amount{"10"})).All(ctx)
		refused(t, err)
		refused(t, orm.Check(ctx, db, (*Toll)(nil)))

		tagged := orm.Objects[TollTagged](db)
		require.ErrorContains(t, tagged.Create(ctx, &TollTagged{Amount: amount{"10.005"}}), "has more decimal places than the column")
		require.NoError(t, tagged.Create(ctx, &TollTagged{Amount: amount{"10.05"}}))
		require.NoError(t, tagged.Create(ctx, &TollTagged{Amount: amount{"9.50"}}))
		few, err := tagged.Filter(F("amount").Lt(amount{"10"})).All(ctx)
		require.NoError(t, err)
		require.Len(t, few, 1)
		require.NoError(t, orm.Check(ctx, db, (*TollTagged)(nil)))

		// An answer, and what a query computes, round nothing.
		answers, err := orm.Select[struct{ Amount amount }](ctx, tagged.OrderBy("id"), F("amount"))
		require.NoError(t, err)
		require.Equal(t, "10.05", answers[0].Amount.digits)
		totals, err := orm.Objects[TollTotal](db).Annotate("twice", F("id").Add(F("id"))).OrderBy("id").All(ctx)
		require.NoError(t, err)
		require.Equal(t, "2", totals[0].Twice.digits)
	})
}

// What says texts of its own is found by itself, whatever the texts look like.
func TestS20_TextsOfATypeOfItsOwnNeedNone(t *testing.T) {
	texts := map[string]string{dialect.Postgres: "text", dialect.SQLite: "TEXT"}
	times := map[string]string{dialect.Postgres: "timestamptz", dialect.SQLite: "DATETIME", dialect.MySQL: "DATETIME(6)", dialect.MariaDB: "DATETIME(6)"}
	coarse := map[string]string{dialect.Postgres: "timestamptz(0)", dialect.SQLite: "DATETIME", dialect.MySQL: "DATETIME", dialect.MariaDB: "DATETIME"}
	each(t, func(t *testing.T, ctx context.Context, db *orm.DB) {
		engine := db.Server().Engine
		text, ok := texts[engine]
		if !ok {
			text = "VARCHAR(100) CHARACTER SET utf8mb4"
		}
		id := map[string]string{dialect.Postgres: "bigserial", dialect.SQLite: "INTEGER"}[engine]
		if id == "" {
			id = "BIGINT AUTO_INCREMENT"
		}
		vault := func(at, code string) {
			_, err := db.Exec(ctx, "DROP TABLE IF EXISTS vaults")
			require.NoError(t, err)
			_, err = db.Exec(ctx, "CREATE TABLE vaults (id "+id+" NOT NULL PRIMARY KEY, secret "+text+" NOT NULL, code "+code+" NOT NULL, at "+at+" NOT NULL)")
			require.NoError(t, err)
		}
		vault(times[engine], text)
		require.NoError(t, orm.Check(ctx, db, (*Vault)(nil)))
		v := &Vault{Secret: sealed{"10.005"}, Code: code{"10.005"}, At: moment{start}}
		require.NoError(t, orm.Objects[Vault](db).Create(ctx, v))
		for _, cond := range []query.Cond{F("secret").Eq(v.Secret), F("code").Eq(v.Code), F("code").In(code{"x"}, v.Code)} {
			got, err := orm.Objects[Vault](db).Filter(cond).Get(ctx)
			require.NoError(t, err)
			require.Equal(t, v.Secret, got.Secret)
			require.Equal(t, v.Code, got.Code)
		}

		vault(coarse[engine], "DECIMAL(10,2)")
		want := map[string]orm.DifferenceKind{"code": orm.NoType}
		if engine != dialect.SQLite { // which keeps all of a time
			want["at"] = orm.NoType
		}
		var differs *orm.CheckError
		require.ErrorAs(t, orm.Check(ctx, db, (*Vault)(nil)), &differs)
		have := map[string]orm.DifferenceKind{}
		for _, d := range differs.Differences {
			have[d.Column] = d.Kind
		}
		require.Equal(t, want, have)
		require.ErrorContains(t, differs, "Vault.code: nothing says what the field holds")
	})
}
