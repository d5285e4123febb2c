package model

import (
	"iter"
	"reflect"
	"slices"
	"time"
)

// patience is how long a failing program is made smaller.
const patience = 30 * time.Second

// reduce makes a program smaller as long as fails says that it still does. Rapid
// could do it too, but knows only the bits that a program was drawn from, and
// tries ten times as many.
func reduce(p Program, fails func(Program) bool) Program {
	deadline := time.Now().Add(patience)
	for {
		smaller := func(b Body) bool { return fails(Program{b}) }
		if !first(simplerBodies(0, p.Body), deadline, smaller, func(b Body) { p = Program{b} }) {
			return p
		}
	}
}

// first hands the first of candidates that passes to take.
func first(candidates iter.Seq[Body], deadline time.Time, passes func(Body) bool, take func(Body)) bool {
	for b := range candidates {
		if time.Now().After(deadline) {
			return false
		}
		if passes(b) {
			take(b)
			return true
		}
	}
	return false
}

// simplerBodies yields what is a step simpler than the body of a function: with
// an operation less, with one replaced by what it contains, with a simpler one.
func simplerBodies(scope int, b Body) iter.Seq[Body] {
	return func(yield func(Body) bool) {
		with := func(i int, ops ...Op) bool {
			return yield(Body{Ops: slices.Concat(b.Ops[:i], ops, b.Ops[i+1:]), End: b.End})
		}
		for i := range b.Ops {
			if !with(i) {
				return
			}
		}
		for i, op := range b.Ops {
			if inner := reflect.ValueOf(op).Elem().FieldByName("Body"); inner.IsValid() {
				if !with(i, lifted(op.call().ID, scope, inner.Interface().(Body).Ops)...) {
					return
				}
			}
		}
		if b.End != ReturnNil && !yield(Body{Ops: b.Ops}) {
			return
		}
		for i, op := range b.Ops {
			for simpler := range simplerOps(scope, op) {
				if !with(i, simpler) {
					return
				}
			}
		}
	}
}

// lifted are the operations of a function as they read in the one around it.
func lifted(from, to int, ops []Op) []Op {
	ops = slices.Clone(ops)
	for i, op := range ops {
		if op.call().On == from {
			copied := reflect.New(reflect.TypeOf(op).Elem())
			copied.Elem().Set(reflect.ValueOf(op).Elem())
			ops[i] = copied.Interface().(Op)
			ops[i].call().On = to
		}
	}
	return ops
}

// simplerOps yields what is a step simpler than op: one of its fields is as if it
// were not there, or its body is simpler.
func simplerOps(scope int, op Op) iter.Seq[Op] {
	return func(yield func(Op) bool) {
		old := reflect.ValueOf(op).Elem()
		with := func(field []int, value reflect.Value) bool {
			simpler := reflect.New(old.Type())
			simpler.Elem().Set(old)
			simpler.Elem().FieldByIndex(field).Set(value)
			return yield(simpler.Interface().(Op))
		}
		for _, f := range reflect.VisibleFields(old.Type()) {
			value := old.FieldByIndex(f.Index)
			switch {
			case f.Name == "Body":
				if _, rows := op.(*Rows); !rows {
					scope = op.call().ID
				}
				for b := range simplerBodies(scope, value.Interface().(Body)) {
					if !with(f.Index, reflect.ValueOf(b)) {
						return
					}
				}
			case f.Anonymous, f.Name == "ID", f.Name == "On", f.Name == "Point", f.Name == "Verb", f.Name == "Name", value.IsZero():
			case !with(f.Index, reflect.Zero(f.Type)):
				return
			}
		}
	}
}
