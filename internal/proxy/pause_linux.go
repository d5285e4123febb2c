package proxy

import (
	"syscall"
	"time"
)

// pause waits in the kernel. A signal ends it early.
func pause(d time.Duration) {
	t := syscall.NsecToTimespec(d.Nanoseconds())
	_ = syscall.Nanosleep(&t, nil)
}
