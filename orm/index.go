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
// same columns it is left alone, and any other index of that name is an error, one of
// some of the rows or of the first characters of a column among them (rule S24).
// It has NULL where OrderBy has it: first, and last in a descending column.
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
		if db.Server().Engine == dialect.Postgres && f.Nullable { // has NULL at the other end by itself, and sorts anew for OrderBy's
			columns[i] += map[bool]string{false: " NULLS FIRST", true: " NULLS LAST"}[desc]
		}
	}
	name = indexName(name)
	d := ddlOf(db.Server())
	ifNotExists := "IF NOT EXISTS "
	if db.Server().Engine == dialect.MySQL { // it has none
		ifNotExists = ""
		have, err := db.indexed(ctx, m, name)
		if err != nil || len(have.columns) > 0 {
			return db.sameIndex(name, have, fields, err)
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
		have.columns = ascending(have.columns)
	}
	return db.sameIndex(name, have, fields, err)
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
func (db *DB) sameIndex(name string, have namedIndex, want []string, err error) error {
	switch {
	case err != nil:
		return err
	case len(have.columns) == 0:
		return fmt.Errorf("there is an index %s on another table: no index was made", name)
	case !slices.EqualFunc(have.columns, want, db.sameName):
		return fmt.Errorf("there is an index %s on other columns: no index was made", name)
	case have.fault != "":
		return fmt.Errorf("there is an index %s %s: drop it first; no index was made", name, have.fault)
	}
	return nil
}

// namedIndex is an index that was looked for by its name.
type namedIndex struct {
	columns []string // "-" in front of a descending one, "" for what is computed
	fault   string   // for what it does not serve the rows of the table, "" if it does
}

// Each returns a row for each column of one index, in order: its name, "-" in front of a
// descending one, and for what it does not serve all rows.
var indexedQueries = map[string]string{
	dialect.MySQL: `SELECT CONCAT(CASE WHEN collation = 'D' THEN '-' ELSE '' END, COALESCE(column_name, '')),
CASE WHEN index_type IN ('FULLTEXT', 'SPATIAL', 'RTREE') THEN CONCAT('of type ', index_type) WHEN sub_part IS NOT NULL THEN CONCAT('of the first ', sub_part, ' characters of a column') ELSE '' END
FROM information_schema.statistics WHERE table_schema = COALESCE(?, DATABASE()) AND table_name = ? AND index_name = ? ORDER BY seq_in_index`,
	dialect.Postgres: `SELECT CASE WHEN i.indoption[k.at - 1] & 1 = 1 THEN '-' ELSE '' END || COALESCE(a.attname, ''),
CASE WHEN NOT i.indisvalid THEN 'that is not valid, as one that CREATE INDEX CONCURRENTLY could not finish' WHEN i.indpred IS NOT NULL THEN 'of some of the rows, by its WHERE' ELSE '' END
FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid
CROSS JOIN LATERAL generate_series(1, i.indnkeyatts) AS k(at)
LEFT JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[k.at - 1]
WHERE i.indrelid = to_regclass($1) AND c.relname = $2 ORDER BY k.at`,
	dialect.SQLite: `SELECT CASE WHEN x."desc" = 1 THEN '-' ELSE '' END || COALESCE(x.name, ''), CASE WHEN l.partial THEN 'of some of the rows, by its WHERE' ELSE '' END
FROM pragma_index_list(?) l, pragma_index_xinfo(l.name) x WHERE l.name = ? COLLATE NOCASE AND x.key = 1 ORDER BY x.seqno`,
}

// indexed is the index of that name on the model's table; without columns if there is none.
func (db *DB) indexed(ctx context.Context, m *render.Model, name string) (namedIndex, error) {
	st := db.aboutTable(indexedQueries, m)
	st.Args = append(st.Args, name)
	var have namedIndex
	err := db.executor.Query(ctx, st, func(rows driver.Rows) error {
		have = namedIndex{}
		row := make([]driver.Value, 2)
		for {
			if more, err := next(rows, row); !more {
				return err
			}
			var column, fault string
			for i, dst := range []any{&column, &fault} {
				if err := assign("the index", dst, row[i]); err != nil {
					return err
				}
			}
			have.columns = append(have.columns, column)
			if have.fault == "" {
				have.fault = fault
			}
		}
	})
	return have, err
}
