package mysql

import (
	"bytes"
	"context"
	"net"
	"testing"

	godriver "github.com/go-sql-driver/mysql"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/internal/backend"
	"github.com/holdfast-go/holdfast/internal/testserver"
)

// relayed is a connection behind something that hands on the greeting in its own way.
type relayed struct {
	net.Conn
	pieces  bool // a byte at a time
	strip   bool // without the offer to tell of the session's state
	greeted bool
}

func (c *relayed) Read(p []byte) (int, error) {
	if c.pieces {
		p = p[:min(len(p), 1)]
	}
	n, err := c.Conn.Read(p)
	if c.strip && !c.greeted && n > 5 {
		c.greeted = true
		rest := p[5:n]
		p[5+bytes.IndexByte(rest, 0)+1+18] &^= 1 << (sessionTrack - 16)
	}
	return n, err
}

func (c *relayed) Write(p []byte) (int, error) {
	c.pieces = false
	return c.Conn.Write(p)
}

// Where a commit stands is in the server's answer only if that was asked for when the
// connection was opened. Otherwise it is a question of its own, and not "nothing was
// committed".
func TestR04_WhereTheServerWasNotAskedToTell(t *testing.T) {
	each(t, func(t *testing.T, db testserver.Database) {
		admin(t, db, "CREATE TABLE item (id INT PRIMARY KEY)",
			"CREATE TRIGGER greek AFTER UPDATE ON item FOR EACH ROW SET character_set_results = 'gbk'")
		dial := func(c relayed) Dialer {
			return func(ctx context.Context, network, addr string) (net.Conn, error) {
				conn, err := new(net.Dialer).DialContext(ctx, network, addr)
				c := c
				c.Conn = conn
				return &c, err
			}
		}
		cfg, err := godriver.ParseDSN(db.DSN)
		require.NoError(t, err)
		addr := cfg.Addr
		godriver.RegisterDialContext(db.Name, func(ctx context.Context, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "tcp", addr)
		})
		defer godriver.DeregisterDialContext(db.Name)
		cfg.Net = db.Name
		for name, c := range map[string]struct {
			db   *backend.Database
			told bool
		}{
			"as it is":                {open(t, db.DSN), true},
			"a dialer":                {open(t, db.DSN, WithDialer(dial(relayed{}))), true},
			"in pieces":               {open(t, db.DSN, WithDialer(dial(relayed{pieces: true}))), true},
			"behind a proxy":          {open(t, db.DSN, WithDialer(dial(relayed{strip: true}))), false},
			"by a registered network": {open(t, cfg.FormatDSN()), false},
		} {
			w := take(t, c.db).(*wire)
			w.positions = &positions{kind: "my-", track: "DO 0", own: "SELECT 'asked'"}
			track := w.Tell(true)
			assert.Equal(t, c.told, len(track) > 0, name)
			exec(t, w, append(track, "BEGIN"), "INSERT INTO item VALUES (1)")
			w.Tell(true)
			require.NoError(t, w.Commit(t.Context(), nil))
			token, err := w.Position(t.Context())
			require.NoError(t, err)
			assert.Equal(t, map[bool]string{true: "", false: "my-asked"}[c.told], token, name)
			exec(t, w, nil, "UPDATE item SET id = 3 WHERE id = 1")
			_, err = w.Exec(t.Context(), nil, "INSERT INTO item VALUES (?)", []any{"4"})
			require.ErrorIs(t, err, errSession, "%s: a trigger has changed it", name)
			w = take(t, c.db).(*wire)
			exec(t, w, nil, "SET time_zone = '+01:00'")
			assert.Equal(t, c.told, w.changed, name)
			if name != "by a registered network" {
				assert.NotZero(t, w.ID(), name)
			}
			admin(t, db, "DELETE FROM item")
		}
	})
}
