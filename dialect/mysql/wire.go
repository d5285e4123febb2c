package mysql

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"strings"

	godriver "github.com/go-sql-driver/mysql"

	"github.com/holdfast-go/holdfast/dialect"
	"github.com/holdfast-go/holdfast/internal/backend"
	"github.com/holdfast-go/holdfast/internal/lex"
)

// wire sends statements on one connection, with the control statements in front
// of them in the same text.
//
// The server works through a text until one of its statements fails, so an
// error of the real statement means that all of the prefix took effect, and an
// error of the prefix that nothing after it did. replies tells the two apart.
//
// A statement such as CALL can end the transaction, and even begin another,
// without anything in its text to show it. The server's flags show the former
// with the next answer that is not an error. Only a
// savepoint is tied to the one transaction: whoever sends such a statement puts
// "SAVEPOINT hf_guard" in its prefix and "RELEASE SAVEPOINT hf_guard" in the
// next one. If the transaction is gone the release fails with 1305, the
// statement behind it does not run, and Classify calls the error fatal.
type wire struct {
	raw     rawConn
	replies replies
	id      int64
	node    string // which server it is; "" if that is not known
	inParts bool   // COMMIT over several shards is one each
	// apart: each statement is a text of its own. Where somebody else can abort the
	// transaction between two statements of one text (Galera), the second would
	// run in autocommit.
	apart bool

	used  bool
	begun bool   // a transaction of ours is open, or was
	own   counts // what was sent from here
	// uncounted: others have used the connection before.
	uncounted bool
	ended     error // how it was found that it is open no more
	ran       bool  // the prefix of the last call has run
	doubt     bool  // a statement that may have begun a transaction has failed
	unseen    bool  // one has run that may have done so, or switched autocommit off
	steered   bool  // the caller begins and ends transactions of its own (XA)
	lost      bool
	session
	demoted func() // is told that the server has turned out to be read-only; nil: nobody is

	positions *positions // nil: the server leaves none
	silent    bool       // its answers have nothing of the session's state: it was not asked for that
	tracks    bool       // it sends them along
	applied   string     // the token that a replica has reached last

	values []driver.NamedValue // for the call in progress
}

// errClosed stands in for driver.ErrBadConn, at which database/sql would send a
// statement again (rule S6).
var errClosed = fmt.Errorf("the connection was found closed: %w", dialect.ErrConnectionLost)

// A call is one statement on its way.
type call struct {
	values []driver.NamedValue
	prefix []string // what is still to be sent in front of it
	route  way
	begun  bool // something of the prefix has been sent
}

// ready binds args and finds the way that the statement has to go, once the
// server has had a look at a text that might be several. What cannot travel with
// the statement goes ahead of it.
func (w *wire) ready(ctx context.Context, prefix []string, query string, args []any) (c call, err error) {
	w.ran = false
	c.values, err = w.start(ctx, args)
	if err != nil {
		return c, err
	}
	if w.doubt && !w.begun && !w.steered { // what it has left open, the next BEGIN would commit
		if err = w.control(ctx, []string{"ROLLBACK"}); err != nil {
			return c, err
		}
	}
	c.route = wayOf(query, len(c.values))
	if c.prefix, err = w.certain(ctx, prefix, c.route, c.values); err != nil {
		return c, err
	}
	if c.route == judged {
		if err = w.judge(ctx, query, c.values); err != nil {
			return c, err
		}
	}
	if w.apart && len(c.prefix) > 0 {
		c.begun = true
		err = w.control(ctx, c.prefix)
		c.prefix = nil
	}
	return c, err
}

// sent takes back what an error says of nothing having been sent, once something
// of the prefix was.
func (c call) sent(err error) error {
	if err == nil || !c.begun {
		return err
	}
	var unsent *backend.NotSentError
	if errors.As(err, &unsent) {
		return unsent.Err
	}
	return err
}

