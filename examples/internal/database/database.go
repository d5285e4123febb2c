package database

import (
	"cmp"
	"errors"
	"fmt"
	"net"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/go-sql-driver/mysql"

	"github.com/holdfast-go/holdfast/tests/testdb"
)

// Database is where the rows are to be kept: the embedded one, a server that is running, or one to be started in a
// container.
type Database struct {
	Engine testdb.Engine
	// DSN names a running server and a database on it, in the form that the engine's driver takes. It holds the
	// password. It is "" for SQLite and for a server that is yet to be started.
	DSN string
}

// Container reports whether a server has to be started first.
func (d Database) Container() bool { return d.Engine != testdb.SQLite && d.DSN == "" }

var word = regexp.MustCompile(`^[\w-]*$`)

// Option tells the help what -db takes.
const Option = "`database`: sqlite (embedded, in a temporary directory); mysql, mariadb or postgres (in a container that is removed afterwards); or a URL, mysql://user:password@host/database or postgres://…"

// Parse reads the value of -db. Its error names the option and holds no password.
func Parse(option string) (Database, error) {
	if engine := testdb.Engine(option); slices.Contains(testdb.All(), engine) {
		return Database{Engine: engine}, nil
	}
	scheme, _, isURL := strings.Cut(option, "://")
	switch {
	case !isURL && word.MatchString(option):
		return Database{}, fmt.Errorf("-db %q: must be sqlite, mysql, mariadb, postgres, or a URL", option)
	case !isURL: // it may be a DSN of another form, password and all: not repeated
		return Database{}, errors.New("-db: must be sqlite, mysql, mariadb, postgres, or a URL such as mysql://user:password@host:port/database")
	}

	switch scheme {
	case "mysql", "mariadb":
		dsn, err := mysqlDSN(scheme, option)
		return Database{Engine: testdb.Engine(scheme), DSN: dsn}, err
	case "postgres", "postgresql":
		u, err := parseURL("postgres", option)
		if err != nil {
			return Database{}, err
		}
		return Database{Engine: testdb.Postgres, DSN: u.String()}, nil
	}
	return Database{}, fmt.Errorf("-db %s://…: must be mysql://, mariadb:// or postgres://; the embedded database is -db sqlite", scheme)
}

// parseURL does not pass on the error of the net/url package: it quotes the URL, and with it the password.
func parseURL(scheme, option string) (*url.URL, error) {
	u, err := url.Parse(option)
	if err != nil {
		return nil, fmt.Errorf("-db: not a URL of the form %s://user:password@host:port/database; special characters in the password must be percent-encoded", scheme)
	}
	if u.Hostname() == "" {
		return nil, fmt.Errorf("-db %s://…: names no host", scheme)
	}
	if strings.Trim(u.Path, "/") == "" {
		return nil, fmt.Errorf("-db %s://…: names no database on %s: add /database", scheme, u.Host)
	}
	return u, nil
}

// mysqlDSN turns a URL into the form of the MySQL driver, which has no URLs.
func mysqlDSN(scheme, option string) (string, error) {
	u, err := parseURL(scheme, option)
	if err != nil {
		return "", err
	}
	config := mysql.NewConfig()
	if u.RawQuery != "" { // the driver knows its parameters; it sees them alone, so that its error holds no password
		if config, err = mysql.ParseDSN("/?" + u.RawQuery); err != nil {
			return "", fmt.Errorf("-db %s://…: after the question mark: %w", scheme, err)
		}
	}
	config.User = u.User.Username()
	config.Passwd, _ = u.User.Password()
	config.Net, config.Addr = "tcp", net.JoinHostPort(u.Hostname(), cmp.Or(u.Port(), "3306"))
	config.DBName = strings.Trim(u.Path, "/")
	return config.FormatDSN(), nil
}
