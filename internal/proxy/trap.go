package proxy

import (
	"bytes"
	"sync"
)

// Action is what a trap does to the connection that springs it.
type Action int

const (
	// Watch lets everything pass; the trap stays and counts.
	Watch Action = iota
	// CutRequest cuts the connection before the text reaches the server: the
	// statement has not arrived.
	CutRequest
	// CutReply lets the text pass, with no more to come after it, waits until
	// the server has answered all of it and has ended the connection, throws the
	// answers away and cuts: whatever was asked for is done, and the client
	// cannot know.
	CutReply
	// CutSent lets the text pass and cuts the connection at once: the statement
	// may be done or not.
	CutSent
	// HoldReply lets the text pass and holds the answer, and all that follows,
	// back until Release.
	HoldReply
	// Strand hangs up on the client and holds the text back until Release. It
	// then arrives at the server, which does as it is told and finds nobody to
	// tell.
	Strand
)

// Trap waits for a text to pass from the client to the server. Except for
// Watch, it acts once.
type Trap struct {
	text   []byte
	action Action

	mu       sync.Mutex
	hits     int
	hit      chan struct{}
	released chan struct{}
	release  func()
}

// On sets a trap for text, upper and lower case alike, in what any client of
// the proxy sends from now on.
func (p *Proxy) On(text string, action Action) *Trap {
	if text == "" || len(text) > memory {
		panic("proxy: a trap needs a text to wait for, of at most 4096 bytes")
	}
	return p.set(text, action)
}

// Next sets a trap for whatever any client of the proxy sends next.
func (p *Proxy) Next(action Action) *Trap { return p.set("", action) }

func (p *Proxy) set(text string, action Action) *Trap {
	trap := &Trap{
		text: lower([]byte(text)), action: action,
		hit: make(chan struct{}), released: make(chan struct{}),
	}
	trap.release = sync.OnceFunc(func() { close(trap.released) })
	p.mu.Lock()
	defer p.mu.Unlock()
	p.traps = append(p.traps, trap)
	return trap
}

// Hit is closed when the text has come by for the first time, before anything
// is done about it.
func (t *Trap) Hit() <-chan struct{} { return t.hit }

// Hits counts how often the text was seen; at most 1 unless the action is
// Watch.
func (t *Trap) Hits() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.hits
}

// Release lets go what is held.
func (t *Trap) Release() { t.release() }

func (t *Trap) spring(times int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.hits == 0 {
		close(t.hit)
	}
	t.hits += times
}

// memory is how much of what a client sent is kept for a text that lies across
// two packets.
const memory = 4 << 10

// match looks for a trap that the newest bytes of a client spring. before is
// what the client sent just before them: a text may lie across two packets, and
// the server cannot act on it without the second.
//
// One trap acts at a time; of two for the same text, the next time is the
// second's.
func (p *Proxy) match(before, chunk []byte) *Trap {
	seen := lower(append(bytes.Clone(before), chunk...))
	p.mu.Lock()
	defer p.mu.Unlock()
	var sprung *Trap
	kept := p.traps[:0]
	for _, trap := range p.traps {
		from := max(0, len(before)-len(trap.text)+1) // what lies wholly before was seen before
		times := 1
		if len(trap.text) > 0 {
			times = bytes.Count(seen[from:], trap.text)
		}
		if times > 0 && trap.action != Watch && sprung == nil {
			trap.spring(1)
			sprung = trap
			continue
		}
		if times > 0 && trap.action == Watch {
			trap.spring(times)
		}
		kept = append(kept, trap)
	}
	p.traps = kept
	return sprung
}

// lower turns ASCII letters into small ones. What passes is not all text, and
// bytes.ToLower would make more of bytes that are no UTF-8.
func lower(b []byte) []byte {
	for i, c := range b {
		if 'A' <= c && c <= 'Z' {
			b[i] = c + 'a' - 'A'
		}
	}
	return b
}
