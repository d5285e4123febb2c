package postgres

import (
	"database/sql/driver"
	"time"
)

// idleCheck is for how long a connection may lie in the pool without being
// looked at when it is taken out.
const idleCheck = time.Second

// reuse is called when the pool hands the connection out again. One that has
// lain for a while is looked at, without a round trip: a server that has closed
// it has said so, and nothing has been sent on it, so database/sql may take
// another.
func (w *wire) reuse() error {
	w.used = true // whatever it was opened for: it has lain in the pool since
	now := time.Now()
	idle := now.Sub(w.reused)
	w.reused = now
	if idle < idleCheck {
		return nil
	}
	//nolint:staticcheck // Ping, which is said to be better, is a round trip
	if err := w.conn.CheckConn(); err != nil {
		return driver.ErrBadConn
	}
	return nil
}
