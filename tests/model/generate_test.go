package model

import "pgregory.net/rapid"

// programs generates programs. Weights are repetitions; what comes first is
// what a failing program is shrunk to.
func programs() *rapid.Generator[Program] {
	ops := rapid.SliceOfN(outsideOp(4), 1, 12)
	return rapid.Custom(func(t *rapid.T) Program {
		return Number(Program{Body{Ops: ops.Draw(t, "program")}})
	})
}

// bodies generates functions of which each operation comes from ops.
func bodies(ops *rapid.Generator[Op]) *rapid.Generator[Body] {
	list := rapid.SliceOfN(ops, 0, 14)
	ends := rapid.SampledFrom([]End{
		ReturnNil, ReturnNil, ReturnNil, ReturnNil, ReturnNil, ReturnNil, ReturnNil, ReturnNil,
		ReturnNil, ReturnNil, ReturnNil, ReturnNil, ReturnNil, ReturnNil, ReturnNil, ReturnNil,
		ReturnError, ReturnError, ReturnError, ReturnRollback, Panic, Panic, Goexit,
	})
	return rapid.Custom(func(t *rapid.T) Body {
		return Body{Ops: list.Draw(t, "ops"), End: ends.Draw(t, "end")}
	})
}

// insideOp generates an operation for the function of a block; functions in it
// nest depth deep.
func insideOp(depth int) *rapid.Generator[Op] {
	i, r, p, x := genInsert(), genRead(), genPoint(), genPointText()
	gens := []*rapid.Generator[Op]{i, i, i, i, i, i, r, r, genLook(), p, p, p, p, x, x, x, x}
	if depth > 0 {
		b, h := genBlock(depth-1, insideOp), genHook(depth-1)
		gens = append(gens, b, b, b, b, b, b, h, h)
	}
	return rapid.OneOf(append(gens, genSetRollback(), genControl(), genTx(), genRows(depth), genCancel())...)
}

// calmOp generates an operation for a function during which no ctx is
// cancelled.
func calmOp(depth int) *rapid.Generator[Op] {
	gens := []*rapid.Generator[Op]{genInsert(), genRead(), genPoint(), genPointText(), genSetRollback(), genControl(), genTx()}
	if depth > 0 {
		b := genBlock(depth-1, calmOp)
		gens = append(gens, b, b)
	}
	return rapid.OneOf(gens...)
}

// outsideOp generates one for a function outside any block.
func outsideOp(depth int) *rapid.Generator[Op] {
	gens := []*rapid.Generator[Op]{genInsert(), genRead()}
	if depth > 0 {
		b := genBlock(depth-1, insideOp)
		gens = append(gens, b, b, b, b, b, b, b, b, genHook(depth-1))
	}
	return rapid.OneOf(append(gens, genTx(), genRows(depth), genLook(), genPoint(), genCancel())...)
}

func op(draw func(t *rapid.T, c Call) Op) *rapid.Generator[Op] {
	on := rapid.SampledFrom([]int{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4, 5, 6})
	return rapid.Custom(func(t *rapid.T) Op {
		return draw(t, Call{On: on.Draw(t, "on"), Check: chance(t, "check", 5)})
	})
}

// chance is true once in outOf times. The number is one in the middle, because
// rapid prefers the ends of a range.
func chance(t *rapid.T, what string, outOf int) bool {
	return rapid.IntRange(0, outOf-1).Draw(t, what) == outOf*2/3
}

func genInsert() *rapid.Generator[Op] {
	return op(func(t *rapid.T, c Call) Op {
		return &Insert{
			Call:     c,
			Slot:     rapid.SampledFrom([]int{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 0}).Draw(t, "slot"),
			Way:      rapid.SampledFrom([]Way{BySQL, ByExecutor, ByPrepared}).Draw(t, "way"),
			Canceled: chance(t, "canceled", 40),
		}
	})
}

func genRead() *rapid.Generator[Op] {
	return op(func(t *rapid.T, c Call) Op {
		return &Read{Call: c, Way: rapid.SampledFrom([]Way{BySQL, ByExecutor, ByPrepared, ByRow}).Draw(t, "way")}
	})
}

func genLook() *rapid.Generator[Op] {
	return op(func(_ *rapid.T, c Call) Op { return &Look{Call: c} })
}

func genControl() *rapid.Generator[Op] {
	return op(func(t *rapid.T, c Call) Op {
		return &Control{Call: c, SQL: rapid.SampledFrom([]string{
			"COMMIT", "ROLLBACK", "BEGIN", "/* */ commit;",
		}).Draw(t, "sql")}
	})
}

