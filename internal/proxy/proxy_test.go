package proxy_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/holdfast-go/holdfast/internal/proxy"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// echo greets, answers each line with "ok LINE" in two writes, and says nothing
// to a line that begins with "quiet".
type echo struct {
	addr string
	mu   sync.Mutex
	seen []string
	news chan struct{} // one for each line
}

func newEcho(t *testing.T) *echo {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	e := &echo{addr: listener.Addr().String(), news: make(chan struct{}, 1000)}
	var running sync.WaitGroup
	running.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			running.Go(func() { e.serve(conn) })
		}
	})
	t.Cleanup(func() { _ = listener.Close(); running.Wait() })
	return e
}

func (e *echo) serve(conn net.Conn) {
	defer func() { _ = conn.Close() }()
	_, _ = io.WriteString(conn, "hello\n")
	for lines := bufio.NewScanner(conn); lines.Scan(); {
		e.mu.Lock()
		e.seen = append(e.seen, lines.Text())
		e.mu.Unlock()
		if !strings.HasPrefix(lines.Text(), "quiet") {
			_, _ = io.WriteString(conn, "ok ")
			_, _ = io.WriteString(conn, lines.Text()+"\n")
		}
		e.news <- struct{}{}
	}
}

func (e *echo) lines() []string {
	e.mu.Lock()
	defer e.mu.Unlock()
	return append([]string(nil), e.seen...)
}

type client struct {
	t *testing.T
	net.Conn
	in *bufio.Reader
}

func dial(t *testing.T, p *proxy.Proxy) *client {
	t.Helper()
	conn, err := net.Dial("tcp", p.Addr())
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close() })
	c := &client{t, conn, bufio.NewReader(conn)}
	require.Equal(t, "hello", c.line())
	return c
}

func (c *client) line() string {
	c.t.Helper()
	line, err := c.in.ReadString('\n')
	require.NoError(c.t, err)
	return strings.TrimSuffix(line, "\n")
}

func (c *client) send(text string) {
	c.t.Helper()
	_, err := io.WriteString(c, text)
	require.NoError(c.t, err)
}

func (c *client) ask(line string) string { c.t.Helper(); c.send(line + "\n"); return c.line() }

func (c *client) isCut() {
	c.t.Helper()
	_, err := c.in.ReadByte()
	assert.Error(c.t, err)
}

func TestTurnsAreCounted(t *testing.T) {
	t.Parallel()
	server := newEcho(t)
	p := proxy.New(t, server.addr)
	c := dial(t, p)
	assert.Equal(t, proxy.Traffic{Received: 6, Conns: 1}, p.Traffic(), "a greeting is no turn")

	turns := func(f func()) int { return p.During(f).Turns }
	assert.Equal(t, 3, turns(func() {
		for i := range 3 {
			c.ask(fmt.Sprint(i))
		}
	}), "an answer in two packets is one turn")
	assert.Equal(t, 1, turns(func() { c.send("in two "); c.ask("packets") }))
	assert.Equal(t, 0, turns(func() { c.send("quiet\n"); <-server.news }))
	assert.Equal(t, 1, turns(func() { c.send("quiet\n"); c.ask("then a question") }))
	assert.Equal(t, 0, turns(func() { dial(t, p) }))

	require.NoError(t, c.Close())
	traffic := p.During(func() {})
	assert.Equal(t, proxy.Traffic{}, traffic, "what ended connections carried still counts")
	assert.Equal(t, 2, p.Traffic().Conns)
}

