package mysql

import (
	"context"
	"database/sql/driver"
	"io"
	"strings"
	"time"

	godriver "github.com/go-sql-driver/mysql"

	"github.com/holdfast-go/holdfast/internal/backend"
	"github.com/holdfast-go/holdfast/internal/lex"
)

// PrefixRan reports whether the server has run the prefix of the last call, for one
// that did not return because a type of its values panicked.
func (w *wire) PrefixRan() bool { return w.ran }

// counts are the statements of a connection that may begin or commit a transaction.
//
// Savepoints are counted to notice that somebody has set the server's counters back
// (FLUSH STATUS, which does that for every session).
type counts struct{ begin, commit, set, savepoint int64 }

func (c *counts) add(statements []string) {
	for _, s := range statements {
		c.addOne(s)
	}
}

func (c *counts) addOne(statement string) {
	switch {
	case statement == "BEGIN", strings.HasPrefix(statement, "START TRANSACTION"): // not BEGIN NOT ATOMIC
		c.begin++
	case statement == "COMMIT":
		c.commit++
	case strings.HasPrefix(statement, "SAVEPOINT "):
		c.savepoint++
	case sets(statement):
		c.set++
	}
}

func sets(statement string) bool {
	l := lex.MySQLSyntax.Lexer(statement)
	return l.Next().Is("SET") && !l.Next().Is("STATEMENT")
}

// endedHow is the error of a transaction that is open no more.
func (w *wire) endedHow() error {
	if w.ended == nil {
		w.ended = &backend.EndedError{RolledBack: w.nothingCommits()}
	}
	return w.ended
}

// withoutSavepoint is the error of a transaction whose savepoint is gone.
func (w *wire) withoutSavepoint(refused *godriver.MySQLError) error {
	return &backend.EndedError{RolledBack: w.nothingCommits(), Err: refused}
}

// nothingCommits asks the server, once a transaction has ended unseen, for the
// statements that it has carried out for this connection, those inside procedures
// included (Com_…). If none of them begins a transaction or commits but those that
// were sent from here, the transaction was rolled back. Whatever is not known not to
// commit counts as committing.
func (w *wire) nothingCommits() bool {
	if w.uncounted || !w.Alive() {
		return false
	}
	limit, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	rows, err := w.raw.QueryContext(limit, `SHOW SESSION STATUS WHERE Variable_name LIKE 'Com\_%' AND Value <> '0'`, nil)
	if err != nil {
		return false
	}
	var counted counts
	commits := false
	row := make([]driver.Value, 2)
	for {
		if err = rows.Next(row); err != nil {
			break
		}
		switch name, n := strings.ToLower(strings.TrimPrefix(backend.Text(row[0]), "Com_")), backend.Integer(row[1]); {
		case name == "begin":
			counted.begin = n
		case name == "commit":
			counted.commit = n
		case name == "set_option": // SET autocommit
			counted.set = n
		case name == "savepoint":
			counted.savepoint = n
		case !commitsNothing[name] && !strings.HasPrefix(name, "show_"):
			commits = true
		}
	}
	if closeErr := rows.Close(); err != io.EOF || closeErr != nil {
		return false
	}
	return !commits && counted == w.own
}

// commitsNothing are the counters of statements that commit nothing.
var commitsNothing = func() map[string]bool {
	all := make(map[string]bool)
	for _, name := range strings.Fields(`select insert insert_select replace replace_select update update_multi delete delete_multi
		call_procedure do release_savepoint rollback_to_savepoint rollback signal resignal get_diagnostics kill
		change_db prepare_sql execute_sql dealloc_sql execute_immediate compound_sql stmt_prepare stmt_execute stmt_close stmt_fetch
		stmt_reset stmt_send_long_data stmt_reprepare explain_other help empty_query admin_commands`) {
		all[name] = true
	}
	return all
}()
