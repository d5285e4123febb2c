package proxy

import (
	"runtime"
	"time"
)

// A timer of the runtime may fire a millisecond late while the program does
// nothing else, and a pause in the kernel a tenth of that. Latencies are of the
// same size, and every packet would be late by as much, so the last bit of a wait
// is left to what is more exact.
const (
	lateTimer = 1500 * time.Microsecond
	latePause = 100 * time.Microsecond
)

// waitUntil returns when the time has come, or with false when the connection is gone.
func (c *conn) waitUntil(due time.Time) bool {
	if wait := time.Until(due) - lateTimer; wait > 0 {
		timer := time.NewTimer(wait)
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-c.gone:
			return false
		}
	}
	if wait := time.Until(due) - latePause; wait > 0 {
		pause(wait)
	}
	for time.Now().Before(due) {
		runtime.Gosched()
	}
	return true
}
