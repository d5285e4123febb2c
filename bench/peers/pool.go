package peers

import (
	"database/sql"
	"strconv"
	"strings"
	"sync"

	"github.com/go-sql-driver/mysql"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"

	"github.com/holdfast-go/holdfast/tests/testdb"
)

// pooled is a pool of database/sql with the placeholders of its driver.
type pooled struct {
	*sql.DB
	marks marks
}

// InUse implements DB.
func (p *pooled) InUse() int { return p.Stats().InUse }

// openPool opens what most libraries stand on: go-sql-driver/mysql with its
// default settings but for parseTime, or pgx's stdlib with its default settings.
func openPool(engine testdb.Engine, dsn string, size int, settings ...mysql.Option) (*pooled, error) {
	if engine == testdb.Postgres {
		config, err := pgx.ParseConfig(dsn)
		if err != nil {
			return nil, err
		}
		return sized(stdlib.OpenDB(*config), true, size), nil
	}
	config, err := mysql.ParseDSN(dsn)
	if err != nil {
		return nil, err
	}
	config.ParseTime = true
	config.Logger = &mysql.NopLogger{} // connections that are cut on purpose are no news
	if err := config.Apply(settings...); err != nil {
		return nil, err
	}
	connector, err := mysql.NewConnector(config)
	if err != nil {
		return nil, err
	}
	return sized(sql.OpenDB(connector), false, size), nil
}

func sized(db *sql.DB, dollar bool, size int) *pooled {
	db.SetMaxOpenConns(size)
	db.SetMaxIdleConns(size)
	return &pooled{DB: db, marks: marks{dollar: dollar}}
}

// marks writes placeholders as a program for one engine would have them in its
// text.
type marks struct {
	dollar bool
	known  sync.Map // text with ? → text with $1
}

func (m *marks) text(query string) string {
	if !m.dollar || !strings.Contains(query, "?") {
		return query
	}
	if known, ok := m.known.Load(query); ok {
		return known.(string)
	}
	var text strings.Builder
	for i, part := range strings.Split(query, "?") {
		if i > 0 {
			text.WriteString("$" + strconv.Itoa(i))
		}
		text.WriteString(part)
	}
	m.known.Store(query, text.String())
	return text.String()
}
