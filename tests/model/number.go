package model

// Number gives the operations of a program their IDs.
//
// What the operations refer to is drawn as a small number: On counts from the
// function itself outwards and then back through what came before, and Point
// counts backwards through the savepoints. Number turns these into IDs, so that
// a program stays a program whatever is taken out of it.
func Number(p Program) Program {
	n := &numberer{}
	n.body([]int{0}, p.Body)
	return p
}

type numberer struct {
	last   int
	before []int // IDs of the blocks and hooks so far
	points []int // IDs of the savepoints so far
}

// body numbers the operations of the innermost of the functions around.
func (n *numberer) body(around []int, b Body) {
	for _, op := range b.Ops {
		n.last++
		call := op.call()
		call.ID = n.last
		call.On = n.on(around, call.On)
		switch op := op.(type) {
		case *Savepoint:
			n.points = append(n.points, call.ID)
		case *RollbackTo:
			op.Point = n.point(op.Point)
		case *Release:
			op.Point = n.point(op.Point)
		case *Rows:
			n.body(around, op.Body)
		case *Tx:
			n.body(append(around[:len(around):len(around)], call.ID), op.Body)
		case *Hook:
			n.before = append(n.before, call.ID)
			n.body(append(around[:len(around):len(around)], call.ID), op.Body)
		case *Block:
			n.before = append(n.before, call.ID)
			n.body(append(around[:len(around):len(around)], call.ID), op.Body)
		}
	}
}

// on is the ctx that a drawn number stands for: 0 the function's own, 1 that of
// the function around it and so on to the one outside, then what came before.
func (n *numberer) on(around []int, drawn int) int {
	if drawn < len(around) {
		return around[len(around)-1-drawn]
	}
	drawn -= len(around)
	if len(n.before) == 0 {
		return around[len(around)-1]
	}
	return n.before[len(n.before)-1-drawn%len(n.before)]
}

// point is the savepoint that a drawn number stands for, or 0, which is none.
func (n *numberer) point(drawn int) int {
	if len(n.points) == 0 {
		return 0
	}
	return n.points[len(n.points)-1-drawn%len(n.points)]
}
