package proxy

import (
	"errors"
	"net"
	"slices"
	"sync"
	"testing"
	"time"
)

// Proxy forwards the connections that it accepts to one server.
type Proxy struct {
	listener net.Listener
	upstream string
	running  sync.WaitGroup

	mu      sync.Mutex
	conns   []*conn // those that are open
	traps   []*Trap // those that have not acted yet
	latency time.Duration
	total   Traffic // of the connections that have ended
	refuses bool
	refused int
	closed  bool
}

// New starts a proxy in front of the server at upstream, a host and port. It
// ends with the test.
func New(t testing.TB, upstream string) *Proxy {
	t.Helper()
	p, err := Listen(upstream)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.Close() })
	return p
}

// Listen starts a proxy on a free port of the loopback interface.
func Listen(upstream string) (*Proxy, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	p := &Proxy{listener: listener, upstream: upstream}
	p.running.Go(p.accept)
	return p, nil
}

// Addr is the host and port to connect to.
func (p *Proxy) Addr() string { return p.listener.Addr().String() }

// Close cuts every connection, and returns when nothing of the proxy runs any
// more.
func (p *Proxy) Close() error {
	p.mu.Lock()
	p.closed = true
	p.mu.Unlock()
	err := p.listener.Close()
	p.Cut()
	p.running.Wait()
	if errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}

// Cut cuts the connections that are open now. New ones are accepted.
func (p *Proxy) Cut() {
	p.mu.Lock()
	conns := slices.Clone(p.conns)
	p.mu.Unlock()
	for _, c := range conns {
		c.cut()
	}
}

// Refuse closes new connections at once, as if the server were down, or accepts
// them again.
func (p *Proxy) Refuse(all bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.refuses = all
}

// SetLatency delays what travels from now on, in each direction; a round trip
// takes twice as long. What is on its way keeps its delay and its order.
func (p *Proxy) SetLatency(each time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.latency = each
}

func (p *Proxy) accept() {
	for {
		client, err := p.listener.Accept()
		if err != nil {
			return // closed
		}
		p.running.Go(func() { p.serve(client) })
	}
}

func (p *Proxy) serve(client net.Conn) {
	if p.refusing() {
		_ = client.Close()
		return
	}
	server, err := net.DialTimeout("tcp", p.upstream, 5*time.Second)
	if err != nil {
		_ = client.Close() // as the server would: refused
		return
	}
	c := newConn(p, client, server)
	if !p.add(c) {
		c.cut()
	}
	c.run()
	p.remove(c)
}

func (p *Proxy) refusing() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.refuses {
		p.refused++
	}
	return p.refuses
}

// Refused counts the connections that Refuse has turned away.
func (p *Proxy) Refused() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.refused
}

func (p *Proxy) add(c *conn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.conns = append(p.conns, c)
	return !p.closed
}

func (p *Proxy) remove(c *conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.conns = slices.DeleteFunc(p.conns, func(open *conn) bool { return open == c })
	p.total = p.total.plus(c.traffic)
}
