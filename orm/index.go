package orm

import (
	"context"
	"database/sql/driver"
	"fmt"
	"hash/fnv"
	"reflect"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/holdfast-go/holdfast/dialect"
	"github.com/holdfast-go/holdfast/internal/block"
	"github.com/holdfast-go/holdfast/internal/render"
)

// CreateIndex creates an index on columns of a model, "-" in front for a
// descending one. It is called idx_table_columns, with desc behind a descending one; a name that would be longer than
// 63 bytes ends with a hash of the rest. If there is an index of that name on the
// same columns it is left alone, and any other index of that name is an error
// (rule S24).
// MySQL and MariaDB index no text without a length: give such a column one, with
// the tag `bun:"type:varchar(191)"`.
func CreateIndex(ctx context.Context, db *DB, model any, fields ...string) error {
	return db.failed(ctx, "CreateIndex", db.createIndex(ctx, model, fields))
}

func (db *DB) createIndex(ctx context.Context, model any, fields []string) error {
	if model == nil || len(fields) == 0 {
		return fmt.Errorf("an index needs a model and columns")
	}
	m, err := db.model(reflect.TypeOf(model))
	if err != nil {
		return err
	}
	_, table, qualified := strings.Cut(m.Table.Name, ".")
	if !qualified {
		table = m.Table.Name
	}
	name, columns := "idx_"+table, make([]string, len(fields))
	for i, field := range fields {
		field, desc := strings.CutPrefix(field, "-")
		f, err := m.Field(field)
		if err != nil {
			return err
		}
		name += "_" + field
		columns[i] = string(f.SQLName)
		if desc {
			name += "_desc"
			columns[i] += " DESC"
		}
	}
	name = indexName(name)
	d := ddlOf(db.Server())
	ifNotExists := "IF NOT EXISTS "
	if db.Server().Engine == dialect.MySQL { // it has none
		ifNotExists = ""
		have, err := db.indexed(ctx, m, name)
		if err != nil || len(have) > 0 {
			return sameIndex(name, have, fields, err)
		}
	}
	_, err = db.executor.Exec(ctx, block.Statement{
		SQL: "CREATE INDEX " + ifNotExists + d.quote + name + d.quote + " ON " + string(m.Table.SQLName) + " (" + strings.Join(columns, ", ") + ")",
	})
	if err != nil || ifNotExists == "" {
		return err
	}
	have, err := db.indexed(ctx, m, name)
	if db.Server().Engine == dialect.MariaDB { // which has descending indexes since 10.8, and says nothing before
		fields = ascending(fields)
		have = ascending(have)
	}
	return sameIndex(name, have, fields, err)
}

// longestName is what PostgreSQL cuts names off at. MySQL has a character more.
const longestName = 63

// indexName is name, or as much of it as the servers take and a hash of it all.
func indexName(name string) string {
	if len(name) <= longestName {
		return name
	}
	h := fnv.New64a()
	_, _ = h.Write([]byte(name))
	rest := fmt.Sprintf("_%016x", h.Sum64())
	cut := longestName - len(rest)
	for !utf8.RuneStart(name[cut]) {
		cut--
	}
	return name[:cut] + rest
}

func ascending(fields []string) []string {
	list := slices.Clone(fields)
	for i := range list {
		list[i] = strings.TrimPrefix(list[i], "-")
	}
	return list
}

// sameIndex says what is wrong with the index of that name.
func sameIndex(name string, have, want []string, err error) error {
	switch {
	case err != nil:
		return err
	case len(have) == 0:
		return fmt.Errorf("there is an index %s on another table, or one that is not valid: no index was made", name)
	case !slices.Equal(have, want):
		return fmt.Errorf("there is an index %s on other columns: no index was made", name)
	}
	return nil
}

// Each returns a row for each column of one index, in order, "-" in front of a
// descending one.
var indexedQueries = map[string]string{
	dialect.MySQL: `SELECT CONCAT(CASE WHEN collation = 'D' THEN '-' ELSE '' END, COALESCE(column_name, ''))
FROM information_schema.statistics WHERE table_schema = COALESCE(?, DATABASE()) AND table_name = ? AND index_name = ? ORDER BY seq_in_index`,
	dialect.Postgres: `SELECT CASE WHEN i.indoption[k.at - 1] & 1 = 1 THEN '-' ELSE '' END || COALESCE(a.attname, '')
FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid
CROSS JOIN LATERAL generate_series(1, i.indnkeyatts) AS k(at)
LEFT JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[k.at - 1]
WHERE i.indrelid = to_regclass($1) AND c.relname = $2 AND i.indisvalid ORDER BY k.at`,
	dialect.SQLite: `SELECT CASE WHEN x."desc" = 1 THEN '-' ELSE '' END || COALESCE(x.name, '')
FROM sqlite_schema s, pragma_index_xinfo(s.name) x WHERE s.type = 'index' AND s.tbl_name = ? AND s.name = ? AND x.key = 1 ORDER BY x.seqno`,
}

// indexed is the columns of the index of that name on the model's table, "-" in
// front of the descending ones; none if there is no such index.
func (db *DB) indexed(ctx context.Context, m *render.Model, name string) ([]string, error) {
	st := db.aboutTable(indexedQueries, m)
	st.Args = append(st.Args, name)
	var columns []string
	err := db.executor.Query(ctx, st, func(rows driver.Rows) error {
		columns = nil
		row := make([]driver.Value, 1)
		for {
			if more, err := next(rows, row); !more {
				return err
			}
			var column string
			if err := assign("the index", &column, row[0]); err != nil {
				return err
			}
			columns = append(columns, column)
		}
	})
	return columns, err
}
