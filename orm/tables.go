package orm

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/uptrace/bun/schema"

	"github.com/holdfast-go/holdfast/atomic"
	"github.com/holdfast-go/holdfast/internal/block"
	"github.com/holdfast-go/holdfast/internal/render"
)

// CreateTables creates the tables of models that do not exist yet, with their
// primary keys, unique constraints (bun's tag unique) and foreign keys (the
// belongs-to relations). It is meant for tests, examples and first steps: it
// never changes a table that exists, and is no migration tool.
//
//	err := orm.CreateTables(ctx, db, (*Project)(nil), (*Audio)(nil))
//
// A field whose Go type cannot hold NULL becomes NOT NULL. Times are stored
// with microseconds. On MySQL and MariaDB text compares exactly, as it does on
// PostgreSQL and SQLite, and a string becomes LONGTEXT, or VARCHAR(255) where
// MySQL needs a length: in keys and with defaults. The tag type (bun:"type:…")
// overrides a column's type; only on SQLite JSON and decimal numbers are TEXT
// whatever it says (rule S20).
//
// On PostgreSQL and SQLite all tables are created or none. On MySQL and MariaDB
// each is created by itself, and inside a block CreateTables is refused with
// atomic.ErrTransactionControl, because CREATE TABLE would commit it.
func CreateTables(ctx context.Context, db *DB, models ...any) error {
	compiled, err := db.ordered(models)
	if err != nil {
		return fmt.Errorf("orm: CreateTables: %w", err)
	}
	create := func(ctx context.Context) error {
		for _, m := range compiled {
			text, err := db.createTable(m)
			if err != nil {
				return err
			}
			if _, err := db.executor.Exec(ctx, block.Statement{SQL: text}); err != nil {
				return fmt.Errorf("%s: %w", m.Name, err)
			}
		}
		return nil
	}
	if ddlOf(db.Server()).transactional {
		err = atomic.Do(ctx, db, create)
	} else {
		err = create(ctx)
	}
	return db.failed(ctx, "CreateTables", err)
}

// ordered compiles models and puts each after those that it refers to.
func (db *DB) ordered(models []any) ([]*render.Model, error) {
	var given, sorted []*render.Model
	for _, model := range models {
		if model == nil {
			return nil, errors.New("a model is nil without a type; write (*Show)(nil), with the name of your model")
		}
		m, err := db.model(reflect.TypeOf(model))
		if err != nil {
			return nil, err
		}
		db.models.Registered(m)
		given = append(given, m)
	}
	var visit func(m *render.Model, path []*render.Model) error
	visit = func(m *render.Model, path []*render.Model) error {
		if slices.Contains(sorted, m) {
			return nil
		}
		if slices.Contains(path, m) {
			return fmt.Errorf("%s refers to itself by way of %s: create the tables with SQL", m.Name, path[len(path)-1].Name)
		}
		for _, rel := range references(m) {
			for _, other := range given {
				if other != m && other.Type == rel.JoinTable.Type {
					if err := visit(other, append(path, m)); err != nil {
						return err
					}
				}
			}
		}
		sorted = append(sorted, m)
		return nil
	}
	for _, m := range given {
		if err := visit(m, nil); err != nil {
			return nil, err
		}
	}
	return sorted, nil
}

// references are the relations that become foreign keys, in a fixed order.
func references(m *render.Model) []*schema.Relation {
	var list []*schema.Relation
	for _, rel := range m.Table.Relations {
		if rel.Type == schema.BelongsToRelation && len(rel.Condition) == 0 {
			list = append(list, rel)
		}
	}
	slices.SortFunc(list, func(a, b *schema.Relation) int { return strings.Compare(a.Field.Name, b.Field.Name) })
	return list
}

func (db *DB) createTable(m *render.Model) (string, error) {
	d := ddlOf(db.Server())
	var parts []string
	keyed := false
	for _, f := range m.Fields {
		column, isKey, err := d.column(m, f)
		if err != nil {
			return "", fmt.Errorf("%s: %w", f, err)
		}
		keyed = keyed || isKey
		parts = append(parts, column)
	}
	if len(m.PKs) > 0 && !keyed {
		parts = append(parts, "PRIMARY KEY ("+names(m.Table.PKs)+")")
	}
	uniques := make([]string, 0, len(m.Table.Unique))
	for name, fields := range m.Table.Unique {
		if name != "" {
			uniques = append(uniques, "UNIQUE ("+names(fields)+")")
			continue
		}
		for _, f := range fields {
			uniques = append(uniques, "UNIQUE ("+string(f.SQLName)+")")
		}
	}
	slices.Sort(uniques)
	parts = append(parts, uniques...)
	for _, rel := range references(m) {
		constraint := "FOREIGN KEY (" + names(rel.BasePKs) + ") REFERENCES " + string(rel.JoinTable.SQLName) + " (" + names(rel.JoinPKs) + ")"
		for _, action := range []string{rel.OnUpdate, rel.OnDelete} {
			if action != "" {
				constraint += " " + action
			}
		}
		parts = append(parts, constraint)
	}
	return "CREATE TABLE IF NOT EXISTS " + string(m.Table.SQLName) + " (\n\t" + strings.Join(parts, ",\n\t") + "\n)" + d.suffix, nil
}

func names(fields []*schema.Field) string {
	list := make([]string, len(fields))
	for i, f := range fields {
		list[i] = string(f.SQLName)
	}
	return strings.Join(list, ", ")
}
