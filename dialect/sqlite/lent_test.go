package sqlite

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"
	modernc "modernc.org/sqlite"

	"github.com/holdfast-go/holdfast/internal/backend"
)

// faulty opens connections that fail at a text.
type faulty struct{ name, at string }

func (f *faulty) Driver() driver.Driver { return &modernc.Driver{} }

func (f *faulty) Connect(context.Context) (driver.Conn, error) {
	c, err := f.Driver().Open(f.name)
	if err != nil {
		return nil, err
	}
	return &faultyConn{c.(rawConn), f}, nil
}

type faultyConn struct {
	rawConn
	of *faulty
}

func (c *faultyConn) PrepareContext(ctx context.Context, query string) (driver.Stmt, error) {
	if query == c.of.at {
		return nil, errFaulty
	}
	return c.rawConn.PrepareContext(ctx, query)
}

var errFaulty = errors.New("asked for")

// A pool that was lent closes its connections without this package: one that is lost
// must not keep the turn to write.
func TestS06_ALostConnectionOfALentPoolKeepsNoTurn(t *testing.T) {
	for _, at := range []string{"COMMIT", "ROLLBACK"} {
		t.Run(at, func(t *testing.T) {
			broken := &faulty{name: "file:" + file(t) + "?_pragma=busy_timeout(50)"}
			pool := sql.OpenDB(broken)
			defer func() { require.NoError(t, pool.Close()) }()
			db, err := backend.Connect(t.Context(), From(pool))
			require.NoError(t, err)
			u := connect(t, db)
			u.must("CREATE TABLE t (a)")
			require.NoError(t, u.begin(backend.TxOptions{}, "INSERT INTO t VALUES (1)"))
			broken.at = at
			if at == "COMMIT" {
				require.ErrorIs(t, u.wire.Commit(t.Context(), nil), errFaulty)
			}
			if err := u.wire.Rollback(t.Context(), nil); at == "ROLLBACK" {
				require.ErrorIs(t, err, errFaulty)
				require.False(t, u.wire.Alive())
			}
			u.discard()
			broken.at = ""
			connect(t, db).must("INSERT INTO t VALUES (2)")
		})
	}
}
