package orm_test

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/uptrace/bun"

	"github.com/holdfast-go/holdfast/dialect"
	"github.com/holdfast-go/holdfast/orm"
	"github.com/holdfast-go/holdfast/query"
)

// unbindable is a value that cannot be bound.
type unbindable struct{}

func (unbindable) Value() (driver.Value, error) { return nil, errors.New("no value") }

// unreadable is a value that cannot be read.
type unreadable string

func (*unreadable) Scan(any) error { return errors.New("cannot be read") }

type (
	note struct {
		bun.BaseModel `bun:"table:note"`
		ID            int64  `bun:",pk,autoincrement"`
		Name          string `bun:",unique"`
		State         string `bun:",notnull,nullzero,default:'draft'"`
	}
	noteGone struct { // in a table that does not exist
		bun.BaseModel `bun:"table:gone"`
		ID            int64 `bun:",pk,autoincrement"`
		Name          string
		State         string `bun:",notnull,nullzero,default:'draft'"`
	}
	noteUnbindable struct {
		bun.BaseModel `bun:"table:note"`
		ID            int64      `bun:",pk,autoincrement"`
		Name          unbindable `bun:"type:varchar(40)"`
		State         string     `bun:",notnull,nullzero,default:'draft'"`
	}
	noteUnreadable struct {
		bun.BaseModel `bun:"table:note"`
		ID            int64 `bun:",pk,autoincrement"`
		Name          string
		State         unreadable `bun:",notnull,nullzero,default:'draft'"`
	}
)

// failures are the columns of the table.
var failures = []string{"the server refuses it", "a value cannot be bound", "its rows cannot be read", "no row is there", "`ctx` has ended", "the connection is lost", "it is misused"}

// operation is a line of the table: what it does in each column, in an order of
// its own, and what is expected. A nil function means that it cannot happen.
type operation struct {
	name string
	run  map[string]func(ctx context.Context, db *orm.DB) error
	// not are the failures that do not mark, besides misuse.
	not []string
}

func (o operation) want(failure string) string {
	switch {
	case o.run[failure] == nil:
		return ""
	case failure == "it is misused" || slices.Contains(o.not, failure):
		return "no"
	}
	return "**marks**"
}

type act = func(ctx context.Context, db *orm.DB) error

// method is one of a QuerySet: on a table that is not there, with a value that
// cannot be bound, and so on.
func method(name string, reads, finds bool, on func(m model) act, not ...string) operation {
	o := operation{name: name, not: not, run: map[string]act{
		"the server refuses it":   on(of(func() *noteGone { return &noteGone{ID: 1, Name: "new"} }, F("name").Eq("new"))),
		"a value cannot be bound": on(of(func() *noteUnbindable { return &noteUnbindable{ID: 1} }, F("state").Eq(unbindable{}))),
		"`ctx` has ended":         on(of(func() *note { return &note{ID: 1, Name: "new"} })),
		"the connection is lost":  on(of(func() *note { return &note{ID: 1, Name: "new"} })),
		"it is misused":           on(of(func() *note { return &note{ID: 1, Name: "new"} }, F("nme").Eq("new"))),
	}}
	if reads {
		o.run["its rows cannot be read"] = on(of(func() *noteUnreadable { return &noteUnreadable{ID: 1, Name: "old"} }))
	}
	if finds {
		o.run["no row is there"] = on(of(func() *note { return &note{ID: 77777, Name: "new"} }, F("id").Eq(77777)))
	}
	return o
}

// unbound is an operation that binds nothing but a row's key.
func unbound(o operation) operation {
	delete(o.run, "a value cannot be bound")
	return o
}

// another is row with another key.
func another[T any](row *T) *T {
	reflect.ValueOf(row).Elem().FieldByName("ID").SetInt(2)
	return row
}

// model is the methods of a QuerySet over whatever rows.
type model struct {
	create, bulk, several, save, update, remove, getOrCreate, updateOrCreate,
	all, get, first, count, exists, aggregate, iterate, lock, explain, selects, selectsEach,
	find, findMany, refresh, deleteRow, updateReturning, deleteReturning, saveOne, saveSeveral, upsert,
	forceDelete, forceDeleteRow, restore, restoreRow act
}

