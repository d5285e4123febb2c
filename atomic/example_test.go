package atomic_test

import (
	"context"
	"log"

	"github.com/holdfast-go/holdfast/dialect/sqlite"
	"github.com/holdfast-go/holdfast/orm"
)

// open returns an empty database in memory with a table of accounts, and a
// function that tells an account's balance.
func open(ctx context.Context) (db *orm.DB, balance func(owner string) int) {
	db, err := orm.Open(ctx, sqlite.Open(":memory:"))
	if err != nil {
		log.Fatal(err)
	}
	for _, statement := range []string{
		"CREATE TABLE account (owner TEXT PRIMARY KEY, balance INTEGER NOT NULL CHECK (balance >= 0))",
		"INSERT INTO account (owner, balance) VALUES ('ann', 100), ('ben', 0)",
	} {
		if _, err := db.Exec(ctx, statement); err != nil {
			log.Fatal(err)
		}
	}
	return db, func(owner string) (n int) {
		if err := db.QueryRow(ctx, "SELECT balance FROM account WHERE owner = ?", owner).Scan(&n); err != nil {
			log.Fatal(err)
		}
		return n
	}
}

func add(ctx context.Context, db *orm.DB, owner string, amount int) error {
	_, err := db.Exec(ctx, "UPDATE account SET balance = balance + ? WHERE owner = ?", amount, owner)
	return err
}
