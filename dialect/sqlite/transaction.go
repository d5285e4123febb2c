package sqlite

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"time"

	modernc "modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"github.com/holdfast-go/holdfast/internal/backend"
)

// control runs a statement of the library's own. Only the wait for the write
// lock can take long and heeds ctx.
func (w *wire) control(ctx context.Context, text string) error {
	w.used = true
	switch text {
	case beginWrite:
		if !w.writing {
			if err := w.enter(ctx); err != nil {
				return err
			}
		}
		w.begun = true
	case beginRead:
		w.begun = true
	default:
		ctx = context.WithoutCancel(ctx)
	}
	if err := w.run(ctx, text); err != nil {
		return w.failed(err)
	}
	if text == readOnly || text == readWrite {
		w.reading = text == readOnly
	}
	w.noteWait(text)
	return nil
}

// noteWait keeps the limit that a statement has set for SQLite, for the queue as well.
// The last statement that gives a limit back comes alone, and by Exec.
func (w *wire) noteWait(text string) {
	limit, is := strings.CutPrefix(text, busyPragma)
	if !is {
		return
	}
	if ms, err := strconv.ParseInt(limit, 10, 64); err == nil {
		w.wait = time.Duration(ms) * time.Millisecond
	}
}

func (w *wire) run(ctx context.Context, text string) error {
	kind, err := w.cache.kindOf(text)
	if err != nil {
		return err
	}
	kind.keep = kind.keep && !kind.dml // a mark of the resolver's comes once
	st, err := w.cache.prepare(ctx, w.conn, text, kind)
	if err != nil {
		return err
	}
	defer w.cache.done(st)
	_, err = st.exec.ExecContext(ctx, nil)
	return err
}

// failed looks, after an error, what has become of the transaction.
func (w *wire) failed(err error) error {
	if !w.begun || w.lost {
		return err
	}
	w.look()
	if w.begun && !w.lost {
		return err
	}
	return &endedError{err}
}

// look asks whether a transaction is open: BEGIN is refused then.
func (w *wire) look() {
	err := w.run(context.Background(), beginRead)
	var e *modernc.Error
	switch {
	case err == nil:
		if w.run(context.Background(), "ROLLBACK") != nil {
			w.lose()
		}
		w.ended()
	case errors.As(err, &e) && e.Code() == sqlite3.SQLITE_ERROR && strings.Contains(e.Error(), "within a transaction"):
		w.begun = true
	default:
		w.lose()
	}
}

// lose notes that nobody knows what the connection's transaction is: it has to be
// closed. One of this package's own pool gives its turn to write back when it is
// (conn.Close); nobody sees that of another's, so its turn ends here.
func (w *wire) lose() {
	w.lost = true
	if w.cache == nil {
		w.leave(true)
	}
}

// ended notes that no transaction is open any more.
func (w *wire) ended() {
	w.begun, w.reading = false, false
	w.leave(true)
}

// Commit implements backend.Wire. COMMIT is never interrupted: it returns when
// the data is on the disk, or after the busy timeout, with an answer in every
// case. Only an I/O error leaves open what a later look at the file will find.
func (w *wire) Commit(ctx context.Context, prefix []string) error {
	if !w.Alive() {
		return &backend.NotSentError{Closed: true, Err: errGone}
	}
	if !w.stillReads() {
		return &backend.NotSentError{Err: errWritable}
	}
	for _, text := range prefix {
		if err := w.control(ctx, text); err != nil {
			return &backend.PrefixError{Statement: text, Err: err}
		}
	}
	err := w.run(context.WithoutCancel(ctx), "COMMIT")
	if err == nil {
		w.ended()
		return nil
	}
	if ioError(err) {
		return w.unanswered(err)
	}
	return w.failed(err)
}

func ioError(err error) bool {
	var e *modernc.Error
	return errors.As(err, &e) && e.Code()&0xff == sqlite3.SQLITE_IOERR
}

// leavesOpen reports whether an error is that of a commit after which only a later look
// at the file tells what became of it: of a write outside any transaction, which commits
// itself, or of a COMMIT that the caller has written.
func (w *wire) leavesOpen(st *statement, err error) bool {
	commits := st.writes || st.ends
	if w.hooked {
		commits = w.committed
	}
	return commits && (!w.begun || st.ends) && ioError(err)
}

// unanswered gives up the connection with the error of such a commit.
func (w *wire) unanswered(err error) error {
	w.lose()
	return &unansweredError{err}
}

// Rollback implements backend.Wire.
func (w *wire) Rollback(ctx context.Context, suffix []string) error {
	if !w.Alive() {
		return &backend.NotSentError{Closed: true, Err: errGone}
	}
	if w.begun { // else SQLite has rolled back already, and would complain
		if err := w.run(context.WithoutCancel(ctx), "ROLLBACK"); err != nil {
			w.lose()
			return err
		}
		w.ended()
	}
	for _, text := range suffix {
		if err := w.control(ctx, text); err != nil {
			return err
		}
	}
	return nil
}
