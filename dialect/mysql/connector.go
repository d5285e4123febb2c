package mysql

import (
	"context"
	"database/sql/driver"
	"fmt"
	"net"
	"syscall"

	godriver "github.com/go-sql-driver/mysql"

	"github.com/holdfast-go/holdfast/internal/backend"
)

// connector opens the driver's connections and gives each its wire.
type connector struct {
	settings *settings
	driver   driver.Connector
}

func newConnector(s *settings) (*connector, error) {
	c := &connector{settings: s}
	cfg := s.cfg.Clone()
	cfg.RejectReadOnly = s.leaveReadOnly && !s.together // otherwise the wire does it
	if dial := dialerOf(s); dial != nil {
		cfg.DialFunc = func(ctx context.Context, network, addr string) (net.Conn, error) {
			conn, err := dial(ctx, network, addr)
			if err != nil {
				return nil, err
			}
			return greeted(conn, ctx), nil
		}
	}
	inner, err := godriver.NewConnector(cfg)
	c.driver = inner
	return c, err
}

// dialerOf returns nil for a network that the application has registered with
// the driver: only the driver knows its dialer.
func dialerOf(s *settings) func(ctx context.Context, network, addr string) (net.Conn, error) {
	if s.dial != nil {
		return s.dial
	}
	switch s.cfg.Net {
	case "tcp", "tcp4", "tcp6", "unix":
		return new(net.Dialer).DialContext
	}
	return nil
}

// Connect implements driver.Connector.
func (c *connector) Connect(ctx context.Context) (driver.Conn, error) {
	var g greeting
	dc, err := c.driver.Connect(context.WithValue(ctx, greetingKey{}, &g))
	if err != nil {
		return nil, err
	}
	raw, ok := dc.(rawConn)
	if !ok {
		_ = dc.Close()
		return nil, fmt.Errorf("this version of go-sql-driver/mysql is not supported: %T lacks an interface", dc)
	}
	conn := &conn{rawConn: raw}
	if r, ok := repliesOf(raw); ok && c.settings.together {
		conn.wire = &wire{raw: raw, replies: r, id: int64(g.id), leaveReadOnly: c.settings.leaveReadOnly}
	} else {
		conn.wire = backend.PlainWire(raw)
	}
	return conn, nil
}

// Driver implements driver.Connector.
func (c *connector) Driver() driver.Driver { return c.driver.Driver() }

// rawConn is what the driver's connections can do.
type rawConn interface {
	driver.Conn
	driver.ConnBeginTx
	driver.ConnPrepareContext
	driver.ExecerContext
	driver.QueryerContext
	driver.NamedValueChecker
	driver.Pinger
	driver.SessionResetter
	driver.Validator
}

// conn is a connection of the driver with the wire that lives as long.
type conn struct {
	rawConn
	wire backend.Wire
}

// ResetSession is called when the pool hands the connection out again. It may
// be stale then, whether or not a statement of ours has run on it.
func (c *conn) ResetSession(ctx context.Context) error {
	if w, ok := c.wire.(*wire); ok {
		w.used = true
	}
	return c.rawConn.ResetSession(ctx)
}

// greeting is what the server says first, in the clear also when TLS follows.
// The driver passes over the connection's number that is in it.
type greeting struct{ id uint32 }

type greetingKey struct{}

// greeted lets the greeting be read as it passes by.
func greeted(c net.Conn, ctx context.Context) net.Conn { //nolint:revive // ctx only carries the greeting
	g, ok := ctx.Value(greetingKey{}).(*greeting)
	if !ok {
		return c
	}
	listener := &listeningConn{Conn: c, greeting: g}
	if sc, ok := c.(syscall.Conn); ok {
		return &listeningSocket{listeningConn: listener, Conn: sc}
	}
	return listener
}

// listeningSocket keeps what the driver needs to see whether an idle connection
// is still open.
type listeningSocket struct {
	*listeningConn
	syscall.Conn
}

type listeningConn struct {
	net.Conn
	greeting *greeting // nil once it has passed by
}

// Read implements net.Conn.
func (c *listeningConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if c.greeting != nil && n > 0 {
		c.greeting.id = connectionID(p[:n])
		c.greeting = nil
	}
	return n, err
}

// connectionID reads the connection's number in the server's first packet: four
// bytes of header, the protocol's version, the server's version up to a zero
// byte, the number. It is 0 if the packet did not come in one piece.
func connectionID(packet []byte) uint32 {
	const header = 4
	if len(packet) <= header || packet[header] != 10 {
		return 0
	}
	for i := header + 1; i+4 < len(packet); i++ {
		if packet[i] == 0 {
			return uint32(packet[i+1]) | uint32(packet[i+2])<<8 | uint32(packet[i+3])<<16 | uint32(packet[i+4])<<24
		}
	}
	return 0
}
