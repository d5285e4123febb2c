package backend

import "errors"

// ErrCommitRefused is returned by Wire.Commit when the server answered COMMIT
// with a rollback: the transaction had failed before.
var ErrCommitRefused = errors.New("the server rolled the transaction back instead of committing it")

// EndedError says that the server has ended the transaction inside a statement
// (a procedure with a COMMIT or a ROLLBACK of its own).
type EndedError struct {
	// RolledBack is true if the work before the statement is certainly rolled back;
	// otherwise it may be committed.
	RolledBack bool
	// Lost is true if the connection was lost in a statement that could have done
	// so: then it is not known either whether it has.
	Lost bool
	Err  error // what the statement itself failed with; nil if it did not
}

// Error says what is known.
func (e *EndedError) Error() string {
	if e.Err != nil {
		return e.Reason() + ": " + e.Err.Error()
	}
	return e.Reason()
}

// Reason is the text without that of the statement's own error.
func (e *EndedError) Reason() string {
	if e.RolledBack {
		return "the transaction was rolled back inside a statement"
	}
	if e.Lost {
		return "the connection was lost in a statement that may end transactions: what came before it may be committed"
	}
	return "the transaction was ended by a statement in it, such as a procedure with a COMMIT of its own: " +
		"what came before is committed, unless a ROLLBACK has ended it"
}

// Unwrap returns the statement's own error.
func (e *EndedError) Unwrap() error { return e.Err }

// Is reports whether target is an EndedError, whatever it says.
func (e *EndedError) Is(target error) bool {
	_, ok := target.(*EndedError)
	return ok
}

// LeftOpenError says that a statement outside any transaction has run in one that a
// statement had left open, or in which autocommit was off, so that nobody would commit
// it. The connection is closed.
type LeftOpenError struct{}

// Error says what is known.
func (e *LeftOpenError) Error() string {
	return "a transaction is open that nobody would commit: this statement, or one before it on this connection, " +
		"has begun one or switched autocommit off, such as a procedure; the connection is closed, which rolls it back"
}

// UncertainError says that the server has answered COMMIT, or a statement that
// commits by itself, with an error that does not tell whether it is committed.
type UncertainError struct{ Err error }

// Error returns the server's text.
func (e *UncertainError) Error() string { return e.Err.Error() }

// Unwrap returns the driver's error.
func (e *UncertainError) Unwrap() error { return e.Err }

// PrefixError says that a control statement in front of the real one failed,
// so that the real one did not run.
type PrefixError struct {
	Statement string // the control statement, which never holds values
	Err       error
}

// Error names the control statement.
func (e *PrefixError) Error() string { return e.Statement + ": " + e.Err.Error() }

// Unwrap returns the driver's error.
func (e *PrefixError) Unwrap() error { return e.Err }

// NotSentError says that nothing has reached the server: a value that the
// driver cannot bind, or a connection found closed before the first byte.
type NotSentError struct {
	Closed bool // the connection is closed; false: the statement is at fault, and the connection as good as before
	Err    error
}

// Error returns the text of the cause.
func (e *NotSentError) Error() string { return e.Err.Error() }

// Unwrap returns the driver's error.
func (e *NotSentError) Unwrap() error { return e.Err }

// UnresolvableError is what a Resolver returns when nobody will ever know: to ask
// again would be in vain.
type UnresolvableError struct{ Reason string }

// Error returns the reason.
func (e *UnresolvableError) Error() string { return e.Reason }
