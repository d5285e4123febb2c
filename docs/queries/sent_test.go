package queries

import (
	"context"
	"database/sql/driver"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"

	"modernc.org/sqlite"
)

// recorder opens connections to a database in memory, whose statements sent prints.
type recorder string

func (name recorder) Connect(context.Context) (driver.Conn, error) {
	conn, err := name.Driver().Open("file:" + string(name) + "?mode=memory&cache=shared&_pragma=foreign_keys(1)")
	if err != nil {
		return nil, err
	}
	return recorded{conn.(connection)}, nil
}

func (recorder) Driver() driver.Driver { return &sqlite.Driver{} }

type connection interface {
	driver.Conn
	driver.ConnPrepareContext
	driver.ConnBeginTx
	driver.ExecerContext
	driver.QueryerContext
	driver.SessionResetter
	driver.Validator
	driver.Pinger
}

type recorded struct{ connection }

func (c recorded) PrepareContext(ctx context.Context, text string) (driver.Stmt, error) {
	record(text)
	return c.connection.PrepareContext(ctx, text)
}

func (c recorded) ExecContext(ctx context.Context, text string, args []driver.NamedValue) (driver.Result, error) {
	record(text)
	return c.connection.ExecContext(ctx, text, args)
}

func (c recorded) QueryContext(ctx context.Context, text string, args []driver.NamedValue) (driver.Rows, error) {
	record(text)
	return c.connection.QueryContext(ctx, text, args)
}

// Examples run one after the other.
var statements struct {
	sync.Mutex
	texts []string
}

func record(text string) {
	statements.Lock()
	defer statements.Unlock()
	statements.texts = append(statements.texts, text)
}

func forget() []string {
	statements.Lock()
	defer statements.Unlock()
	texts := statements.texts
	statements.texts = nil
	return texts
}

var (
	columns = regexp.MustCompile(`(SELECT|RETURNING) (?:\w+\.)?\w+(?: AS \w+)?(?:, (?:\w+\.)?\w+(?: AS \w+)?){2,}`)
	tuples  = regexp.MustCompile(`(\([?, ]+\))(, \([?, ]+\))+`)
	checks  = regexp.MustCompile(`\(SELECT CASE WHEN v IS NULL OR typeof.*? FROM \(SELECT (.*?) AS v\)\)`)
)

// sent prints what was sent since it was last called, each statement once: without
// the quotes around names, with … in place of long lists, and without the check by
// which SQLite refuses to store what does not fit into a column (rule S11).
func sent() {
	for _, text := range slices.Compact(forget()) {
		text = strings.ReplaceAll(text, `"`, "")
		text = columns.ReplaceAllString(text, "$1 …")
		text = checks.ReplaceAllString(text, "$1")
		text = tuples.ReplaceAllString(text, "$1, …")
		fmt.Println(text)
	}
}