func of[T any](fresh func() *T, where ...query.Cond) model {
	objects := func(db *orm.DB) orm.QuerySet[T] { return orm.Objects[T](db).Filter(where...) }
	misused := len(where) == 1 && fmt.Sprint(where) == fmt.Sprint([]query.Cond{F("nme").Eq("new")})
	// A row that is written comes of Objects alone; misuse there is a condition.
	rows := func(db *orm.DB) orm.QuerySet[T] {
		if misused {
			return objects(db)
		}
		return orm.Objects[T](db)
	}
	keyless := func() *T {
		row := fresh()
		switch row := any(row).(type) {
		case *note:
			row.ID = 0
		case *noteGone:
			row.ID = 0
		case *noteUnbindable:
			row.ID = 0
		case *noteUnreadable:
			row.ID, row.Name = 0, "another"
		}
		return row
	}
	return model{
		create:  func(ctx context.Context, db *orm.DB) error { return rows(db).Create(ctx, keyless()) },
		bulk:    func(ctx context.Context, db *orm.DB) error { return rows(db).BulkCreate(ctx, []*T{keyless()}) },
		several: func(ctx context.Context, db *orm.DB) error { return rows(db).BulkCreate(ctx, []*T{fresh(), keyless()}) },
		save:    func(ctx context.Context, db *orm.DB) error { return rows(db).Save(ctx, fresh()) },
		update: func(ctx context.Context, db *orm.DB) error {
			_, err := objects(db).Update(ctx, query.Set("state", "x"))
			return err
		},
		remove: func(ctx context.Context, db *orm.DB) error { _, err := objects(db).Delete(ctx); return err },
		getOrCreate: func(ctx context.Context, db *orm.DB) error {
			_, err := rows(db).GetOrCreate(ctx, fresh(), "name")
			return err
		},
		updateOrCreate: func(ctx context.Context, db *orm.DB) error {
			_, err := rows(db).UpdateOrCreate(ctx, fresh(), "name")
			return err
		},
		all:    func(ctx context.Context, db *orm.DB) error { _, err := objects(db).All(ctx); return err },
		get:    func(ctx context.Context, db *orm.DB) error { _, err := objects(db).Get(ctx); return err },
		first:  func(ctx context.Context, db *orm.DB) error { _, err := objects(db).First(ctx); return err },
		count:  func(ctx context.Context, db *orm.DB) error { _, err := objects(db).Count(ctx); return err },
		exists: func(ctx context.Context, db *orm.DB) error { _, err := objects(db).Exists(ctx); return err },
		aggregate: func(ctx context.Context, db *orm.DB) error {
			_, err := orm.Aggregate[unreadable](ctx, objects(db), query.Max(F("state")))
			return err
		},
		iterate: func(ctx context.Context, db *orm.DB) error {
			for _, err := range objects(db).Iterate(ctx) {
				if err != nil {
					return err
				}
			}
			return nil
		},
		selects: func(ctx context.Context, db *orm.DB) error {
			_, err := orm.Select[unreadable](ctx, objects(db), F("state"))
			return err
		},
		selectsEach: func(ctx context.Context, db *orm.DB) error {
			for _, err := range orm.IterateSelect[unreadable](ctx, objects(db), F("state")) {
				if err != nil {
					return err
				}
			}
			return nil
		},
		lock: func(ctx context.Context, db *orm.DB) error {
			if misused {
				return orm.Lock(ctx, db, keyless())
			}
			return orm.Lock(ctx, db, fresh())
		},
		explain: func(ctx context.Context, db *orm.DB) error { _, err := objects(db).Explain(ctx); return err },
		find:    func(ctx context.Context, db *orm.DB) error { _, err := objects(db).Find(ctx, 1); return err },
		findMany: func(ctx context.Context, db *orm.DB) error {
			_, err := orm.FindMany(ctx, objects(db), []int64{1})
			return err
		},
		upsert: func(ctx context.Context, db *orm.DB) error {
			return rows(db).BulkCreate(ctx, []*T{keyless()}, query.OnConflict("name").Update())
		},
		saveOne: func(ctx context.Context, db *orm.DB) error { return rows(db).BulkSave(ctx, []*T{fresh()}) },
		saveSeveral: func(ctx context.Context, db *orm.DB) error {
			return rows(db).BulkSave(ctx, []*T{fresh(), another(fresh())})
		},
		updateReturning: func(ctx context.Context, db *orm.DB) error {
			_, err := objects(db).UpdateReturning(ctx, query.Set("name", "x"))
			return err
		},
		deleteReturning: func(ctx context.Context, db *orm.DB) error { _, err := objects(db).DeleteReturning(ctx); return err },
		refresh:         func(ctx context.Context, db *orm.DB) error { return rows(db).Refresh(ctx, fresh()) },
		deleteRow:       func(ctx context.Context, db *orm.DB) error { return rows(db).DeleteRow(ctx, fresh()) },
		forceDelete:     func(ctx context.Context, db *orm.DB) error { _, err := objects(db).ForceDelete(ctx); return err },
		forceDeleteRow:  func(ctx context.Context, db *orm.DB) error { return rows(db).ForceDeleteRow(ctx, fresh()) },
		restore:         func(ctx context.Context, db *orm.DB) error { _, err := objects(db).Restore(ctx); return err },
		restoreRow:      func(ctx context.Context, db *orm.DB) error { return rows(db).RestoreRow(ctx, fresh()) },
	}
}

