//go:build unix

package main

import (
	"os/exec"
	"syscall"
)

// ownGroup has the command and all that it starts in one process group, so that
// an interrupted "go test" leaves no test binary running.
func ownGroup(command *exec.Cmd) (kill func()) {
	command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	command.Cancel = func() error { return syscall.Kill(-command.Process.Pid, syscall.SIGINT) }
	return func() { _ = syscall.Kill(-command.Process.Pid, syscall.SIGKILL) }
}