func genSetRollback() *rapid.Generator[Op] {
	return op(func(t *rapid.T, c Call) Op {
		return &SetRollback{Call: c, To: !chance(t, "to", 3)}
	})
}

func genCancel() *rapid.Generator[Op] {
	return op(func(_ *rapid.T, c Call) Op { return &Cancel{Call: c} })
}

func genPoint() *rapid.Generator[Op] {
	set := op(func(_ *rapid.T, c Call) Op { return &Savepoint{Call: c} })
	which := rapid.SampledFrom([]int{0, 0, 0, 1, 2})
	back := op(func(t *rapid.T, c Call) Op { return &RollbackTo{Call: c, Point: which.Draw(t, "point")} })
	free := op(func(t *rapid.T, c Call) Op { return &Release{Call: c, Point: which.Draw(t, "point")} })
	return rapid.OneOf(set, set, back, back, free)
}

func genPointText() *rapid.Generator[Op] {
	return op(func(t *rapid.T, c Call) Op {
		return &PointText{
			Call: c,
			Verb: rapid.SampledFrom([]PointVerb{SetPoint, SetPoint, BackToPoint, BackToPoint, ReleasePoint}).Draw(t, "verb"),
			Name: rapid.SampledFrom([]string{"a", "a", "a", "b"}).Draw(t, "name"),
			Way:  rapid.SampledFrom([]Way{BySQL, ByExecutor}).Draw(t, "way"),
		}
	})
}

func genHook(depth int) *rapid.Generator[Op] {
	body := bodies(outsideOp(depth))
	return op(func(t *rapid.T, c Call) Op {
		return &Hook{
			Call:       c,
			OnRollback: chance(t, "on rollback", 3),
			Robust:     chance(t, "robust", 3),
			Body:       body.Draw(t, "body"),
		}
	})
}

// genRows has a body that cannot end its function but by an error.
func genRows(depth int) *rapid.Generator[Op] {
	ops := rapid.SliceOfN(calmOp(min(depth, 2)), 1, 4)
	return op(func(t *rapid.T, c Call) Op {
		way := rapid.SampledFrom([]Way{BySQL, ByExecutor}).Draw(t, "way")
		return &Rows{Call: c, Way: way, Body: Body{Ops: ops.Draw(t, "ops")}}
	})
}

func genTx() *rapid.Generator[Op] {
	i := genInsert()
	ops := rapid.SliceOfN(rapid.OneOf(i, i, genRead(), genPointText()), 0, 8)
	ends := rapid.SampledFrom([]End{ReturnNil, ReturnNil, ReturnError})
	return op(func(t *rapid.T, c Call) Op {
		return &Tx{
			Call:     c,
			ReadOnly: chance(t, "read-only", 20),
			Body:     Body{Ops: ops.Draw(t, "ops"), End: ends.Draw(t, "end")},
		}
	})
}

// genBlock generates blocks of which each operation comes from ops.
func genBlock(depth int, ops func(depth int) *rapid.Generator[Op]) *rapid.Generator[Op] {
	body := bodies(ops(depth))
	return op(func(t *rapid.T, c Call) Op {
		return &Block{
			Call:      c,
			Options:   genOptions(t),
			Form:      rapid.SampledFrom([]Form{Do, Do, Do, Value, Wrap}).Draw(t, "form"),
			Recover:   rapid.SampledFrom([]bool{false, true, true}).Draw(t, "recover"),
			Goroutine: chance(t, "goroutine", 4),
			Body:      body.Draw(t, "body"),
		}
	})
}

func genOptions(t *rapid.T) Options {
	p := rapid.SampledFrom([]Propagation{
		Nested, Nested, Nested, Nested, Nested, Nested, Nested, Nested, Join, Join, Mandatory, Independent, Independent, Never, Suspended,
	}).Draw(t, "propagation")
	o := Options{Propagation: p}
	switch p {
	case Nested:
		o.NoSavepoint = chance(t, "no savepoint", 6)
		fallthrough
	case Join:
		o.Durable = chance(t, "durable", 30)
		fallthrough
	case Independent:
		o.ReadOnly = chance(t, "read-only", 20)
		o.RepeatableRead = chance(t, "repeatable read", 20) || o.ReadOnly && chance(t, "snapshot", 2)
		o.Retry = chance(t, "retry", 30)
	case Never, Suspended: // refused: there is no block for it
		o.ReadOnly = chance(t, "read-only", 10)
		o.Retry = chance(t, "retry", 10)
	}
	return o
}