// statement is one way to send a text.
func statement(name string, send func(ctx context.Context, db *orm.DB, text string, args ...any) error, not ...string) operation {
	text := func(text string, args ...any) act {
		return func(ctx context.Context, db *orm.DB) error {
			if db.Server().Engine == dialect.Postgres && strings.Contains(name, "SQL()") {
				text = strings.Replace(text, "?", "$1", 1)
			}
			return send(ctx, db, text, args...)
		}
	}
	return operation{name: name, not: append(not, "no row is there"), run: map[string]act{
		"the server refuses it":   text("SELECT name FROM gone"),
		"a value cannot be bound": text("SELECT name FROM note WHERE name = ?", unbindable{}),
		"no row is there":         text("SELECT name FROM note WHERE name = ?", "nobody"),
		"`ctx` has ended":         text("SELECT name FROM note"),
		"the connection is lost":  text("SELECT name FROM note"),
		"it is misused":           text("COMMIT"),
	}}
}

// operations are the lines of the table.
func operations() []operation {
	const ended = "`ctx` has ended" // database/sql gives such a call up before anybody hears of it
	return slices.Concat([]operation{
		method("`Create`", true, false, func(m model) act { return m.create }),
		method("`BulkCreate` of one row", true, false, func(m model) act { return m.bulk }),
		method("`BulkCreate` of several statements", true, false, func(m model) act { return m.several }),
		method("`BulkCreate` with `OnConflict`", true, false, func(m model) act { return m.upsert }),
		method("`Save`", false, true, func(m model) act { return m.save }),
		method("`BulkSave` of one row", false, true, func(m model) act { return m.saveOne }),
		method("`BulkSave` of several rows", false, true, func(m model) act { return m.saveSeveral }),
		unbound(method("`DeleteRow`", false, true, func(m model) act { return m.deleteRow })),
		method("`Update`", false, true, func(m model) act { return m.update }, "no row is there"),
		method("`Delete`", false, true, func(m model) act { return m.remove }, "no row is there"),
		method("`UpdateReturning`", true, true, func(m model) act { return m.updateReturning }, "no row is there"),
		method("`DeleteReturning`", true, true, func(m model) act { return m.deleteReturning }, "no row is there"),
		method("`GetOrCreate`", true, false, func(m model) act { return m.getOrCreate }),
		method("`UpdateOrCreate`", true, false, func(m model) act { return m.updateOrCreate }),
	}, markingOperations(), []operation{
		method("`All`", true, true, func(m model) act { return m.all }, "no row is there"),
		method("`Get`", true, true, func(m model) act { return m.get }, "no row is there"),
		method("`Find`", true, true, func(m model) act { return m.find }, "no row is there"),
		method("`orm.FindMany`", true, true, func(m model) act { return m.findMany }, "no row is there"),
		unbound(method("`Refresh`", true, true, func(m model) act { return m.refresh }, "no row is there")),
		method("`First`", true, true, func(m model) act { return m.first }, "no row is there"),
		method("`Count`", false, true, func(m model) act { return m.count }, "no row is there"),
		method("`Exists`", false, true, func(m model) act { return m.exists }, "no row is there"),
		method("`orm.Aggregate`", true, false, func(m model) act { return m.aggregate }),
		method("`Iterate`", true, true, func(m model) act { return m.iterate }, "no row is there"),
		method("`orm.Select`", true, false, func(m model) act { return m.selects }),
		method("`orm.IterateSelect`", true, false, func(m model) act { return m.selectsEach }),
		method("`orm.Lock`", true, true, func(m model) act { return m.lock }, "no row is there"),
		method("`Explain`", false, false, func(m model) act { return m.explain }),
		statement("`DB.Exec`", func(ctx context.Context, db *orm.DB, text string, args ...any) error {
			_, err := db.Exec(ctx, text, args...)
			return err
		}),
		statement("`DB.Query`", func(ctx context.Context, db *orm.DB, text string, args ...any) error {
			return drain(db.Query(ctx, text, args...))
		}, ended),
		statement("`DB.QueryRow`", func(ctx context.Context, db *orm.DB, text string, args ...any) error {
			return db.QueryRow(ctx, text, args...).Scan(new(string))
		}),
		statement("`orm.Scan`", func(ctx context.Context, db *orm.DB, text string, args ...any) error {
			_, err := orm.Scan[string](ctx, db, text, args...)
			return err
		}),
		statement("`orm.IterateScan`", func(ctx context.Context, db *orm.DB, text string, args ...any) error {
			for _, err := range orm.IterateScan[string](ctx, db, text, args...) {
				if err != nil {
					return err
				}
			}
			return nil
		}),
		statement("`ExecContext` of `SQL()`", func(ctx context.Context, db *orm.DB, text string, args ...any) error {
			_, err := db.SQL().ExecContext(ctx, text, args...)
			return err
		}, ended),
		statement("`QueryContext` of `SQL()`", func(ctx context.Context, db *orm.DB, text string, args ...any) error {
			return drain(db.SQL().QueryContext(ctx, text, args...))
		}, ended),
		statement("`QueryRowContext` of `SQL()`", func(ctx context.Context, db *orm.DB, text string, args ...any) error {
			return db.SQL().QueryRowContext(ctx, text, args...).Scan(new(string))
		}, ended),
		statement("`PrepareContext` and `Stmt` of `SQL()`", func(ctx context.Context, db *orm.DB, text string, args ...any) error {
			stmt, err := db.SQL().PrepareContext(ctx, text)
			if err != nil {
				return err
			}
			defer func() { _ = stmt.Close() }()
			return drain(stmt.QueryContext(ctx, args...))
		}, ended),
		statement("`Conn` of `SQL()`", func(ctx context.Context, db *orm.DB, text string, args ...any) error {
			conn, err := db.SQL().Conn(ctx)
			if err != nil {
				return err
			}
			defer func() { _ = conn.Close() }()
			_, err = conn.ExecContext(ctx, text, args...)
			return err
		}, ended),
		statement("`Exec` and `QueryRow` of `Bun()`", func(ctx context.Context, db *orm.DB, text string, args ...any) error {
			_, err := db.Bun().ExecContext(ctx, text, args...)
			return err
		}, ended),
	})
}

func drain(rows *sql.Rows, err error) error {
	if err != nil {
		return err
	}
	for rows.Next() {
	}
	return errors.Join(rows.Err(), rows.Close())
}
