package model

import (
	"fmt"
	"strings"
)

// String is the program in the manner of Go, each line with its operation's
// number.
func (p Program) String() string {
	pr := &printer{}
	pr.body(0, p.Body)
	return pr.sb.String()
}

// GoString is String, for reports of failures.
func (p Program) GoString() string { return "\n" + p.String() }

type printer struct {
	sb    strings.Builder
	depth int
}

func (p *printer) line(id int, format string, args ...any) {
	number := ""
	if id > 0 {
		number = fmt.Sprintf("%d", id)
	}
	fmt.Fprintf(&p.sb, "%4s  %s%s\n", number, strings.Repeat("    ", p.depth), fmt.Sprintf(format, args...))
}

func (p *printer) body(id int, b Body) {
	for _, op := range b.Ops {
		p.op(op, id)
	}
	switch b.End {
	case ReturnError:
		p.line(0, "return %q", Own(id))
	case ReturnRollback:
		p.line(0, "return atomic.Rollback")
	case Panic:
		p.line(0, "panic(%q)", Boom(id))
	case Goexit:
		p.line(0, "runtime.Goexit()")
	}
}

func (p *printer) op(op Op, scope int) {
	call := op.call()
	ctx := "ctx"
	switch {
	case call.On == 0:
		ctx = "outside"
	case call.On != scope:
		ctx = fmt.Sprintf("ctx of %d", call.On)
	}
	check := "_ ="
	if call.Check {
		check = "check"
	}
	line := func(format string, args ...any) { p.line(call.ID, check+" "+format, args...) }
	switch op := op.(type) {
	case *Insert:
		canceled := ""
		if op.Canceled {
			canceled = "canceled "
		}
		line("insert(%s%s, %d)%s", canceled, ctx, op.Slot, op.Way)
	case *Read:
		line("read(%s)%s", ctx, op.Way)
	case *Control:
		line("exec(%s, %q)", ctx, op.SQL)
	case *PointText:
		line("exec(%s, %q)%s", ctx, op.Text(), op.Way)
	case *SetRollback:
		line("SetRollback(%s, %v)", ctx, op.To)
	case *Look:
		line("look(%s)", ctx)
	case *Savepoint:
		line("Savepoint(%s)", ctx)
	case *RollbackTo:
		line("point %d.Rollback(%s)", op.Point, ctx)
	case *Release:
		line("point %d.Release(%s)", op.Point, ctx)
	case *Cancel:
		p.line(call.ID, "cancel what %d was opened with", call.On)
	case *Rows:
		line("rows(%s)%s {", ctx, op.Way)
		p.depth++
		p.body(scope, op.Body)
		p.depth--
		p.line(0, "}")
	case *Tx:
		readOnly := ""
		if op.ReadOnly {
			readOnly = ", ReadOnly"
		}
		line("BeginTx(%s%s) {", ctx, readOnly)
		p.inner(call.ID, op.Body)
	case *Hook:
		name := "OnCommit"
		if op.OnRollback {
			name = "OnRollback"
		}
		robust := ""
		if op.Robust {
			robust = ", Robust"
		}
		line("%s(%s%s) {", name, ctx, robust)
		p.inner(call.ID, op.Body)
	case *Block:
		line("%s(%s%s)%s {", op.Form, ctx, op.Options, op.around())
		p.inner(call.ID, op.Body)
	}
}

func (p *printer) inner(id int, b Body) {
	p.depth++
	p.body(id, b)
	p.depth--
	p.line(0, "}")
}

func (b *Block) around() string {
	s := ""
	if b.Goroutine {
		s += " on a goroutine"
	}
	if b.Recover {
		s += " with recover"
	}
	return s
}

func (o Options) String() string {
	s := ""
	if o.Propagation != Nested {
		s += ", " + o.Propagation.String()
	}
	for _, flag := range []struct {
		on   bool
		name string
	}{{o.NoSavepoint, "NoSavepoint"}, {o.Durable, "Durable"}, {o.ReadOnly, "ReadOnly"}, {o.RepeatableRead, "RepeatableRead"}, {o.Retry, "Retry"}} {
		if flag.on {
			s += ", " + flag.name
		}
	}
	return s
}

func (p Propagation) String() string {
	return [...]string{"Nested", "Join", "Mandatory", "Independent", "Never", "Suspended"}[p]
}

func (f Form) String() string { return [...]string{"Do", "Value", "Wrap"}[f] }

func (w Way) String() string { return [...]string{"", " by the executor", " prepared", " by row"}[w] }
