package postgres

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/holdfast-go/holdfast/dialect"
	"github.com/holdfast-go/holdfast/internal/backend"
)

// exchange is one call's conversation with the server: what is queued is sent
// together by flush, and then read in the order in which it was queued. The
// server skips what comes after an error.
type exchange struct {
	*wire
	pipe    *pgconn.Pipeline // nil for a statement by itself
	closing int              // so many of wire.dropped are closed on the way
	control []control        // in front of the caller's statement
	read    int              // so many of control have been answered
	asked   bool             // the statement has been described in it, and is still to be sent
	inside  bool             // a transaction is open, and nothing that was queued is to end it
}

type control struct {
	text  string
	fresh *statement // prepared on the way; nil: it was before, or is not kept
}

// start begins an exchange. If ctx has ended since it was looked at, flush says so.
func (w *wire) start(ctx context.Context) *exchange {
	w.unreplicated = false
	w.open = exchange{wire: w, pipe: w.conn.StartPipeline(ctx), control: w.open.control[:0], inside: w.begun}
	x := &w.open
	// What has been dropped from the cache is closed first: its name may be
	// wanted again.
	for _, name := range x.dropped {
		x.pipe.SendDeallocate(name)
	}
	x.closing = len(x.dropped)
	return x
}

// queueControl queues control statements. One that the connection has not seen
// before is prepared in the same round trip.
func (x *exchange) queueControl(texts ...string) {
	for _, text := range texts {
		if !x.named || strings.HasPrefix(text, "INSERT") { // which holds a mark, and comes once
			x.pipe.SendQueryParams(text, nil, nil, nil, nil)
			x.control = append(x.control, control{text: text})
			continue
		}
		st := x.controls.get(text)
		c := control{text: text}
		if st == nil {
			st = x.queued(text)
		}
		if st == nil {
			st = newStatement(text)
			st.sd.Name, st.sd.Fields = nameOfControl(text), undescribed
			x.pipe.SendPrepare(st.sd.Name, text, nil)
			c.fresh = st
		}
		x.pipe.SendQueryStatement(st.sd, nil, nil, nil)
		x.control = append(x.control, c)
	}
}

// queueCarried queues a statement that nobody waits for: what its parameters are
// follows from where they stand.
func (x *exchange) queueCarried(c *carried) {
	values, formats := make([][]byte, len(c.args)), make([]int16, len(c.args))
	for i, arg := range c.args {
		values[i], formats[i] = arg.([]byte), 1
	}
	x.pipe.SendQueryParams(c.text, values, nil, formats, nil)
	x.control = append(x.control, control{text: c.text})
}

// queued returns the control statement that this exchange already prepares.
func (x *exchange) queued(text string) *statement {
	for _, c := range x.control {
		if c.fresh != nil && c.text == text {
			return c.fresh
		}
	}
	return nil
}

// queueDescribe queues the description, and preparation if the connection
// keeps prepared statements, of a caller's statement.
func (x *exchange) queueDescribe(st *statement) {
	if x.named && !st.once {
		st.sd.Name = nameOf(st.text)
	}
	x.pipe.SendPrepare(st.sd.Name, st.text, st.types)
}

// queue queues the execution of a described statement with the arguments that
// were bound last.
func (x *exchange) queue(st *statement) {
	p := &x.params
	switch {
	case st.sd.Name != "" && st.described:
		x.pipe.SendQueryStatement(st.sd, p.ParamValues, p.ParamFormats, st.formats)
	case st.sd.Name != "":
		x.pipe.SendQueryPrepared(st.sd.Name, p.ParamValues, p.ParamFormats, st.formats)
	default:
		// Without a name to go by the text is sent again, with the types that it
		// was described with. Each round trip is then whole in itself, and a pooler
		// may send the next one to another server.
		x.pipe.SendQueryParams(st.text, p.ParamValues, st.sd.ParamOIDs, p.ParamFormats, st.formats)
	}
	x.unbind()
}

// flush sends what is queued and waits for what was closed in front of it. After
// an error the exchange is over.
func (x *exchange) flush() error {
	if err := x.pipe.Sync(); err != nil {
		if !x.conn.IsClosed() {
			return &backend.NotSentError{Err: err} // the pipeline was never begun
		}
		return x.lost(err)
	}
	x.used = true
	for ; x.closing > 0; x.closing-- {
		if _, err := results[*pgconn.CloseComplete](x.pipe); err != nil {
			return x.finish(nil, err)
		}
		x.dropped = x.dropped[1:]
	}
	return nil
}

