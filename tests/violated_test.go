package tests

import (
	"cmp"
	"context"
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/atomic"
	"github.com/holdfast-go/holdfast/dialect"
	"github.com/holdfast-go/holdfast/orm"
	"github.com/holdfast-go/holdfast/tests/testdb"
)

// An application with two unique keys can ask which of them has refused its row.
func TestS05_WhatWasViolatedIsNamed(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, at testdb.Database) {
		db, err := orm.Open(t.Context(), testdb.Source(at.Engine, at.DSN))
		require.NoError(t, err)
		defer func() { require.NoError(t, db.Close()) }()
		for _, statement := range []string{
			"CREATE TABLE holder (id BIGINT NOT NULL PRIMARY KEY)",
			`CREATE TABLE payment (id BIGINT NOT NULL, idempotency_key BIGINT, reference BIGINT, part BIGINT, amount BIGINT NOT NULL, holder_id BIGINT, fee BIGINT CHECK (fee < 100),
				CONSTRAINT payment_pk PRIMARY KEY (id), CONSTRAINT payment_once UNIQUE (idempotency_key), CONSTRAINT payment_reference UNIQUE (reference, part),
				CONSTRAINT payment_holder FOREIGN KEY (holder_id) REFERENCES holder (id), CONSTRAINT payment_positive CHECK (amount > 0))`,
			"INSERT INTO holder VALUES (1)",
			fmt.Sprintf("INSERT INTO payment VALUES (1, %d, %[1]d, 2, 1, 1, 1)", secret),
		} {
			_, err = db.Exec(t.Context(), statement)
			require.NoError(t, err)
		}
		for _, c := range []struct {
			statement string
			arg       any
			kind      error
			names     map[testdb.Engine]string
			columns   map[testdb.Engine][]string // those of every engine under ""
		}{
			{
				"INSERT INTO payment (amount, id) VALUES (1, ?)", 1, dialect.ErrUniqueViolation,
				map[testdb.Engine]string{testdb.Postgres: "payment_pk", testdb.MySQL: "PRIMARY", testdb.MariaDB: "PRIMARY"},
				map[testdb.Engine][]string{testdb.SQLite: {"id"}},
			},
			{
				"INSERT INTO payment (id, amount, idempotency_key) VALUES (2, 1, ?)", secret, dialect.ErrUniqueViolation,
				map[testdb.Engine]string{testdb.Postgres: "payment_once", testdb.MySQL: "payment_once", testdb.MariaDB: "payment_once"},
				map[testdb.Engine][]string{testdb.SQLite: {"idempotency_key"}},
			},
			{
				"INSERT INTO payment (id, amount, part, reference) VALUES (2, 1, 2, ?)", secret, dialect.ErrUniqueViolation,
				map[testdb.Engine]string{testdb.Postgres: "payment_reference", testdb.MySQL: "payment_reference", testdb.MariaDB: "payment_reference"},
				map[testdb.Engine][]string{testdb.SQLite: {"reference", "part"}},
			},
			{
				"INSERT INTO payment (id, amount, holder_id) VALUES (2, 1, ?)", secret, dialect.ErrForeignKeyViolation,
				map[testdb.Engine]string{testdb.Postgres: "payment_holder", testdb.MySQL: "payment_holder", testdb.MariaDB: "payment_holder"}, nil,
			},
			{
				"DELETE FROM holder WHERE id = ?", 1, dialect.ErrForeignKeyViolation,
				map[testdb.Engine]string{testdb.Postgres: "payment_holder", testdb.MySQL: "payment_holder", testdb.MariaDB: "payment_holder"}, nil,
			},
			{
				"INSERT INTO payment (id, amount) VALUES (2, ?)", -secret, dialect.ErrCheckViolation,
				map[testdb.Engine]string{"": "payment_positive"}, nil,
			},
			{
				"INSERT INTO payment (id, amount, fee) VALUES (2, 1, ?)", secret, dialect.ErrCheckViolation,
				map[testdb.Engine]string{testdb.Postgres: "payment_fee_check", testdb.MySQL: "payment_chk_1", testdb.MariaDB: "payment.fee", testdb.SQLite: "fee < 100"}, nil,
			},
			{
				"INSERT INTO payment (id, amount) VALUES (?, NULL)", secret, dialect.ErrNotNullViolation,
				nil, map[testdb.Engine][]string{"": {"amount"}},
			},
			{
				"INSERT INTO payment (id) VALUES (?)", secret, dialect.ErrNotNullViolation,
				nil, map[testdb.Engine][]string{"": {"amount"}},
			},
		} {
			check := func(err error) {
				var failed *atomic.FailedError
				require.ErrorAs(t, err, &failed)
				require.ErrorIs(t, err, c.kind)
				var e *dialect.Error
				require.ErrorAs(t, err, &e)
				assert.Equal(t, cmp.Or(c.names[at.Engine], c.names[""]), e.Constraint, c.statement)
				if columns := c.columns[at.Engine]; columns != nil {
					assert.Equal(t, columns, e.Columns, c.statement)
				} else {
					assert.Equal(t, c.columns[""], e.Columns, c.statement)
				}
			}
			_, err := db.Exec(t.Context(), c.statement, c.arg)
			check(err)
			check(atomic.Do(t.Context(), db, func(ctx context.Context) error {
				_, err := db.Exec(ctx, c.statement, c.arg)
				return err
			}))
		}
	})
}