// Exec implements backend.Wire.
func (w *wire) Exec(ctx context.Context, prefix []string, query string, args []any) (driver.Result, error) {
	c, err := w.ready(ctx, prefix, query, args)
	defer clear(c.values)
	if err != nil {
		return nil, err
	}
	if c.route != prepared {
		w.used = true
		res, err := w.raw.ExecContext(ctx, join(c.prefix, query), c.values)
		if err != driver.ErrSkip {
			if err = w.answered(c.prefix, query, err); err == nil {
				err = w.after(query)
			}
			return res, c.sent(err)
		}
	}
	var res driver.Result
	err = w.bound(ctx, c.prefix, query, c.values, func(stmt preparedStmt) (err error) {
		res, err = stmt.ExecContext(ctx, c.values)
		_ = stmt.Close()
		return err
	})
	if err == nil {
		err = w.after(query)
	}
	return res, c.sent(err)
}

// Query implements backend.Wire. An error of the server can also come from the
// rows, and from closing them: a deadlock's does.
func (w *wire) Query(ctx context.Context, prefix []string, query string, args []any) (driver.Rows, error) {
	c, err := w.ready(ctx, prefix, query, args)
	defer clear(c.values)
	if err != nil {
		return nil, err
	}
	if c.route != prepared {
		w.used = true
		rows, err := w.raw.QueryContext(ctx, join(c.prefix, query), c.values)
		if err != driver.ErrSkip {
			err = w.answered(c.prefix, query, err)
			w.reading = err == nil
			if err == nil && !lex.MySQLSyntax.Plain(query) {
				w.doubt = opaque(query) // until the rows have been read to their end
				return w.wrap(rows, query, nil), nil
			}
			return rows, c.sent(err)
		}
	}
	var rows driver.Rows
	err = w.bound(ctx, c.prefix, query, c.values, func(stmt preparedStmt) error {
		r, err := stmt.QueryContext(ctx, c.values)
		if err != nil {
			_ = stmt.Close()
			return err
		}
		w.reading = true
		rows = w.wrap(r, query, stmt)
		return nil
	})
	return rows, c.sent(err)
}

// Rollback implements backend.Wire.
func (w *wire) Rollback(ctx context.Context, suffix []string) error {
	var ended error
	if w.begun && w.Alive() && !w.replies.inTransaction() {
		ended = w.endedHow()
	}
	w.begun, w.ended = false, nil
	if _, err := w.start(ctx, nil); err != nil {
		return err
	}
	all := append([]string{"ROLLBACK"}, suffix...)
	if err := w.control(ctx, all); err != nil {
		return err
	}
	if rolledBack := new(backend.EndedError); errors.As(ended, &rolledBack) && rolledBack.RolledBack {
		return nil // as was wanted
	}
	return ended
}

// control sends control statements alone, in one round trip.
func (w *wire) control(ctx context.Context, all []string) error {
	w.used = true
	if w.apart {
		return w.controlApart(ctx, all)
	}
	last := len(all) - 1
	_, err := w.raw.ExecContext(ctx, join(all[:last], all[last]), nil)
	if err = w.answered(all, "", err); err != nil {
		return err
	}
	return w.after("")
}

// controlApart sends each in a round trip of its own, and looks at each answer.
func (w *wire) controlApart(ctx context.Context, all []string) error {
	for i := range all {
		_, err := w.raw.ExecContext(ctx, all[i], nil)
		if err = w.answered(all[i:i+1], "", err); err == nil {
			err = w.after("")
		}
		if err != nil {
			return call{begun: i > 0}.sent(err)
		}
	}
	return nil
}

// after is called when the server has answered query, a statement without rows or
// one whose rows have been read, or controls alone.
func (w *wire) after(query string) error {
	if query != "" {
		w.note(query)
	}
	if w.begun && !w.replies.inTransaction() {
		return w.endedHow()
	}
	if query != "" && !w.begun && w.unseen && !w.steered && w.replies.inTransaction() {
		w.lost = true // closed, it rolls back
		return &backend.LeftOpenError{}
	}
	return nil
}

// Alive implements backend.Wire.
func (w *wire) Alive() bool { return !w.lost && w.raw.IsValid() }

// Idle implements backend.Wire. It goes by what the server says with each
// answer.
func (w *wire) Idle() bool { return w.Alive() && !w.doubt && w.replies.idle() }

