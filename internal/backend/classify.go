package backend

import (
	"errors"

	"github.com/holdfast-go/holdfast/dialect"
)

// Classify is what an error of a Wire of d is: the engine says what the driver's own is,
// and the errors of this package around it what became of the statement. It is nil for
// nil, and an error that has been classified is that.
func Classify(d *Database, err error) *dialect.Error {
	var known *dialect.Error
	if errors.As(err, &known) {
		return known
	}
	var ended *EndedError
	var prefix *PrefixError
	if errors.As(err, &ended) {
		named := classifyEnded(d, ended, err)
		if errors.As(err, &prefix) && errors.As(prefix.Err, &ended) {
			named.Message = refused(prefix, named.Message)
		}
		return named
	}
	if errors.As(err, &prefix) {
		inner := d.Engine.Classify(prefix.Err)
		named := *inner
		named.Message = refused(prefix, inner.Message)
		named.Fatal = true
		named.Err = err
		if was := (*EndedError)(nil); errors.As(inner, &was) {
			named.Err = &EndedError{RolledBack: was.RolledBack, Err: err}
		}
		return &named
	}
	var unsent *NotSentError
	if errors.As(err, &unsent) {
		// With what is around it: a ctx that ended before anything was sent has closed
		// no connection.
		named := *d.Engine.Classify(unsent)
		named.NotSent = true
		if unsent.Closed {
			named.Kind, named.Fatal = dialect.ErrConnectionLost, true
		}
		return &named
	}
	return d.Engine.Classify(err)
}

func refused(p *PrefixError, why string) string { return p.Statement + " was refused: " + why }

// classifyEnded is Classify for a transaction that a statement has ended. Its error has no
// kind if the work before it may be committed: "deadlock" would say that it is not.
func classifyEnded(d *Database, ended *EndedError, err error) *dialect.Error {
	named := &dialect.Error{Engine: d.Server.Engine, Message: ended.Reason(), Fatal: true, Err: err}
	var unsent *NotSentError
	named.NotSent = errors.As(err, &unsent)
	if ended.Lost {
		named.Kind = dialect.ErrConnectionLost
	}
	if ended.Err != nil {
		inner := Classify(d, ended.Err)
		if ended.RolledBack {
			named.Kind = inner.Kind
		}
		named.Code, named.Message = inner.Code, ended.Reason()+": "+inner.Message
		named.Constraint, named.Columns = inner.Constraint, inner.Columns
	}
	return named
}
