package sqlite

import (
	"strings"
	"unicode"
)

// valuedError is an error of a statement that ran with values. Some functions
// and virtual tables quote what they were given: MATCH takes a word of its
// pattern for a column and says "no such column" of it.
type valuedError struct {
	error
	text string
}

func (e *valuedError) Unwrap() error { return e.error }

// about notes which statement err comes of.
func (st *statement) about(err error) error {
	if err == nil || !st.valued {
		return err
	}
	return &valuedError{err, st.text}
}

// withoutValues is a message if every word in it is SQLite's own or stands in
// the statement, and else as much of it as is.
func withoutValues(message, statement string) string {
	known := map[string]bool{}
	for _, word := range words(statement) {
		known[word] = true
	}
	for _, word := range words(message) {
		if !known[word] && !ownWords[word] {
			head, _, _ := strings.Cut(strings.ToLower(message), word)
			return strings.TrimLeft(strings.TrimRight(message[:len(head)], " :\"'[(,./")+" …", " ")
		}
	}
	return message
}

func words(s string) []string {
	return strings.FieldsFunc(strings.ToLower(s), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) && r != '_' })
}

// ownWords are those of SQLite's messages (its source's sqlite3ErrorMsg,
// sqlite3_result_error and sqlite3StrINFO texts).
var ownWords = func() map[string]bool {
	all := map[string]bool{}
	for _, word := range strings.Fields(`no such column table function index view trigger module savepoint collation sequence database near syntax error
		ambiguous name has have named values for columns were supplied wrong number of arguments to unique constraint failed not null check foreign key
		cannot store text integer real blob any value in into out range overflow too many terms compound select statement or sql logic malformed json
		bad path string is locked busy read only readonly attempt write a an the datatype mismatch like glob pattern complex large big
		recursive reference circularly defined parser stack expression tree depth maximum variable variables aggregate misuse row
		primary autoincrement already exists there another interrupted interrupt disk full i o file open unable access permission denied
		abort due conflict constraint_trigger raised fts5 fts4 fts3 unterminated parse unknown special query match limit unrecognized token incomplete input
		order by term does group having window union all sub returns more than one argument must be between and non negative positive on with without rowid
		cannot modify because it generated insert update delete from schema changed blob handle memory authorization type right left of use unsupported`) {
		all[word] = true
	}
	return all
}()
