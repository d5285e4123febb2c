package render

import (
	"strings"
	"sync"

	"github.com/holdfast-go/holdfast/internal/ast"
	"github.com/holdfast-go/holdfast/internal/column"
)

// kept is a statement that was written once, for those of the same shape: its text,
// and what its values stand for. What depends on a value is decided for each value
// anew (rule S65).
type kept struct {
	text  string // "" for a shape whose text depends on more than its values
	slots []slot // of the values, in the order of the placeholders
	joins []*Join
	put   *Outputs
}

// slot is what one value of a statement is for.
type slot struct {
	field *Field // the column that it stands beside, or becomes the value of
	op    ast.Op
	use   use
}

// use is how a value reaches the driver.
type use uint8

const (
	compared use = iota // beside a column
	assigned            // as the value of a column
	ready               // as it is
)

// bind is what the driver gets for v. It is false for a value that the text is not
// right for, or that is refused: the statement has to be written for it.
func (s *slot) bind(sp *spelling, v any) (any, bool) {
	switch s.use {
	case ready:
		return sp.sent(v), true
	case assigned:
		bound, err := s.field.assigned(v)
		return sp.sent(bound), err == nil
	}
	k := kind{s.field.Column, s.field}
	bound, err := k.value(v)
	if err != nil || bound == nil {
		return nil, false
	}
	op, bound, known := k.number(s.op, bound)
	if known != open || op != s.op {
		return nil, false
	}
	if text, isText := bound.(string); isText && k.Kind == column.Text && k.doubts(text) {
		return nil, false
	}
	if sp.casts && (k.Kind == column.Integer && k.wider(bound) || k.finer(bound)) {
		return nil, false
	}
	return sp.sent(bound), true
}

// doubts reports whether a text decides about the statement: the column may have no
// characters for it, or the server may not read it to its end.
func (k kind) doubts(text string) bool {
	server := k.field.Model.models.server
	return isMySQL(server.Engine) && !isASCII(text) || endsAtNUL(server) && strings.IndexByte(text, 0) >= 0
}

// keepable reports whether the text beside a value of this kind is the same for all
// that [slot.bind] lets pass. It is not where the digits of a number are written
// down, or the form of a document decides.
func (k kind) keepable() bool {
	switch k.Kind {
	case column.Integer, column.Float, column.Text, column.Binary, column.Boolean, column.Date, column.TimeOfDay, column.Timestamp, column.UUID, column.Address:
		return k.field != nil
	}
	return false
}

// with is the statement with the values of a shape.
func (k *kept) with(sp *spelling, s *shape) (Text, bool) {
	if k.text == "" || s.count != len(k.slots) {
		return Text{}, false
	}
	var args []any
	if len(k.slots) > 0 {
		args = make([]any, len(k.slots))
	}
	for i := range args {
		var fits bool
		if args[i], fits = k.slots[i].bind(sp, s.value(i)); !fits {
			return Text{}, false
		}
	}
	return Text{SQL: k.text, Args: args}, true
}

// again is what is kept of a shape, nil if nothing is, and the statement with the
// values of this one. found is true if that is right for them.
func (ms *Models) again(sh *shape, shaped bool) (t Text, k *kept, found bool) {
	if !shaped {
		return t, nil, false
	}
	if k = ms.shapes.find(sh.key()); k == nil {
		return t, nil, false
	}
	t, found = k.with(ms.spelling, sh)
	return t, k, found
}

// keeping is what write writes, kept for its shape if keep says so. walk goes over the
// parts of the shape once more.
func (ms *Models) keeping(sh *shape, keep bool, size int, write func(*writer) []*Join, walk func(*writer, *shape) bool) (Text, []*Join, error) {
	var w *writer
	var joins []*Join
	t, err := ms.written(size, func(now *writer) {
		w = now
		joins = write(w)
	})
	if err == nil && keep && !w.doubtful {
		ms.record(sh.key(), t, w, joins, func(again *shape) bool { return walk(w, again) })
	}
	return t, joins, err
}

// How much is kept for a database: two halves of as many bytes, and no text that
// only a long list, or many rows, have.
const (
	keptHalf    = 1 << 20
	keptLongest = 16 << 10
	// Roughly what an entry takes beside its texts, for each of its values, for each
	// table that is read with it, and for each output of its own.
	keptBeside = 256
	keptSlot   = 16
	keptJoin   = 256
	keptOutput = 128
)

// shapes is the statements that a database keeps, by their shapes. When a half is
// full, the one before it is forgotten: what is used goes on from half to half, and
// what has come once is gone after a while. It is safe for use by several goroutines.
type shapes struct {
	mu         sync.RWMutex
	young, old map[string]*kept
	size       int // of young, in bytes
}

// find is what is kept of a shape, nil if nothing is.
func (s *shapes) find(shape []byte) *kept {
	s.mu.RLock()
	k, known := s.young[string(shape)]
	aged := !known
	if aged {
		k, known = s.old[string(shape)]
	}
	s.mu.RUnlock()
	if aged && known {
		s.keep(shape, k)
	}
	return k
}

func (s *shapes) keep(shape []byte, k *kept) {
	size := len(shape) + len(k.text) + keptBeside + keptSlot*len(k.slots) + keptJoin*len(k.joins)
	if k.put != nil {
		size += keptOutput * len(k.put.List)
	}
	if size > keptLongest {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.young == nil || s.size+size > keptHalf {
		s.young, s.old, s.size = map[string]*kept{}, s.young, 0
	}
	if _, again := s.young[string(shape)]; !again {
		s.size += size
	}
	s.young[string(shape)] = k
}
