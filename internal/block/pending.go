package block

import (
	"slices"
	"strconv"
	"time"

	"github.com/holdfast-go/holdfast/internal/backend"
)

// A pendingControl is a control statement that waits for a statement to travel
// with: no control statement but the last is worth a round trip of its own.
type pendingControl struct {
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
		t.pending = append(t.pending, pendingControl{text: "RELEASE SAVEPOINT " + savepointName(i), release: true, index: i})
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
		t.pending = append(t.pending, pendingControl{text: "ROLLBACK TO SAVEPOINT " + savepointName(i), index: i})
		if t.waitBack.Transactional {
			t.wait = p.wait
		}
		t.name = p.name
	}
	t.points = t.points[:i]
}

// A prefix is what travels in front of one statement, and what it changes once
// the server has worked on it.
type prefix struct {
	statements []string
	control    backend.Control // of BEGIN
	points     int             // so many points are known to the server then
	wait       *time.Duration
	waitBack   backend.Control
	name       string
	oldName    string           // that of the new savepoints
	after      []pendingControl // to be sent after the statement
}

// prefixOf collects what has to be said in front of st. Nothing changes yet: the
// statement may never be sent.
func (t *transaction) prefixOf(b *block, st Statement, opaque bool) (prefix, error) {
	pre := prefix{control: t.control, points: len(t.points), wait: t.wait, waitBack: t.waitBack, name: t.name, oldName: t.name}
	engine := t.executor.db.Engine

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
			pre.wait = nil
		}
		if want != nil {
			c := engine.LockWait(*want)
			waiting.Before = slices.Concat(waiting.Before, c.Before)
			waiting.Inside = slices.Concat(waiting.Inside, c.Inside)
			pre.wait, pre.waitBack = want, c
		}
	}

	if t.phase == unsent {
		c, err := engine.Begin(t.beginOptions())
		if err != nil {
			return prefix{}, err
		}
		pre.control, pre.name, pre.oldName = c, t.root.opts.Name, t.root.opts.Name
		pre.statements = append(pre.statements, waiting.Before...)
		pre.statements = append(pre.statements, c.Before...)
		pre.statements = append(pre.statements, c.Begin)
		pre.statements = append(pre.statements, c.Inside...)
	}
	for _, e := range t.pending {
		pre.statements = append(pre.statements, e.text)
	}
	for i, p := range t.points {
		if !p.sent {
			pre.statements = append(pre.statements, "SAVEPOINT "+savepointName(i+1))
		}
	}
	pre.statements = append(pre.statements, waiting.Inside...)
	if namer, ok := engine.(backend.Namer); ok && b.name() != pre.name {
		pre.statements = append(pre.statements, namer.Rename(pre.name, b.name())...)
		pre.name = b.name()
	}
	if opaque {
		// The statement may end the transaction unseen. Then the guard is gone
		// with it, its release fails, and so does what travels with that.
		pre.statements = append(pre.statements, "SAVEPOINT "+guard)
		pre.after = append(pre.after, pendingControl{text: "RELEASE SAVEPOINT " + guard})
	}
	return pre, nil
}

const guard = "hf_guard"

// applied records that the server has worked on the prefix of a statement.
func (t *transaction) applied(pre prefix) {
	if t.phase == unsent {
		t.phase = begun
	}
	t.control = pre.control
	for _, p := range t.points[:min(pre.points, len(t.points))] {
		if !p.sent {
			p.sent, p.wait, p.name = true, t.wait, pre.oldName
		}
	}
	t.wait, t.waitBack, t.name = pre.wait, pre.waitBack, pre.name
	t.pending = append(t.pending[:0], pre.after...)
}

// commitPrefix is what goes in front of COMMIT.
func (t *transaction) commitPrefix() (prefix []string) {
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
		if b.opts.Name != "" {
			return b.opts.Name
		}
	}
	return ""
}

// lockWait is the limit on waiting for a lock of b or of the nearest block
// around it that has one.
func (b *block) lockWait() *time.Duration {
	for ; b != nil; b = b.parent {
		if b.opts.LockWait != nil {
			return b.opts.LockWait
		}
	}
	return nil
}

func sameWait(a, b *time.Duration) bool {
	return a == b || a != nil && b != nil && *a == *b
}
