package images

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path"
	"strings"
)

// mirror returns the address of the Debian mirror that this system installs
// its own packages from; HOLDFAST_DEBIAN_MIRROR overrides it.
func mirror(ctx context.Context) (string, error) {
	if address := os.Getenv("HOLDFAST_DEBIAN_MIRROR"); address != "" {
		return address, nil
	}
	out, err := exec.CommandContext(ctx, "apt-get", "indextargets",
		"--format", "$(RELEASE) $(COMPONENT) $(REPO_URI)", "Created-By: Packages").Output()
	if err != nil {
		return "", fmt.Errorf("asking apt for its mirror: %w", err)
	}
	return pickMirror(string(out))
}

// pickMirror chooses from lines of "release component address" the one of
// Debian's main archive. Security updates and other vendors' repositories lack
// the suites that the images are built from.
func pickMirror(targets string) (string, error) {
	var second string
	for line := range strings.Lines(targets) {
		fields := strings.Fields(line)
		if len(fields) != 3 || fields[1] != "main" || strings.ContainsAny(fields[0], "-/") {
			continue
		}
		address := fields[2]
		if path.Base(address) == "debian" {
			return address, nil
		}
		if second == "" {
			second = address // a mirror by another name, or apt's list of mirrors
		}
	}
	if second == "" {
		return "", errors.New("apt is set up without a mirror of Debian's main archive; set HOLDFAST_DEBIAN_MIRROR to one")
	}
	return second, nil
}

// aptSettings returns how this system's apt reaches its mirrors (proxies
// and retries), in the syntax of apt.conf, for the apt that fills the image.
func aptSettings(ctx context.Context) (string, error) {
	out, err := exec.CommandContext(ctx, "apt-config", "dump", "--no-empty", "--format", "%f \"%v\";%n",
		"Acquire::http", "Acquire::https", "Acquire::Retries").Output()
	if err != nil {
		return "", fmt.Errorf("reading apt's configuration: %w", err)
	}
	// Old suites are no longer re-signed, and a mirror may lag behind sid's
	// date. A machine's clock may, too.
	return string(out) + "Acquire::Check-Valid-Until \"false\";\nAcquire::Check-Date \"false\";\n", nil
}
