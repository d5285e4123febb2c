package postgres

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"fmt"
	"strings"

	"github.com/holdfast-go/holdfast/dialect"
	"github.com/holdfast-go/holdfast/internal/backend"
)

// The servers that identify knows. Any other that says "PostgreSQL" first is
// taken for one.
const (
	productPostgreSQL  = "PostgreSQL"
	productCockroachDB = "CockroachDB"
	productYugabyteDB  = "YugabyteDB"
)

const oldest = 13 // what a server must speak: pg_current_xact_id_if_assigned is from 13

// identify asks the server who it is.
func identify(ctx context.Context, pool *sql.DB, e *engine) (server dialect.Server, err error) {
	conn, err := pool.Conn(ctx)
	if err != nil {
		return server, err
	}
	defer func() { _ = conn.Close() }()
	err = conn.Raw(func(driverConn any) error {
		if err := e.findPooler(ctx, driverConn); err != nil {
			return err
		}
		text, err := ask(ctx, e.Wire(driverConn), `SELECT version() || chr(10) || current_setting('server_version')
			|| chr(10) || coalesce(current_setting('client_min_messages', true), '')`)
		if err != nil {
			return err
		}
		last := strings.LastIndexByte(text, '\n')
		e.hears = text[last+1:]
		if server, err = recognise(text[:last]); err != nil || server.Product == productCockroachDB {
			return err
		}
		// Some that call themselves PostgreSQL have another log, and cannot say.
		_, err = ask(ctx, e.Wire(driverConn), `SELECT CASE WHEN NOT pg_is_in_recovery() THEN `+history+` END`)
		e.untold = err != nil
		if _, refused := answerOf(err); refused {
			err = nil
		}
		return err
	})
	return server, err
}

// findPooler asks for pgpool-II, which answers instead of the server, in the
// simple protocol.
func (e *engine) findPooler(ctx context.Context, driverConn any) error {
	w, ok := e.Wire(driverConn).(*wire)
	if !ok {
		return nil // whatever it is, nothing travels together
	}
	_, err := w.simple(ctx, "SHOW POOL_VERSION")
	if _, refused := answerOf(err); refused && w.Alive() {
		return nil
	}
	if err == nil {
		e.settings.alone, w.alone = true, true
	}
	return err
}

// recognise reads the answers of version() and server_version, a line each. A
// server that only speaks PostgreSQL's protocol has a version of its own, and
// in server_version the version of PostgreSQL that it follows.
func recognise(answer string) (server dialect.Server, err error) {
	text, level, _ := strings.Cut(answer, "\n")
	server = dialect.Server{Engine: dialect.Postgres, Product: productPostgreSQL, Text: text}
	follows, err := backend.ParseVersion(level)
	if err != nil {
		return server, err
	}
	server.Version = follows
	if product, _, _ := strings.Cut(text, " "); product != productPostgreSQL {
		server.Product = product
		if server.Version, err = backend.ParseVersion(text); err != nil {
			return server, err
		}
	} else if _, own, ok := strings.Cut(text, "-YB-"); ok {
		server.Product = productYugabyteDB
		if server.Version, err = backend.ParseVersion(own); err != nil {
			return server, err
		}
	}
	if !follows.AtLeast(oldest, 0, 0) {
		problem := fmt.Sprintf("%s is too old: Holdfast needs PostgreSQL %d or later", server, oldest)
		if server.Product != productPostgreSQL {
			problem = fmt.Sprintf("%s follows PostgreSQL %s, which is too old: Holdfast needs %d or later", server, follows, oldest)
		}
		return server, &dialect.OpenError{Engine: dialect.Postgres, Setting: "version", Problem: problem}
	}
	return server, nil
}

// ask sends a query that yields one value and returns it as text, "" for NULL.
func ask(ctx context.Context, w backend.Wire, query string, args ...any) (string, error) {
	return askAfter(ctx, w, nil, query, args...)
}

// askAfter is ask with control statements in front.
func askAfter(ctx context.Context, w backend.Wire, prefix []string, query string, args ...any) (string, error) {
	rows, err := w.Query(ctx, prefix, query, args)
	if err != nil {
		return "", err
	}
	row := make([]driver.Value, len(rows.Columns()))
	err = rows.Next(row)
	if closeErr := rows.Close(); err == nil {
		err = closeErr
	}
	if err != nil {
		return "", err
	}
	switch v := row[0].(type) {
	case nil:
		return "", nil
	case []byte: // as some drivers hand out text
		return string(v), nil
	default:
		return fmt.Sprint(v), nil
	}
}
