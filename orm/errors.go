package orm

import (
	"context"
	"errors"
	"fmt"
	"reflect"

	"github.com/holdfast-go/holdfast/internal/render"
)

var (
	// ErrNotFound: no row where one was asked for: by Get, First and Lock, and
	// by Save for a row that is not in the database (any more), or marked as deleted.
	ErrNotFound = errors.New("no such row")
	// ErrMultipleRows: Get found more than one row.
	ErrMultipleRows = errors.New("more than one row")
	// ErrStale: Save found that the row was changed or deleted by somebody else
	// since it was read (models.Versioned). Nothing was written: read it again.
	ErrStale = errors.New("the row was changed or deleted since it was read")
	// ErrDeleted: a row that is marked as deleted (the tag soft_delete) has the key by
	// which GetOrCreate, UpdateOrCreate or an OnConflict looked for a row. Nothing was
	// written: restore it, or ask WithDeleted (rule S63).
	ErrDeleted = errors.New("a row that is marked as deleted has this key")
	// ErrLockOptions: lock options contradict each other, or the query is one
	// in which rows cannot be locked (rules L1 and L6). Nothing was sent.
	ErrLockOptions = render.ErrLockOptions
)

// ScanError says that a value of the database does not fit into its struct
// field. It never shows the value; Err, the cause, may.
type ScanError struct {
	Field string // "Audio.index", or the number of a column
	From  string // the type that the driver gave, or "NULL"
	To    string // the Go type that cannot hold it
	Err   error  // may be nil

	// Written: the statement that has returned the value has written, and is committed,
	// since it was sent outside any block. To do it again would do it twice.
	Written bool
}

// Error names the field and the types.
func (e *ScanError) Error() string {
	if e.Written {
		return e.reason() + " (the statement that has returned it was sent outside any block: what it has written is committed)"
	}
	return e.reason()
}

func (e *ScanError) reason() string {
	if e.From == "NULL" {
		return fmt.Sprintf("%s is NULL, which %s cannot hold: make it a pointer, or tag the field nullzero", e.Field, e.To)
	}
	if errors.Is(e.Err, errNoPlace) {
		return fmt.Sprintf("%s is a zero in a row, and not NULL, which %s does not tell apart: no page can go on from that row (After). "+
			"Make the field a pointer, or have one of the two in the table", e.Field, e.To)
	}
	return fmt.Sprintf("%s: a value of type %s does not fit into %s", e.Field, e.From, e.To)
}

// hasWritten says of an operation that was one statement, and whose answer could not be read,
// that it is committed all the same, where there was no block to be rolled back.
func (db *DB) hasWritten(ctx context.Context, err error) error {
	if err == nil {
		return nil
	}
	var unread *ScanError
	if errors.As(err, &unread) && !db.executor.Encloses(ctx) {
		unread.Written = true
	}
	return err
}

// isWritten reports whether err is that of an operation that is committed.
func isWritten(err error) bool {
	var unread *ScanError
	var short *NotKeptError
	return errors.As(err, &unread) && unread.Written || errors.As(err, &short) && short.Written
}

// Unwrap returns the cause.
func (e *ScanError) Unwrap() error { return e.Err }

// failed says what was being done.
func failed(model, operation string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("orm: %s.%s: %w", model, operation, err)
}

// nameOf is what errors call a model that could not be compiled.
func nameOf[T any]() string { return nameOfType(reflect.TypeFor[T]()) }

func nameOfType(t reflect.Type) string {
	if t.Name() != "" {
		return t.Name()
	}
	return t.String()
}
