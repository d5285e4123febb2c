package orm

import (
	"context"
	"database/sql/driver"
	"slices"
	"strings"

	"github.com/holdfast-go/holdfast/dialect"
	"github.com/holdfast-go/holdfast/internal/block"
	"github.com/holdfast-go/holdfast/internal/column"
	"github.com/holdfast-go/holdfast/internal/render"
)

// tableColumn is a column as the server has it.
type tableColumn struct {
	name, declared string
	notNull        bool
	key            bool // part of the primary key
	hasDefault     bool // or is generated
	counted        bool
	charset        string // MySQL's
	collation      string // where it may take different texts for equal
	storage        string // MySQL's storage engine of its table
	computed       bool   // generated: the server refuses a value
	known          bool   // the model has it
}

// Each returns: name, type, NOT NULL, in the key, has a default, counted up,
// character set, collation, storage engine, computed.
var tableQueries = map[string]string{
	dialect.MySQL: `SELECT column_name, column_type, is_nullable = 'NO', column_key = 'PRI', COALESCE(column_default, 'NULL') <> 'NULL' OR extra LIKE '%GENERATED%',
extra LIKE '%auto_increment%', COALESCE(character_set_name, ''), COALESCE(collation_name, ''),
COALESCE((SELECT t.engine FROM information_schema.tables t WHERE t.table_schema = c.table_schema AND t.table_name = c.table_name), ''),
COALESCE(generation_expression, '') <> '' FROM information_schema.columns c WHERE table_schema = COALESCE(?, DATABASE()) AND table_name = ? ORDER BY ordinal_position`,
	dialect.Postgres: `SELECT a.attname, format_type(a.atttypid, a.atttypmod), CAST(a.attnotnull AS int),
CAST(EXISTS (SELECT 1 FROM pg_catalog.pg_index i WHERE i.indrelid = a.attrelid AND i.indisprimary AND a.attnum = ANY (i.indkey)) AS int),
CAST(a.atthasdef AS int), CAST(a.attidentity <> '' OR COALESCE(pg_get_expr(d.adbin, d.adrelid) LIKE 'nextval(%', false) AS int),
'', COALESCE((SELECT c.collname FROM pg_catalog.pg_collation c WHERE c.oid = a.attcollation AND NOT c.collisdeterministic), ''), '', CAST(a.attgenerated <> '' AS int)
FROM pg_catalog.pg_attribute a LEFT JOIN pg_catalog.pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
WHERE a.attrelid = to_regclass($1) AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum`,
	dialect.SQLite: `SELECT x.name, x.type, x."notnull" = 1 OR x.pk > 0, x.pk > 0, x.dflt_value IS NOT NULL OR x.hidden > 0,
x.pk = 1 AND UPPER(x.type) = 'INTEGER' AND (SELECT COUNT(*) FROM pragma_table_xinfo(?1) y WHERE y.pk > 0) = 1, '', '', '',
x.hidden IN (2, 3) FROM pragma_table_xinfo(?1) x ORDER BY x.cid`,
}

func (db *DB) tableColumns(ctx context.Context, m *render.Model) ([]tableColumn, error) {
	var columns []tableColumn
	err := db.executor.Query(ctx, db.aboutTable(tableQueries, m), func(rows driver.Rows) error {
		columns = nil
		values := make([]driver.Value, 10)
		for {
			if more, err := next(rows, values); !more {
				return err
			}
			var c tableColumn
			for i, dst := range []any{&c.name, &c.declared, &c.notNull, &c.key, &c.hasDefault, &c.counted, &c.charset, &c.collation, &c.storage, &c.computed} {
				if err := assign("the table", dst, values[i]); err != nil {
					return err
				}
			}
			columns = append(columns, c)
		}
	})
	if err == nil && db.Server().Engine == dialect.SQLite {
		err = db.tellCollations(ctx, m, columns)
	}
	return columns, err
}

// sameName reports whether the server takes two names for that of one column, where statements
// put them between quotes: PostgreSQL knows userID and userid apart.
func (db *DB) sameName(a, b string) bool {
	switch db.Server().Engine {
	case dialect.Postgres:
		return a == b
	case dialect.SQLite: // which knows the upper case of these letters only
		return strings.Map(lowerASCII, a) == strings.Map(lowerASCII, b)
	}
	return strings.EqualFold(a, b)
}

func lowerASCII(r rune) rune {
	if r >= 'A' && r <= 'Z' {
		return r + 'a' - 'A'
	}
	return r
}

// tellCollations says of SQLite's columns of text which take different ones for equal. No
// pragma does; but a column has its collation beside a constant too.
func (db *DB) tellCollations(ctx context.Context, m *render.Model, columns []tableColumn) error {
	var texts []*tableColumn
	var tells, names, values []string
	for i, c := range columns {
		field := slices.IndexFunc(m.Fields, func(f *render.Field) bool { return db.sameName(f.Name, c.name) })
		if field < 0 || m.Fields[field].Column.Kind != column.Text {
			continue
		}
		name := `"` + strings.ReplaceAll(c.name, `"`, `""`) + `"`
		texts, names, values = append(texts, &columns[i]), append(names, name), append(values, "'A'")
		tells = append(tells, "CASE WHEN x."+name+" = 'a' THEN 'NOCASE' WHEN x."+name+" = 'A ' THEN 'RTRIM' ELSE '' END")
	}
	if len(texts) == 0 {
		return nil
	}
	text := "SELECT " + strings.Join(tells, ", ") + " FROM (SELECT " + strings.Join(names, ", ") + " FROM " + string(m.Table.SQLName) +
		" WHERE false UNION ALL SELECT " + strings.Join(values, ", ") + ") x"
	return db.executor.Query(ctx, block.Statement{SQL: text}, func(rows driver.Rows) error {
		told := make([]driver.Value, len(texts))
		if more, err := next(rows, told); !more {
			return err
		}
		for i, c := range texts {
			if err := assign("the collation", &c.collation, told[i]); err != nil {
				return err
			}
		}
		return nil
	})
}