// readPrefix reads the results of the first n control statements.
func (x *exchange) readPrefix(n int) error {
	for x.read < n {
		text := x.control[x.read].text
		_, err := x.readControl()
		var refused *pgconn.PgError
		if errors.As(err, &refused) {
			return &backend.PrefixError{Statement: text, Err: err}
		}
		if err != nil {
			return err // no answer: everything may have run
		}
		if begins(text) {
			x.begun, x.inside = true, true
		}
	}
	return nil
}

func begins(control string) bool { return strings.HasPrefix(control, "BEGIN") }

// readControl reads the result of the next control statement.
func (x *exchange) readControl() (pgconn.CommandTag, error) {
	result, err := x.nextControl()
	if err != nil {
		return pgconn.CommandTag{}, err
	}
	return result.Close()
}

func (x *exchange) nextControl() (*pgconn.ResultReader, error) {
	c := x.control[x.read]
	x.read++
	if c.fresh != nil {
		if _, err := results[*pgconn.StatementDescription](x.pipe); err != nil {
			x.drop(c.fresh.sd.Name) // in case the server has got as far as to prepare it
			return nil, err
		}
		x.drop(x.controls.put(c.fresh)...)
	}
	return results[*pgconn.ResultReader](x.pipe)
}

// readText is readControl for a question whose answer is one value.
func (x *exchange) readText() (text string, err error) {
	result, err := x.nextControl()
	if err != nil {
		return "", err
	}
	if result.NextRow() && len(result.Values()) == 1 {
		text = string(result.Values()[0])
	}
	_, err = result.Close()
	return text, err
}

// readDescription reads what queueDescribe asked for, with what was queued behind it,
// and keeps the statement.
func (x *exchange) readDescription(st *statement) error {
	sd, err := results[*pgconn.StatementDescription](x.pipe)
	if err != nil {
		x.drop(st.sd.Name)
		return err
	}
	for x.read < len(x.control) {
		if _, err := x.readControl(); err != nil {
			return err
		}
	}
	if _, err := results[*pgconn.PipelineSync](x.pipe); err != nil {
		return err
	}
	st.describe(sd)
	if !st.once {
		x.drop(x.statements.put(st)...)
	}
	return nil
}

// bindOpen is bind in the middle of an exchange. It runs code of the arguments' own
// types, which may panic: the connection is then to be left free.
func (x *exchange) bindOpen(st *statement, args []any) error {
	returned := false
	defer func() {
		if !returned {
			_ = x.finish(nil, nil)
		}
	}()
	err := x.bind(st, args)
	returned = true
	return err
}

// finish ends the exchange: it reads to its end, where an autocommitted
// statement's deferred constraints are checked, and leaves the connection ready
// for the next. failure is what has gone wrong so far, with st if it is not nil.
func (x *exchange) finish(st *statement, failure error) error {
	if x.pipe != nil {
		if err := x.pipe.Close(); failure == nil {
			failure = err
		}
	}
	if x.inside && !x.conn.IsClosed() && x.conn.TxStatus() == 'I' {
		x.begun, x.ended = false, true
		failure = &backend.EndedError{Err: failure}
	}
	if failure == nil && x.unreplicated && st != nil {
		return errUnreplicated // what commits by itself
	}
	if failure == nil {
		return nil
	}
	x.forget(st, failure)
	x.noteDemotion(failure)
	return x.lost(failure)
}

// noteDemotion notes that the server takes no writes, if it has refused one outside any
// transaction for that (read_only_sql_transaction).
func (w *wire) noteDemotion(failure error) {
	var refused *pgconn.PgError
	if errors.As(failure, &refused) && refused.Code == "25006" && !w.begun {
		w.demoted = true
	}
}

// results reads the next result of the pipeline.
func results[T any](pipe *pgconn.Pipeline) (result T, err error) {
	r, err := pipe.GetResults()
	if err != nil {
		return result, err
	}
	result, ok := r.(T)
	if !ok {
		return result, fmt.Errorf("the server answered with %T instead of %T", r, result)
	}
	return result, nil
}

// lost marks an error of the connection, after which nobody knows what the
// server has done.
func (w *wire) lost(err error) error {
	var answer *pgconn.PgError
	if err == nil || !w.conn.IsClosed() || errors.As(err, &answer) {
		return err
	}
	return &lostError{err}
}

type lostError struct{ err error }

func (e *lostError) Error() string        { return "connection lost: " + e.err.Error() }
func (e *lostError) Unwrap() error        { return e.err }
func (e *lostError) Is(target error) bool { return target == dialect.ErrConnectionLost }