func TestTraps(t *testing.T) {
	t.Parallel()
	setup := func(t *testing.T) (*echo, *proxy.Proxy, *client) {
		t.Parallel()
		server := newEcho(t)
		p := proxy.New(t, server.addr)
		c := dial(t, p)
		c.ask("begin")
		return server, p, c
	}
	t.Run("CutRequest", func(t *testing.T) {
		server, p, c := setup(t)
		trap := p.On("COMMIT", proxy.CutRequest)
		c.send("commit\n")
		<-trap.Hit()
		c.isCut()
		assert.Equal(t, []string{"begin"}, server.lines())
		assert.Equal(t, "ok commit", dial(t, p).ask("commit"), "a trap acts once")
		assert.Equal(t, 1, trap.Hits())
	})
	t.Run("CutRequest in two packets", func(t *testing.T) {
		server, p, c := setup(t)
		p.On("commit", proxy.CutRequest)
		traffic := p.Traffic().Sent
		c.send("com")
		assert.Eventually(t, func() bool { return p.Traffic().Sent == traffic+3 }, 5*time.Second, time.Millisecond)
		c.send("mit\n")
		c.isCut()
		assert.Equal(t, []string{"begin"}, server.lines()[:1])
		assert.NotContains(t, server.lines(), "commit")
	})
	t.Run("CutReply", func(t *testing.T) {
		server, p, c := setup(t)
		p.On("commit", proxy.CutReply)
		c.send("commit\n")
		c.isCut()
		assert.Equal(t, []string{"begin", "commit"}, server.lines())
	})
	t.Run("CutReply of several answers", func(t *testing.T) {
		server, p, c := setup(t)
		p.On("commit", proxy.CutReply)
		c.send("mark\ncommit\nand more\n")
		c.isCut()
		assert.Equal(t, []string{"begin", "mark", "commit", "and more"}, server.lines())
	})
	t.Run("CutSent", func(t *testing.T) {
		_, p, c := setup(t)
		p.On("commit", proxy.CutSent)
		c.send("quiet commit\n")
		c.isCut()
	})
	t.Run("HoldReply", func(t *testing.T) {
		server, p, c := setup(t)
		<-server.news
		trap := p.On("commit", proxy.HoldReply)
		c.send("commit\n")
		<-server.news
		require.NoError(t, c.SetReadDeadline(time.Now().Add(50*time.Millisecond)))
		_, err := c.in.Peek(1)
		assert.ErrorIs(t, err, os.ErrDeadlineExceeded)
		trap.Release()
		require.NoError(t, c.SetReadDeadline(time.Time{}))
		assert.Equal(t, "ok commit", c.line())
		assert.Equal(t, "ok on", c.ask("on"))
	})
	t.Run("HoldReply and the client gives up", func(t *testing.T) {
		_, p, c := setup(t)
		trap := p.On("commit", proxy.HoldReply)
		c.send("commit\n")
		<-trap.Hit()
		require.NoError(t, c.Close())
		require.NoError(t, p.Close())
	})
	t.Run("Strand", func(t *testing.T) {
		server, p, c := setup(t)
		<-server.news
		trap := p.On("commit", proxy.Strand)
		c.send("commit\n")
		c.isCut()
		assert.Equal(t, "ok meanwhile", dial(t, p).ask("meanwhile"))
		<-server.news
		assert.Equal(t, []string{"begin", "meanwhile"}, server.lines())
		trap.Release()
		<-server.news
		assert.Equal(t, []string{"begin", "meanwhile", "commit"}, server.lines())
	})
	t.Run("Next", func(t *testing.T) {
		server, p, c := setup(t)
		p.Next(proxy.CutRequest)
		c.send("whatever\n")
		c.isCut()
		assert.Equal(t, []string{"begin"}, server.lines())
	})
	t.Run("what came before is not seen again", func(t *testing.T) {
		_, p, c := setup(t)
		c.ask(strings.Repeat("\xff", 100) + "commit")
		trap := p.On("commit", proxy.CutRequest)
		c.ask("begin")
		assert.Zero(t, trap.Hits())
	})
	t.Run("Watch", func(t *testing.T) {
		_, p, c := setup(t)
		trap := p.On("savepoint", proxy.Watch)
		c.ask("SAVEPOINT a; savepoint b")
		c.ask("begin")
		c.ask("Savepoint c")
		assert.Equal(t, 3, trap.Hits())
	})
}

func TestCut(t *testing.T) {
	t.Parallel()
	p := proxy.New(t, newEcho(t).addr)
	first, second := dial(t, p), dial(t, p)
	p.Cut()
	first.isCut()
	second.isCut()
	assert.Equal(t, "ok again", dial(t, p).ask("again"))
}

func TestRefuse(t *testing.T) {
	t.Parallel()
	p := proxy.New(t, newEcho(t).addr)
	before := dial(t, p)
	p.Refuse(true)
	conn, err := net.Dial("tcp", p.Addr())
	require.NoError(t, err)
	defer func() { _ = conn.Close() }()
	_, err = conn.Read(make([]byte, 1))
	assert.Error(t, err)
	assert.Equal(t, "ok still", before.ask("still"))
	p.Refuse(false)
	assert.Equal(t, "ok again", dial(t, p).ask("again"))
}

func TestServerGone(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	require.NoError(t, listener.Close())
	p := proxy.New(t, listener.Addr().String())
	conn, err := net.Dial("tcp", p.Addr())
	require.NoError(t, err)
	defer func() { _ = conn.Close() }()
	_, err = conn.Read(make([]byte, 1))
	assert.Error(t, err)
}

func TestLatency(t *testing.T) {
	t.Parallel()
	const each = 300 * time.Millisecond
	p := proxy.New(t, newEcho(t).addr)
	c := dial(t, p)
	p.SetLatency(each)

	began := time.Now()
	c.ask("one")
	assert.GreaterOrEqual(t, time.Since(began), 2*each)

	began = time.Now()
	for i := range 100 {
		c.send(fmt.Sprintln(i))
	}
	for i := range 100 {
		assert.Equal(t, fmt.Sprintf("ok %d", i), c.line())
	}
	assert.Less(t, time.Since(began), 100*each, "what is sent together travels together")
}

func TestCloseEndsOpenConnections(t *testing.T) {
	t.Parallel()
	p, err := proxy.Listen(newEcho(t).addr)
	require.NoError(t, err)
	c := dial(t, p)
	p.SetLatency(time.Hour)
	c.send("never arrives\n")
	require.NoError(t, p.Close())
	c.isCut()
	require.NoError(t, p.Close())
}
