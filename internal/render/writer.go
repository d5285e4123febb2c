package render

import (
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/holdfast-go/holdfast/dialect"
	"github.com/holdfast-go/holdfast/internal/ast"
)

// Text is a rendered statement.
type Text struct {
	SQL  string // with the engine's own placeholders
	Args []any  // for the driver to bind, in the order of the placeholders
	// Raw is true if a part of SQL came from query.Raw: such a statement has to be
	// inspected before it runs in a block (rule B15).
	Raw bool
	// Again writes it once more, with what is asked for only now: it is for a server
	// that has refused it because of a text's character set, before it ran. nil where
	// that would be of no use.
	Again func(Charsets) (Text, error)
}

// writer renders one statement.
type writer struct {
	models *Models
	server dialect.Server
	*spelling
	base, scope *scope // the statement's own, and that of the SELECT that is being written
	database    any    // whose tables are read; nil if nothing says so
	fromName    string // the alias of the next sub-select in FROM; "" if it does not matter
	with        withs
	assigning   bool // what is written is the value of a column
	changed     bool // a sub-select reads the table that the statement changes
	subSelects  bool // one was written that can name columns of the statement around it

	buf  []byte
	args []any
	err  error

	textual    bool // what is written stands beside texts
	raw        bool // a part came from Raw
	nullable   bool // what was written since the flag was last cleared may be NULL
	checked    bool // what is calculated is looked at as a whole, for numbers that have become too large
	overRows   int  // how many functions over several rows were written: aggregates, and over windows
	references func(*Field)
	proposed   *Insert  // the rows that [ast.Excluded] is about
	puts       *Outputs // of a SELECT with outputs of its own

	charsets Charsets // nil: they were not asked for
	doubtful bool     // a text may have characters that the column beside it has not
}

func newWriter(m *Model, size int) *writer {
	w := newWriterOf(m.models, size)
	w.of(m)
	return w
}

// of makes it a statement on the table of m.
func (w *writer) of(m *Model) {
	w.base = &scope{models: m.models, root: m}
	w.scope = w.base
}

func newWriterOf(ms *Models, size int) *writer {
	return &writer{models: ms, server: ms.server, spelling: ms.spelling, buf: make([]byte, 0, size)}
}

func (w *writer) fail(err error) {
	if w.err == nil {
		w.err = err
	}
}

func (w *writer) string(s string) { w.buf = append(w.buf, s...) }

func (w *writer) byte(c byte) { w.buf = append(w.buf, c) }

// insert puts s in front of what was written since position at.
func (w *writer) insert(at int, s string) { w.buf = slices.Insert(w.buf, at, []byte(s)...) }

// bind writes a placeholder for v, which the driver takes as it is.
func (w *writer) bind(v any) {
	if w.args == nil {
		w.args = make([]any, 0, 4)
	}
	w.args = append(w.args, w.sent(v))
	if !w.numbered {
		w.byte('?')
		return
	}
	w.byte('$')
	w.buf = strconv.AppendInt(w.buf, int64(len(w.args)), 10)
}

// written is the text of a statement, which can be written again.
func (ms *Models) written(size int, write func(w *writer)) (Text, error) {
	w := newWriterOf(ms, size)
	write(w)
	t, err := w.text()
	if err == nil && w.doubtful {
		t.Again = func(known Charsets) (Text, error) {
			again := newWriterOf(ms, size)
			again.charsets = known
			write(again)
			return again.text()
		}
	}
	return t, err
}

// sent is a bound value as the driver gets it.
func (s *spelling) sent(v any) any {
	if s.zeroTime != "" {
		if t, ok := v.(time.Time); ok && t.IsZero() {
			return s.zeroTime
		}
	}
	return v
}

// text ends the statement.
func (w *writer) text() (Text, error) {
	if len(w.with.ordered) > 0 && !w.with.written {
		w.fail(errWithChanges)
	}
	if w.err != nil {
		return Text{}, w.err
	}
	if len(w.args) > w.maxValues && !w.interpolates {
		return Text{}, fmt.Errorf("%d values in one statement: %s takes %d; split the list", len(w.args), w.server, w.maxValues)
	}
	return Text{SQL: string(w.buf), Args: w.args, Raw: w.raw}, nil
}

// node writes n and returns what kind of value it is. Errors are kept by the
// writer: the first one counts.
func (w *writer) node(n ast.Node) kind {
	switch n := n.(type) {
	case ast.Column, *ast.Member:
		return w.reference(n)
	case ast.Outer:
		return w.outerReference(n)
	case ast.One:
		w.byte('1')
		return wholeNumber
	case ast.Value:
		return w.value(n)
	case ast.Arithmetic:
		return w.arithmetic(n)
	case ast.Now:
		return w.timeOfStatement()
	case ast.Past:
		return w.past(n)
	case ast.Excluded:
		return w.excluded(n)
	case ast.Call:
		return w.call(n)
	case ast.Aggregate:
		return w.aggregate(n)
	case ast.Windowed:
		return w.misplaced(n)
	case ast.Over:
		return w.over(n)
	case *ast.Select:
		return w.scalar(n)
	case ast.Raw:
		return w.rawText(n)
	case ast.Comparison:
		return w.comparison(n)
	case ast.Membership:
		return w.membership(n)
	case ast.Among:
		return w.among(n)
	case ast.Exists:
		return w.exists(n)
	case ast.Quantified:
		return w.quantified(n)
	case ast.OverRelated:
		return w.overRelated(n)
	case reached:
		return w.reached(n)
	case widened:
		return w.widened(n)
	case anyRowOf:
		return w.anyRowOf()
	case ast.Match:
		return w.match(n)
	case ast.And:
		return w.junction(n.Of, opAnd, always)
	case ast.Or:
		return w.junction(n.Of, opOr, never)
	case ast.Not:
		return w.negation(n)
	case stored:
		return w.stored(n)
	default:
		if k, known := w.function(n); known {
			return k
		}
	}
	w.fail(errNoExpr) // nil, or ast.Missing
	return kind{}
}
