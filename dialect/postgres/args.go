package postgres

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/holdfast-go/holdfast/internal/lex"
)

// A message of the protocol holds less than 1 GiB (PQ_LARGE_MESSAGE_LIMIT), and
// counts parameters in 16 bits. pgx closes the connection over more.
const (
	maxMessage = 1<<30 - 1<<16
	maxParams  = math.MaxUint16
)

// rewrite takes what pgx takes in front of the arguments: its helpers, such as
// pgx.NamedArgs, turn a statement into one with positional parameters; a mode
// other than the cache's asks for a statement that is not kept (once). The format
// of results is no matter here.
func (w *wire) rewrite(ctx context.Context, query string, args []any) (_ string, _ []any, once bool, err error) {
	for len(args) > 0 {
		switch first := args[0].(type) {
		case pgx.QueryExecMode:
			once = once || first != pgx.QueryExecModeCacheStatement && first != pgx.QueryExecModeCacheDescribe
			args = args[1:]
		case pgx.QueryResultFormats, pgx.QueryResultFormatsByOID:
			args = args[1:]
		case pgx.QueryRewriter:
			if query, args, err = first.RewriteQuery(ctx, w.pgx, query, args[1:]); err != nil {
				return "", nil, false, err
			}
		default:
			return query, args, once, nil
		}
	}
	return query, args, once, nil
}

// sendable finds what can be found wrong before the server has described the
// statement.
func sendable(query string, args []any) error {
	switch {
	case strings.IndexByte(query, 0) >= 0:
		return errors.New("the statement's text contains a zero byte")
	case len(query) > maxMessage:
		return errors.New("the statement's text is longer than the protocol allows (1 GiB)")
	case copies(query):
		return errors.New("COPY with STDIN or STDOUT needs the driver itself, since its data is not rows: (*sql.Conn).Raw gives it for a connection of db.Migrations() " +
			"(a *stdlib.Conn of pgx, with CopyFrom), or of the pool that From was given")
	case len(args) > maxParams:
		return fmt.Errorf("%d arguments are more than the protocol allows (%d): send the rows in several statements", len(args), maxParams)
	}
	for i, arg := range args {
		if named, ok := arg.(sql.NamedArg); ok {
			return fmt.Errorf("argument %d (%s): PostgreSQL has no named parameters", i+1, named.Name)
		}
	}
	return nil
}

// copies reports whether query would make the connection wait for data that
// nobody sends, or send data that nobody takes.
func copies(query string) (found bool) {
	first := lex.PostgresSyntax.Lexer(query)
	if t := first.Next(); !t.Is("COPY") && strings.IndexByte(query, ';') < 0 {
		return false
	}
	eachStatement(query, func(s lex.Tokens) {
		found = found || s.At(0).Is("COPY") && (s.Has("FROM", "STDIN") || s.Has("TO", "STDOUT"))
	})
	return found
}

// bind encodes args for st.
func (w *wire) bind(st *statement, args []any) error {
	if len(args) != len(st.params.ParamOIDs) {
		if err := sendable(st.text, args); err != nil {
			return err
		}
		return fmt.Errorf("expected %d arguments, got %d", len(st.params.ParamOIDs), len(args))
	}
	if st.timestamps {
		args = inUTC(st, args)
	}
	if err := w.params.Build(w.pgx.TypeMap(), &st.params, args); err != nil {
		if named := sendable(st.text, args); named != nil {
			return named
		}
		i := len(w.params.ParamValues) // so many went well
		return &argumentError{i, args[i], w.typeName(st.params.ParamOIDs[i]), err}
	}
	w.bound = 0
	for _, v := range w.params.ParamValues {
		w.bound += len(v)
	}
	if w.bound > maxMessage {
		w.unbind()
		return errors.New("the arguments are longer than the protocol allows (1 GiB)")
	}
	return nil
}

// unbind lets go of the bytes of long arguments, which the connection would
// otherwise keep until its next statement.
func (w *wire) unbind() {
	const long = 64 << 10
	if w.bound > long {
		w.bound = 0
		_ = w.params.Build(w.pgx.TypeMap(), &pgconn.StatementDescription{}, nil)
	}
}

// argumentError says which argument cannot be encoded. The driver's own error,
// which it wraps, quotes the value.
type argumentError struct {
	index int
	arg   any
	as    string
	err   error
}

func (e *argumentError) Error() string {
	return fmt.Sprintf("argument %d: this %T cannot be sent as %s", e.index+1, e.arg, e.as)
}
func (e *argumentError) Unwrap() error { return e.err }

func (w *wire) typeName(oid uint32) string {
	if t, ok := w.pgx.TypeMap().TypeForOID(oid); ok {
		return t.Name
	}
	return fmt.Sprintf("the type with OID %d", oid)
}

// inUTC turns the times that go into a timestamp without time zone into UTC, in
// which they are read back (rule S4). pgx would store the wall clock of
// whatever zone they are in.
func inUTC(st *statement, args []any) []any {
	args = slices.Clone(args)
	for i, oid := range st.params.ParamOIDs {
		if oid == pgtype.TimestampOID || oid == pgtype.TimestampArrayOID {
			args[i] = utc(args[i])
		}
	}
	return args
}

func utc(arg any) any {
	switch v := arg.(type) {
	case time.Time:
		return v.UTC()
	case *time.Time:
		if v == nil {
			return nil
		}
		return v.UTC()
	case []time.Time:
		if v == nil {
			return nil
		}
		all := make([]time.Time, len(v))
		for i := range v {
			all[i] = v[i].UTC()
		}
		return all
	case []*time.Time:
		if v == nil {
			return nil
		}
		all := make([]*time.Time, len(v))
		for i, t := range v {
			if t != nil {
				at := t.UTC()
				all[i] = &at
			}
		}
		return all
	case pgtype.TimestampValuer: // means the wall clock
		return arg
	case driver.Valuer:
		if value, err := driver.DefaultParameterConverter.ConvertValue(v); err == nil {
			if t, ok := value.(time.Time); ok {
				return t.UTC()
			}
		}
	}
	return arg
}
