package model

import "maps"

// tx is a transaction.
type tx struct {
	lane     *lane // nil until its first insert
	readOnly bool
	begun    bool
	own      rows // what it has inserted

	fixes       bool // it sees others as they were at some moment: its first read,
	fixesAtOnce bool // or its first statement of any kind
	snapshot    rows // what it sees of them, once that is fixed
	forgets     bool // see Engine.Forgets
	touched     bool // it has come to a table
	reading     int  // rows that are open

	hooks []*hook
	given *ctx // the ctx that its outermost block was opened with
}

func (w *world) newTx(o Options, given *ctx) *tx {
	t := &tx{own: rows{}, readOnly: o.ReadOnly, given: given}
	t.fixes = w.engine.ReadFixes || o.RepeatableRead
	t.fixesAtOnce = w.engine.InsertFixes && o.RepeatableRead
	t.forgets = w.engine.Forgets
	if o.ReadOnly && o.RepeatableRead && t.forgets { // B22: one consistent snapshot, from BEGIN on
		t.fixesAtOnce, t.forgets = true, false
	}
	return t
}

// lane is the rows of one transaction.
type lane struct{ first int }

// LaneRows is how many keys a lane has. The first two are its seeds.
const LaneRows = 20

// IsSeed reports whether a row is one of its lane's seeds.
func IsSeed(row int) bool { return row%LaneRows < 2 }

func (w *world) newLane() *lane {
	l := &lane{first: w.lanes * LaneRows}
	w.lanes++
	return l
}

// visible is what a transaction sees: its own rows and what others have
// committed.
func (w *world) visible(t *tx) rows {
	visible := maps.Clone(w.rows)
	if t.fixes {
		if t.snapshot == nil {
			t.snapshot = visible
		}
		visible = maps.Clone(t.snapshot)
	}
	maps.Copy(visible, t.own)
	return visible
}
