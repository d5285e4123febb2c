package orm

import (
	"context"
	"database/sql/driver"

	"github.com/holdfast-go/holdfast/dialect"
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
	known          bool   // the model has it
}

// Each returns: name, type, NOT NULL, in the key, has a default, counted up,
// character set, collation, storage engine.
var tableQueries = map[string]string{
	dialect.MySQL: `SELECT column_name, column_type, is_nullable = 'NO', column_key = 'PRI', COALESCE(column_default, 'NULL') <> 'NULL' OR extra LIKE '%GENERATED%',
extra LIKE '%auto_increment%', COALESCE(character_set_name, ''), COALESCE(collation_name, ''),
COALESCE((SELECT t.engine FROM information_schema.tables t WHERE t.table_schema = c.table_schema AND t.table_name = c.table_name), '')
FROM information_schema.columns c WHERE table_schema = COALESCE(?, DATABASE()) AND table_name = ? ORDER BY ordinal_position`,
	dialect.Postgres: `SELECT a.attname, format_type(a.atttypid, a.atttypmod), CAST(a.attnotnull AS int),
CAST(EXISTS (SELECT 1 FROM pg_catalog.pg_index i WHERE i.indrelid = a.attrelid AND i.indisprimary AND a.attnum = ANY (i.indkey)) AS int),
CAST(a.atthasdef AS int), CAST(a.attidentity <> '' OR COALESCE(pg_get_expr(d.adbin, d.adrelid) LIKE 'nextval(%', false) AS int),
'', COALESCE((SELECT c.collname FROM pg_catalog.pg_collation c WHERE c.oid = a.attcollation AND NOT c.collisdeterministic), ''), ''
FROM pg_catalog.pg_attribute a LEFT JOIN pg_catalog.pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
WHERE a.attrelid = to_regclass($1) AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum`,
	dialect.SQLite: `SELECT x.name, x.type, x."notnull" = 1 OR x.pk > 0, x.pk > 0, x.dflt_value IS NOT NULL OR x.hidden > 0,
x.pk = 1 AND UPPER(x.type) = 'INTEGER' AND (SELECT COUNT(*) FROM pragma_table_xinfo(?1) y WHERE y.pk > 0) = 1, '', '', ''
FROM pragma_table_xinfo(?1) x ORDER BY x.cid`,
}

func (db *DB) tableColumns(ctx context.Context, m *render.Model) ([]tableColumn, error) {
	var columns []tableColumn
	err := db.executor.Query(ctx, db.aboutTable(tableQueries, m), func(rows driver.Rows) error {
		columns = nil
		values := make([]driver.Value, 9)
		for {
			if more, err := next(rows, values); !more {
				return err
			}
			var c tableColumn
			for i, dst := range []any{&c.name, &c.declared, &c.notNull, &c.key, &c.hasDefault, &c.counted, &c.charset, &c.collation, &c.storage} {
				if err := assign("the table", dst, values[i]); err != nil {
					return err
				}
			}
			columns = append(columns, c)
		}
	})
	return columns, err
}
