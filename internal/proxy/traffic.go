package proxy

// Traffic counts what has passed.
type Traffic struct {
	// Turns counts round trips: how often the server began to answer after the
	// client had sent something. What the client sends in several packets
	// before it waits is one turn, and so is an answer in several packets. A
	// message without an answer (a statement closed, a farewell) is none, and
	// neither is what the server says unasked.
	Turns int
	// Sent and Received count bytes, to the server and from it.
	Sent, Received int
	// Conns counts connections.
	Conns int
}

func (t Traffic) plus(u Traffic) Traffic {
	return Traffic{t.Turns + u.Turns, t.Sent + u.Sent, t.Received + u.Received, t.Conns + u.Conns}
}

func (t Traffic) minus(u Traffic) Traffic {
	return Traffic{t.Turns - u.Turns, t.Sent - u.Sent, t.Received - u.Received, t.Conns - u.Conns}
}

// Traffic returns what has passed on all connections since the proxy started.
func (p *Proxy) Traffic() Traffic {
	p.mu.Lock()
	defer p.mu.Unlock()
	total := p.total
	for _, c := range p.conns {
		total = total.plus(c.traffic)
	}
	return total
}

// During returns what passes while f runs. What an earlier statement still had
// under way, or another goroutine sends, is counted too.
func (p *Proxy) During(f func()) Traffic {
	before := p.Traffic()
	f()
	return p.Traffic().minus(before)
}
