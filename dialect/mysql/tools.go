package mysql

import (
	"context"
	"crypto/sha256"
	"database/sql/driver"
	"encoding/hex"

	"github.com/holdfast-go/holdfast/internal/backend"
)

// toolConnector opens connections that are set up as the pool's are, without a wire.
type toolConnector struct{ *connector }

// Connect implements driver.Connector.
func (c toolConnector) Connect(ctx context.Context) (driver.Conn, error) {
	opened, err := c.connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	if own, ok := opened.(*conn); ok {
		return own.rawConn, nil
	}
	return opened, nil
}

// ProcessLock implements backend.ProcessLocker with GET_LOCK, which belongs to the
// session (MySQL manual, "Locking Functions"; rule M2). IS_USED_LOCK names the
// connection that has it.
func (e *engine) ProcessLock(name string) (backend.ProcessLock, error) {
	sum := sha256.Sum256([]byte(name))
	const lock = "CONCAT('hfm:', LEFT(SHA2(CONCAT(COALESCE(DATABASE(), ''), ':', ?), 256), 60))"
	return backend.ProcessLock{
		Try:  "SELECT GET_LOCK(" + lock + ", 0) = 1",
		Held: "SELECT IS_USED_LOCK(" + lock + ") = CONNECTION_ID()",
		Args: []any{hex.EncodeToString(sum[:])},
		End:  "DO RELEASE_ALL_LOCKS()",
	}, nil
}
