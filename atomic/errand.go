package atomic

import (
	"slices"
	"strconv"
	"time"

	"github.com/holdfast-go/holdfast/internal/backend"
)

// An errand is a control statement that waits for a statement to travel with:
// no control statement but the last is worth a round trip of its own.
type errand struct {
	text    string
	release bool // RELEASE SAVEPOINT: needless before COMMIT
	index   int  // which savepoint it is about; 0: none
}

// names of savepoints are few and come again, so that they fit into the
// server's statement cache.
func savepointName(index int) string { return "hf_" + strconv.Itoa(index) }

func (t *transaction) indexOf(p *point) int { return slices.Index(t.points, p) + 1 }

// release forgets p and the points after it. Their effects stay.
func (t *transaction) release(p *point) {
	i := t.indexOf(p)
	if i == 0 {
		return
	}
	if p.sent && t.phase == begun {
		// Releasing a savepoint releases those after it, so their own RELEASE
		// need not be sent.
		for n := len(t.pending); n > 0 && t.pending[n-1].release && t.pending[n-1].index > i; n-- {
			t.pending = t.pending[:n-1]
		}
		t.pending = append(t.pending, errand{text: "RELEASE SAVEPOINT " + savepointName(i), release: true, index: i})
	}
	t.points = t.points[:i-1]
}

// rollbackTo undoes everything since p and keeps p.
func (t *transaction) rollbackTo(p *point) {
	i := t.indexOf(p)
	if i == 0 {
		return
	}
	if p.sent {
		// What was still to be said of later savepoints is undone with them.
		for n := len(t.pending); n > 0 && t.pending[n-1].index > i; n-- {
			t.pending = t.pending[:n-1]
		}
		t.pending = append(t.pending, errand{text: "ROLLBACK TO SAVEPOINT " + savepointName(i), index: i})
		if t.waitBack.Transactional {
			t.wait = p.wait
		}
		t.name = p.name
	}
	t.points = t.points[:i]
}

// A freight is what travels in front of one statement, and what it changes
// once it has arrived.
type freight struct {
	prefix   []string
	control  backend.Control // of BEGIN
	points   int             // so many points are known to the server then
	wait     *time.Duration
	waitBack backend.Control
	name     string
	oldName  string   // that of the new savepoints
	after    []errand // to be sent after the statement
}

// load collects what has to be said in front of st. Nothing changes yet: the
// statement may never be sent.
func (t *transaction) load(b *block, st Statement, opaque bool) (freight, error) {
	f := freight{control: t.control, points: len(t.points), wait: t.wait, waitBack: t.waitBack, name: t.name, oldName: t.name}
	engine := t.gate.db.Engine

	want := b.lockWait()
	if st.Wait != nil {
		want = st.Wait
	}
	var waiting backend.Control
	if !sameWait(want, t.wait) {
		if t.wait != nil {
			if t.phase == unsent { // BEGIN itself was refused before
				waiting.Before = t.waitBack.Restore
			} else {
				waiting.Inside = t.waitBack.Restore
			}
			f.wait = nil
		}
		if want != nil {
			c := engine.LockWait(*want)
			waiting.Before = slices.Concat(waiting.Before, c.Before)
			waiting.Inside = slices.Concat(waiting.Inside, c.Inside)
			f.wait, f.waitBack = want, c
		}
	}

	if t.phase == unsent {
		c, err := engine.Begin(t.beginOptions())
		if err != nil {
			return freight{}, err
		}
		f.control, f.name, f.oldName = c, t.root.opts.name, t.root.opts.name
		f.prefix = append(f.prefix, waiting.Before...)
		f.prefix = append(f.prefix, c.Before...)
		f.prefix = append(f.prefix, c.Begin)
		f.prefix = append(f.prefix, c.Inside...)
	}
	for _, e := range t.pending {
		f.prefix = append(f.prefix, e.text)
	}
	for i, p := range t.points {
		if !p.sent {
			f.prefix = append(f.prefix, "SAVEPOINT "+savepointName(i+1))
		}
	}
	f.prefix = append(f.prefix, waiting.Inside...)
	if namer, ok := engine.(backend.Namer); ok && b.name() != f.name {
		f.prefix = append(f.prefix, namer.Rename(f.name, b.name())...)
		f.name = b.name()
	}
	if opaque {
		// The statement may end the transaction unseen. Then the guard is gone
		// with it, its release fails, and so does what travels with that.
		f.prefix = append(f.prefix, "SAVEPOINT "+guard)
		f.after = append(f.after, errand{text: "RELEASE SAVEPOINT " + guard})
	}
	return f, nil
}

const guard = "hf_guard"

// arrived records that the server has worked on f's prefix.
func (t *transaction) arrived(f freight) {
	if t.phase == unsent {
		t.phase = begun
	}
	t.control = f.control
	for _, p := range t.points[:min(f.points, len(t.points))] {
		if !p.sent {
			p.sent, p.wait, p.name = true, t.wait, f.oldName
		}
	}
	t.wait, t.waitBack, t.name = f.wait, f.waitBack, f.name
	t.pending = append(t.pending[:0], f.after...)
}

// lastWords is what goes in front of COMMIT.
func (t *transaction) lastWords() (prefix []string) {
	for _, e := range t.pending {
		if !e.release {
			prefix = append(prefix, e.text)
		}
	}
	return append(prefix, t.restores()...)
}

// restores puts the session back as it was.
func (t *transaction) restores() (all []string) {
	if t.wait != nil && !t.waitBack.Transactional {
		all = append(all, t.waitBack.Restore...)
	}
	if !t.control.Transactional {
		all = append(all, t.control.Restore...)
	}
	return all
}

// name is that of b or of the nearest block around it that has one.
func (b *block) name() string {
	for ; b != nil; b = b.parent {
		if b.opts.name != "" {
			return b.opts.name
		}
	}
	return ""
}

// lockWait is the limit on waiting for a lock of b or of the nearest block
// around it that has one.
func (b *block) lockWait() *time.Duration {
	for ; b != nil; b = b.parent {
		if b.opts.lockWait != nil {
			return b.opts.lockWait
		}
	}
	return nil
}

func sameWait(a, b *time.Duration) bool {
	return a == b || a != nil && b != nil && *a == *b
}