// Used implements backend.Wire.
func (w *wire) Used() bool { return w.used }

// ID implements backend.Wire.
func (w *wire) ID() int64 { return w.id }

// start finds what is wrong with a call before anything is sent.
func (w *wire) start(ctx context.Context, args []any) ([]driver.NamedValue, error) {
	if !w.Alive() {
		return nil, &backend.NotSentError{Closed: true, Err: errClosed}
	}
	if err := ctx.Err(); err != nil {
		return nil, &backend.NotSentError{Err: err}
	}
	if w.reading {
		w.note("")
	}
	if w.begun && !w.replies.inTransaction() {
		return nil, &backend.NotSentError{Err: w.endedHow()}
	}
	values, err := w.bind(args)
	if err != nil {
		return nil, &backend.NotSentError{Err: err}
	}
	return values, nil
}

// hungUp is what MySQL says before it closes a connection that was idle for
// wait_timeout (ER_CLIENT_INTERACTION_TIMEOUT). It is on its way when the
// statement leaves, and nobody reads that any more.
const hungUp = 4031

// answered makes sense of the driver's error for a text of prefix and query.
func (w *wire) answered(prefix []string, query string, err error) error {
	if err == nil {
		w.ran = true
		w.tracking(prefix)
		w.own.add(prefix)
		w.own.addOne(query)
		w.begun = w.begun || begins(prefix)
		w.doubt = false
		return nil
	}
	var refused *godriver.MySQLError
	switch {
	case errors.As(err, &refused) && (refused.Number == hungUp || notPrepared(refused)):
		w.lost = true
		return &backend.NotSentError{Closed: true, Err: refused}
	case errors.As(err, &refused):
		ran := max(w.replies.results()-1, 0) // the last one is the error
		w.own.add(prefix[:min(ran+1, len(prefix))])
		w.tracking(prefix[:min(ran, len(prefix))])
		if ran < len(prefix) {
			w.begun = w.begun || begins(prefix[:ran])
			if strings.HasPrefix(prefix[ran], checkStart) {
				w.lost = true // closed, it rolls back
				return &backend.NotSentError{Err: errSession}
			}
			if savepointGone(refused) {
				return &backend.PrefixError{Statement: prefix[ran], Err: w.withoutSavepoint(refused)}
			}
			return &backend.PrefixError{Statement: prefix[ran], Err: w.refused(refused)}
		}
		w.own.addOne(query)
		w.begun = w.begun || begins(prefix)
		if savepointGone(refused) {
			return w.withoutSavepoint(refused)
		}
		w.doubt = opaque(query)
		w.failed(query)
		_ = w.refused(refused)
		if !w.begun || query == "COMMIT" {
			return uncertain(refused, w.inParts && query == "COMMIT")
		}
		return refused
	case errors.Is(err, driver.ErrBadConn):
		// The driver says so only if it has not written a byte.
		w.lost = true
		return &backend.NotSentError{Closed: true, Err: errClosed}
	case errors.Is(err, godriver.ErrPktTooLarge):
		return &backend.NotSentError{Err: errTooLarge}
	case !w.raw.IsValid():
		w.lost = true
		return err
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		// It ended between our look at it and the driver's; once a statement is
		// on its way the driver closes the connection instead.
		return &backend.NotSentError{Err: err}
	}
	// Something between driver and server, such as LOAD DATA LOCAL of a file
	// that is not to be had, which the server had to be asked about first.
	w.begun = w.begun || begins(prefix)
	w.doubt = opaque(query)
	return err
}

var errTooLarge = errors.New("the statement with its values is larger than the server takes in one packet: " +
	"send less at once, or raise max_allowed_packet on the server")

// refused notes an answer of the server that decides about the connection.
func (w *wire) refused(err *godriver.MySQLError) error {
	switch {
	case serverReadOnly(err) && w.demoted != nil:
		w.demoted()
	case err.Number == packetTooLarge:
		w.lost = true // the server closes the connection
	}
	return err
}

// opaque reports whether query may begin a transaction without saying so.
func opaque(query string) bool {
	return !lex.MySQLSyntax.Plain(query) && inspect(query).Opaque
}
