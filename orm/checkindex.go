package orm

import (
	"context"
	"database/sql/driver"
	"slices"
	"strings"

	"github.com/holdfast-go/holdfast/dialect"
	"github.com/holdfast-go/holdfast/internal/block"
	"github.com/holdfast-go/holdfast/internal/render"
)

// tableIndex is an index of a table, the one of its primary key among them, but not
// that of SQLite's row ids.
type tableIndex struct {
	name    string
	unique  bool
	columns []string // "" for what is computed
	whole   bool     // of all rows, and of the values themselves: not of their first characters, nor of something computed
}

// Each returns a row for each column of each index, in order: the index, whether it
// is unique, the column, whether it is of all rows and of the whole value.
var indexQueries = map[string]string{
	dialect.MySQL: `SELECT index_name, non_unique = 0, COALESCE(column_name, ''), sub_part IS NULL AND column_name IS NOT NULL
FROM information_schema.statistics WHERE table_schema = COALESCE(?, DATABASE()) AND table_name = ? ORDER BY index_name, seq_in_index`,
	dialect.Postgres: `SELECT c.relname, CAST(i.indisunique AS int), COALESCE(a.attname, ''), CAST(i.indpred IS NULL AND i.indisvalid AND a.attname IS NOT NULL AS int)
FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid
CROSS JOIN LATERAL generate_series(1, i.indnkeyatts) AS k(at)
LEFT JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[k.at - 1]
WHERE i.indrelid = to_regclass($1) ORDER BY c.relname, k.at`,
	dialect.SQLite: `SELECT l.name, l."unique", COALESCE(x.name, ''), l.partial = 0 AND x.name IS NOT NULL
FROM pragma_index_list(?) l, pragma_index_xinfo(l.name) x WHERE x.key = 1 ORDER BY l.name, x.seqno`,
}

func (db *DB) tableIndexes(ctx context.Context, m *render.Model) ([]tableIndex, error) {
	var list []tableIndex
	err := db.executor.Query(ctx, db.aboutTable(indexQueries, m), func(rows driver.Rows) error {
		list = nil
		values := make([]driver.Value, 4)
		for {
			if more, err := next(rows, values); !more {
				return err
			}
			var name, column string
			var unique, whole bool
			for i, dst := range []any{&name, &unique, &column, &whole} {
				if err := assign("the index", dst, values[i]); err != nil {
					return err
				}
			}
			if len(list) == 0 || list[len(list)-1].name != name {
				list = append(list, tableIndex{name: name, unique: unique, whole: true})
			}
			last := &list[len(list)-1]
			last.columns, last.whole = append(last.columns, column), last.whole && whole
		}
	})
	return list, err
}

// aboutTable is one of such questions, by engine, about the table of m.
func (db *DB) aboutTable(questions map[string]string, m *render.Model) block.Statement {
	schema, table, qualified := strings.Cut(m.Table.Name, ".")
	if !qualified {
		schema, table = "", m.Table.Name
	}
	switch engine := db.Server().Engine; engine {
	case dialect.Postgres:
		return block.Statement{SQL: questions[engine], Args: []any{string(m.Table.SQLName)}}
	case dialect.SQLite:
		return block.Statement{SQL: questions[engine], Args: []any{table}}
	default:
		st := block.Statement{SQL: questions[dialect.MySQL], Args: []any{nil, table}}
		if schema != "" {
			st.Args[0] = schema
		}
		return st
	}
}

// uniqueKeys compares the unique keys that the model's tags tell of. The primary key
// is looked at by itself.
func (c *comparison) uniqueKeys(have []tableIndex) {
	for _, key := range c.model.UniqueKeys() {
		if sameFields(key, c.model.PKs) {
			continue
		}
		there := slices.ContainsFunc(have, func(x tableIndex) bool {
			return x.unique && x.whole && len(x.columns) == len(key) && !slices.ContainsFunc(key, func(f *render.Field) bool {
				return !slices.ContainsFunc(x.columns, func(name string) bool { return c.db.sameName(name, f.Name) })
			})
		})
		if there {
			continue
		}
		name := ""
		if len(key) == 1 {
			name = key[0].Name
		}
		c.add(name, NoUniqueKey, fieldNames(key), "")
	}
}

// An Index is for [Check]: columns of a model of which the table needs an index, "-" in front
// of a descending one, as [CreateIndex] makes it. Another index that begins with these
// columns will do as well, and a unique key too.
//
// A model does not say by what its rows are looked for. Name the index of each claim of a
// queue (SelectForUpdate with SkipLocked): the columns of its condition and then those of
// its order. Without it InnoDB locks the rows that it reads on the way, and the next
// worker finds none.
type Index struct {
	Model  any // (*Job)(nil)
	Fields []string
}

// index looks for an index, read in either direction.
func (c *comparison) index(fields []string, have []tableIndex) error {
	names := ascending(fields)
	for _, name := range names {
		if _, err := c.model.Field(name); err != nil {
			return err
		}
	}
	begins := func(columns []string) bool {
		return len(columns) >= len(names) && slices.EqualFunc(columns[:len(names)], names, c.db.sameName)
	}
	var key []string
	for _, f := range c.model.PKs {
		key = append(key, f.Name)
	}
	if !begins(key) && !slices.ContainsFunc(have, func(x tableIndex) bool { return x.whole && begins(x.columns) }) {
		c.add("", NoIndex, strings.Join(fields, ", "), "")
	}
	return nil
}
