package sqlite

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/holdfast-go/holdfast/dialect"
	"github.com/holdfast-go/holdfast/internal/lex"
)

// kind is what the wire has to know of a text.
type kind struct {
	keep   bool // it may stay prepared: others (PRAGMA) act when they are prepared
	dml    bool // it counts the rows that it changed
	writes bool // it takes the write lock
	ends   bool // it begins or ends a transaction
	params int  // values that it needs; -1: it names them
}

// accepts compares the number of values: the driver would ignore those that are
// too many.
func (k kind) accepts(args []any) error {
	if k.params >= 0 && k.params != len(args) {
		return fmt.Errorf("the statement has %d placeholders, %d values were given", k.params, len(args))
	}
	return nil
}

var (
	errStacked  = fmt.Errorf("one call runs one statement; the text holds several: %w", dialect.ErrUnsupported)
	errZeroByte = errors.New("the statement holds a zero byte, at which SQLite would stop reading")
)

// inspectKind reads a text before it is prepared for the first time.
func inspectKind(query string) (k kind, err error) {
	if strings.IndexByte(query, 0) >= 0 {
		return kind{}, errZeroByte
	}
	k.keep = lex.SQLiteSyntax.Plain(query)
	if !k.keep && inspect(query).Stacked {
		return kind{}, errStacked
	}
	l := lex.SQLiteSyntax.Lexer(query)
	depth, named, first := 0, false, ""
	for t := l.Next(); t.Kind != lex.End; t = l.Next() {
		switch {
		case t.Kind == lex.Word && first == "":
			first = strings.ToUpper(t.Text)
		case first == "WITH" && depth == 0 && t.IsAny("SELECT", "VALUES", "INSERT", "UPDATE", "DELETE", "REPLACE"):
			first = strings.ToUpper(t.Text)
		case t.Text == "(":
			depth++
		case t.Text == ")":
			depth--
		case t.Kind == lex.Placeholder:
			k.params = max(k.params, nextParam(query[t.Pos+1:], k.params))
		case t.Text == ":" || t.Text == "@" || t.Text == "$":
			named = true
		}
	}
	if named {
		k.params = -1
	}
	switch first {
	case "INSERT", "UPDATE", "DELETE", "REPLACE":
		k.dml, k.writes = true, true
	case "CREATE", "DROP", "ALTER", "REINDEX", "ANALYZE", "VACUUM":
		k.writes = true
	case "BEGIN", "COMMIT", "END", "ROLLBACK", "SAVEPOINT", "RELEASE":
		k.keep, k.ends = true, true
	}
	return k, nil
}

// nextParam is the number of the parameter ? or ?NNN whose ? is followed by
// rest, where n came before it.
func nextParam(rest string, n int) int {
	end := 0
	for end < len(rest) && rest[end] >= '0' && rest[end] <= '9' {
		end++
	}
	if number, err := strconv.Atoi(rest[:end]); err == nil {
		return number
	}
	return n + 1
}
