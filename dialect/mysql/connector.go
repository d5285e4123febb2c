package mysql

import (
	"bytes"
	"context"
	"database/sql/driver"
	"encoding/binary"
	"fmt"
	"net"
	"slices"
	"sync/atomic"
	"syscall"

	godriver "github.com/go-sql-driver/mysql"

	"github.com/holdfast-go/holdfast/internal/backend"
)

// connector opens the driver's connections and gives each its wire.
type connector struct {
	settings *settings
	driver   driver.Connector
	// demoted counts how often a server has turned out to be no writer any more.
	demoted atomic.Int64
}

func newConnector(s *settings) (c *connector, err error) {
	c = &connector{settings: s}
	cfg := s.cfg.Clone()
	cfg.RejectReadOnly = s.rejectReadOnly && !s.readable // otherwise the wire does it
	if s.multiStatements {
		cfg.Params = nil // introduce sends them
	}
	if dial := dialerOf(s); dial != nil {
		cfg.DialFunc = func(ctx context.Context, network, addr string) (net.Conn, error) {
			conn, err := dial(ctx, network, addr)
			if err != nil {
				return nil, err
			}
			return greeted(conn, ctx), nil
		}
	}
	c.driver, err = godriver.NewConnector(cfg)
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
	demoted := c.demoted.Load()
	dc, err := c.driver.Connect(context.WithValue(ctx, greetingKey{}, &g))
	if err != nil {
		return nil, err
	}
	raw, ok := dc.(rawConn)
	if !ok {
		_ = dc.Close()
		return nil, fmt.Errorf("this version of go-sql-driver/mysql is not supported: %T lacks an interface", dc)
	}
	node, galera, err := c.introduce(ctx, raw)
	if err != nil {
		_ = dc.Close()
		return nil, err
	}
	if c.settings.node != nil && node != "" {
		c.settings.node.Store(&node)
	}
	conn := &conn{rawConn: raw, connector: c, demoted: demoted}
	if r, ok := repliesOf(raw); ok && c.settings.readable {
		conn.wire = &wire{
			raw: raw, replies: r, id: int64(g.id), node: node,
			apart: !c.settings.multiStatements || galera, inParts: c.settings.inParts, demoted: conn.demote,
			session: session{quotes: r.noBackslash(), blind: !g.tracks && c.settings.triggers},
			own:     counts{set: 1}, // introduce's, or the driver's

			positions: c.settings.positions, silent: !g.tracks,
		}
	} else {
		conn.wire = plain{backend.PlainWire(raw), c.settings.inParts}
	}
	return conn, nil
}

// introduce tells a new connection what all of them get, and asks which server it
// has reached, and in which sql_mode: the server's may be another than when the database was opened. One that takes several statements in a text is told and asked in one
// round trip; the others have been told by the driver.
func (c *connector) introduce(ctx context.Context, raw rawConn) (node string, galera bool, err error) {
	text := c.settings.identity
	if c.settings.multiStatements {
		text = "SET " + initial + " = " + c.settings.cfg.Params[initial]
		if c.settings.identity != "" {
			text += "; " + c.settings.identity
		}
	}
	if text == "" {
		return "", false, nil
	}
	rows, err := raw.QueryContext(ctx, text, nil)
	if err != nil || c.settings.identity == "" {
		if err == nil {
			err = rows.Close()
		}
		return "", false, err
	}
	row := make([]driver.Value, 3)
	err = rows.Next(row)
	if err == nil {
		node, galera = backend.Text(row[0]), backend.Integer(row[1]) != 0
		err = checkMode(backend.Text(row[2]))
	}
	if closeErr := rows.Close(); err == nil {
		err = closeErr
	}
	return node, galera, err
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
	wire      backend.Wire
	connector *connector
	demoted   int64 // connector.demoted when it was opened
}

// demote is called when the server turns out to be read-only: it was the writer
// when its connections were opened. Those that are left in the pool are not handed
// out again.
func (c *conn) demote() {
	if c.connector.settings.leaveReadOnly {
		c.connector.demoted.CompareAndSwap(c.demoted, c.demoted+1)
	}
}

// old reports whether another connection has found out that the server is
// read-only since this one was opened.
func (c *conn) old() bool { return c.connector.demoted.Load() > c.demoted }

// ResetSession is called when the pool hands the connection out again. It may
// be stale then, whether or not a statement of ours has run on it.
func (c *conn) ResetSession(ctx context.Context) error {
	if c.old() {
		return driver.ErrBadConn
	}
	if w, ok := c.wire.(*wire); ok {
		w.used = true
	}
	return c.rawConn.ResetSession(ctx)
}

// IsValid is asked when the pool gets the connection back. One whose session has
// changed is closed (rule B23).
func (c *conn) IsValid() bool {
	if c.old() {
		return false
	}
	if w, ok := c.wire.(*wire); ok {
		if w.reading {
			w.note("")
		}
		if w.changed {
			return false
		}
	}
	return c.rawConn.IsValid()
}

// greeting is what the server says first, in the clear also when TLS follows.
// The driver passes over the connection's number that is in it, and does not ask
// for the server's word that the session's state has changed.
type greeting struct {
	id     uint32
	tracks bool // the server has offered that word, and was asked for it
}

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
	greeting *greeting
	heard    []byte // what there is of it; it may come in pieces
	passed   bool
	offers   bool // the client's first packet is to ask for it
}

// Read implements net.Conn.
func (c *listeningConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if !c.passed && n > 0 {
		c.heard = append(c.heard, p[:n]...)
		if c.passed = whole(c.heard); c.passed {
			c.greeting.id, c.offers = readGreeting(c.heard)
			c.heard = nil
		}
	}
	return n, err
}

// Write implements net.Conn. The client's first packet, with which TLS would begin
// as well, has its capabilities behind the header.
func (c *listeningConn) Write(p []byte) (int, error) {
	const header, capabilities = 4, 4
	if c.offers && len(p) >= header+capabilities {
		c.offers, c.greeting.tracks = false, true
		asked := slices.Clone(p)
		asked[header+sessionTrack/8] |= 1 << (sessionTrack % 8)
		return c.Conn.Write(asked)
	}
	return c.Conn.Write(p)
}

// sessionTrack is the bit of CLIENT_SESSION_TRACK.
const sessionTrack = 23

// whole reports whether the first packet is there to its end.
func whole(packet []byte) bool {
	const header = 4
	return len(packet) >= header && len(packet) >= header+(int(packet[0])|int(packet[1])<<8|int(packet[2])<<16)
}

// readGreeting reads the server's first packet: four bytes of header, the
// protocol's version, the server's version up to a zero byte, the connection's
// number, eight bytes of a nonce, a zero byte, half of the capabilities, the
// character set, two bytes of status, the other half.
func readGreeting(packet []byte) (id uint32, tracks bool) {
	const header = 4
	if len(packet) <= header || packet[header] != 10 {
		return 0, false
	}
	end := bytes.IndexByte(packet[header+1:], 0)
	if end < 0 {
		return 0, false
	}
	rest := packet[header+1+end+1:]
	if len(rest) < 4 {
		return 0, false
	}
	id = binary.LittleEndian.Uint32(rest)
	const upper = 4 + 8 + 1 + 2 + 1 + 2
	return id, len(rest) > upper && rest[upper]&(1<<(sessionTrack-16)) != 0
}
