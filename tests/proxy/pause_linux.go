package proxy

import (
	"time"

	"golang.org/x/sys/unix"
)

// pause waits in the kernel. A signal ends it early.
func pause(d time.Duration) {
	t := unix.NsecToTimespec(d.Nanoseconds())
	_ = unix.Nanosleep(&t, nil)
}
