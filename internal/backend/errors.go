package backend

import "errors"

// ErrCommitRefused is returned by Wire.Commit when the server answered COMMIT
// with a rollback: the transaction had failed before.
var ErrCommitRefused = errors.New("the server rolled the transaction back instead of committing it")

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
