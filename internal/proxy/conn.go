package proxy

import (
	"errors"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// conn is one client's connection and the one to the server that goes with it.
// Each direction has a reader, which decides what happens to the bytes, and a
// writer, which delivers them when their time has come.
type conn struct {
	proxy          *Proxy
	client, server net.Conn
	gone           chan struct{} // closed by cut
	cut            func()

	traffic Traffic // guarded by proxy.mu, as the next one
	asked   bool    // the client has sent something since the server's last answer

	stranded atomic.Bool // the client is gone, and what it has sent is still to be delivered

	mu       sync.Mutex
	answered func() (deliver bool) // what a trap does with the server's next answer
}

// packet is what one read brought.
type packet struct {
	bytes         []byte
	due           time.Time
	before, after func() // called around its delivery
}

func newConn(p *Proxy, client, server net.Conn) *conn {
	c := &conn{proxy: p, client: client, server: server, gone: make(chan struct{})}
	c.traffic.Conns = 1
	c.cut = sync.OnceFunc(func() {
		close(c.gone)
		_ = client.Close()
		_ = server.Close()
	})
	return c
}

// run returns when the connection has ended and nothing of it runs any more.
func (c *conn) run() {
	var parts sync.WaitGroup
	up, down := make(chan packet, 64), make(chan packet, 64)
	parts.Go(func() { c.read(c.client, up, c.fromClient()) })
	parts.Go(func() { c.write(c.server, up) })
	parts.Go(func() { c.read(c.server, down, c.fromServer) })
	parts.Go(func() { c.write(c.client, down) })
	parts.Wait()
	c.cut()
}

// read hands what arrives to look, which says whether and how it goes on.
func (c *conn) read(from net.Conn, to chan<- packet, look func([]byte) (packet, bool)) {
	defer close(to)
	buffer := make([]byte, 32<<10)
	for {
		n, err := from.Read(buffer)
		if n > 0 {
			next, deliver := look(append([]byte(nil), buffer[:n]...))
			if !deliver {
				c.cut()
				return
			}
			next.due = time.Now().Add(c.proxy.delay())
			to <- next // the writer never stops taking
		}
		if errors.Is(err, io.EOF) || from == c.client && c.stranded.Load() {
			return // the other side hears of it when all is delivered
		}
		if err != nil {
			c.cut()
			return
		}
	}
}

func (c *conn) write(to net.Conn, packets <-chan packet) {
	for p := range packets {
		if !c.waitUntil(p.due) {
			continue // what was still on its way is lost
		}
		p.before()
		if _, err := to.Write(p.bytes); err != nil {
			c.cut() // the rest is taken and dropped
		}
		p.after()
	}
	closeWrite(to)
}

func closeWrite(to net.Conn) {
	if half, ok := to.(*net.TCPConn); ok {
		_ = half.CloseWrite()
	}
}

func (p *Proxy) delay() time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.latency
}

// fromClient counts what the client sends and springs traps.
func (c *conn) fromClient() func([]byte) (packet, bool) {
	var before []byte
	return func(chunk []byte) (packet, bool) {
		trap := c.proxy.match(before, chunk)
		before = append(before, chunk...)
		before = before[max(0, len(before)-memory):]
		if trap != nil && trap.action == CutRequest {
			return packet{}, false
		}
		c.proxy.mu.Lock()
		c.traffic.Sent += len(chunk)
		c.asked = true
		c.proxy.mu.Unlock()
		before, after := c.consequence(trap)
		return packet{bytes: chunk, before: before, after: after}, true
	}
}

// consequence is what happens just before and just after the text goes to the
// server.
func (c *conn) consequence(trap *Trap) (before, after func()) {
	switch {
	case trap == nil:
		return nothing, nothing
	case trap.action == CutSent:
		return func() { c.onAnswer(func() bool { return false }) }, c.cut // a server may be as fast as the cut
	case trap.action == CutReply:
		// The server goes through what it has got, and ends the connection when
		// it finds that there is no more.
		swallow := func() bool { _, _ = io.Copy(io.Discard, c.server); return false }
		return func() { c.onAnswer(swallow) }, func() { closeWrite(c.server) }
	case trap.action == Strand:
		c.stranded.Store(true)
		_ = c.client.Close()
		return func() { c.hold(trap) }, func() { closeWrite(c.server) }
	default: // HoldReply
		return func() { c.onAnswer(func() bool { return c.hold(trap) }) }, nothing
	}
}

func nothing() {}

func (c *conn) hold(trap *Trap) (deliver bool) {
	select {
	case <-trap.released:
		return true
	case <-c.gone:
		return false
	}
}

func (c *conn) onAnswer(do func() bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.answered = do
}

// fromServer counts what the server answers, and does what a trap wants.
func (c *conn) fromServer(chunk []byte) (packet, bool) {
	c.proxy.mu.Lock()
	c.traffic.Received += len(chunk)
	if c.asked {
		c.traffic.Turns++
		c.asked = false
	}
	c.proxy.mu.Unlock()

	c.mu.Lock()
	answered := c.answered
	c.mu.Unlock()
	return packet{bytes: chunk, before: nothing, after: nothing}, answered == nil || answered()
}
