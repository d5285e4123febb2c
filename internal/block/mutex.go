package block

import (
	"context"
	"errors"
	"runtime"
	"slices"
	syncatomic "sync/atomic"
	"time"

	"github.com/holdfast-go/holdfast/atomic"
	"github.com/holdfast-go/holdfast/internal/backend"
)

// mutex is held by whoever uses a connection. Unlike a sync.Mutex it can be
// waited for within a ctx, and tells a Scanner that waits for itself.
type mutex struct {
	held    chan struct{}
	reading syncatomic.Bool // rows are being read, or values bound, while it is held, by code that is not ours
}

func newMutex() mutex { return mutex{held: make(chan struct{}, 1)} }

func (m *mutex) lock() { m.held <- struct{}{} }

// errOwnRows: whoever waits is called by the one who holds the mutex.
var errOwnRows = errors.New("the rows of this block are still being read, by who sends this")

// lockWithin waits no longer than ctx, and then returns its cause.
func (m *mutex) lockWithin(ctx context.Context) error {
	select {
	case m.held <- struct{}{}:
		return nil
	default:
	}
	if m.readsHere() {
		return errOwnRows
	}
	select {
	case m.held <- struct{}{}:
		return nil
	case <-ctx.Done():
		return causeOf(ctx)
	}
}

// rowsOf is the error of lockWithin where nothing is told of a statement.
func rowsOf(err error) error {
	if err == errOwnRows {
		return &atomic.BlockError{Kind: atomic.ErrRowsOpen, Reason: "a Scanner cannot use the block whose rows it reads, nor a Valuer that of its statement"}
	}
	return &atomic.BlockError{Reason: "ctx ended while this waited for a statement under way on the same connection; nothing was sent", Err: err}
}

func (m *mutex) unlock() { <-m.held }

// whileReading calls read, which may call code that is not ours: a Scanner that
// sends a statement of the same block, or opens a block in it, would wait for itself.
//
//go:noinline
func (m *mutex) whileReading(read func() error) error {
	m.reading.Store(true)
	defer m.reading.Store(false)
	return read()
}

// whileBinding is send for a statement some of whose values are of types that are not
// ours: they are asked for what to bind, and a Valuer that sends a statement of the same
// block would wait for itself as well.
func (m *mutex) whileBinding(st Statement, send sender) sender {
	if !slices.ContainsFunc(st.Args, foreign) {
		return send
	}
	return func(w backend.Wire, prefix []string, query string) (read func() error, err error) {
		err = m.whileReading(func() error {
			read, err = send(w, prefix, query)
			return err
		})
		return read, err
	}
}

// foreign reports whether v may have code of its own.
func foreign(v any) bool {
	switch v.(type) {
	case nil, bool, string, []byte, time.Time, int64, int, int32, int16, int8, uint64, uint, uint32, uint16, uint8, float64, float32:
		return false
	}
	return true
}

const readingFrame = "github.com/holdfast-go/holdfast/internal/block.(*mutex).whileReading"

// readsHere reports whether the goroutine that asks is one that is reading rows,
// while rows are read under m. The stack is looked at only then, when somebody would
// have to wait.
func (m *mutex) readsHere() bool {
	if !m.reading.Load() {
		return false
	}
	var pcs [64]uintptr
	for skip := 0; ; skip += len(pcs) {
		n := runtime.Callers(skip, pcs[:])
		if n == 0 {
			return false
		}
		frames := runtime.CallersFrames(pcs[:n])
		for more := true; more; {
			var f runtime.Frame
			if f, more = frames.Next(); f.Function == readingFrame {
				return true
			}
		}
	}
}
