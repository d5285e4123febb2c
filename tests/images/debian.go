package images

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
)

// ErrNotDebian is returned where something would have to be installed and this
// is not a Debian system, or the user is not root.
var ErrNotDebian = errors.New("this takes a Debian system and root")

// Install installs Debian packages, without what they only recommend, unless
// the command that they are wanted for is there. Who installs at the same time
// waits.
func Install(ctx context.Context, report func(string), command string, packages ...string) error {
	if _, err := exec.LookPath(command); err == nil {
		return nil
	}
	if _, err := os.Stat("/etc/debian_version"); err != nil || os.Geteuid() != 0 {
		return ErrNotDebian
	}
	unlock, err := lock(ctx, "apt")
	if err != nil {
		return err
	}
	defer unlock()
	if _, err := exec.LookPath(command); err == nil {
		return nil // somebody else has installed it meanwhile
	}
	report("installing " + strings.Join(packages, ", "))
	if err := run(ctx, "apt-get", "update"); err != nil {
		return err
	}
	return run(ctx, "apt-get", append([]string{
		"-o", "DPkg::Lock::Timeout=300", "install", "--yes", "--no-install-recommends",
	}, packages...)...)
}

// run returns the last lines of what a failed command wrote.
func run(ctx context.Context, name string, args ...string) error {
	return runWith(ctx, []string{"DEBIAN_FRONTEND=noninteractive", "LC_ALL=C.UTF-8"}, name, args...)
}

// runWith runs it with more in its environment.
func runWith(ctx context.Context, env []string, name string, args ...string) error {
	command := exec.CommandContext(ctx, name, args...)
	command.Env = append(os.Environ(), env...)
	out, err := command.CombinedOutput()
	if err == nil {
		return nil
	}
	lines := strings.Split(strings.TrimSpace(string(out)), "\n")
	return fmt.Errorf("%s: %w: %s", name, err, strings.Join(lines[max(0, len(lines)-12):], "\n"))
}
