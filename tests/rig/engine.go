package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/holdfast-go/holdfast/tests/images"
	"github.com/holdfast-go/holdfast/tests/testdb"
)

// haveDocker makes sure that a Docker engine answers. Where none is set up, and
// this is Debian and root, it installs and starts one.
func haveDocker(ctx context.Context) error {
	if testdb.Ping(ctx) == nil {
		return nil
	}
	_, notDebian := os.Stat("/etc/debian_version")
	if os.Getenv("DOCKER_HOST") != "" || notDebian != nil || os.Geteuid() != 0 {
		docker, err := testdb.Docker(ctx) // knows more places; its error says what to do
		if err != nil {
			return err
		}
		return docker.Close()
	}
	if _, missing := exec.LookPath("dockerd"); missing != nil {
		say("no Docker engine here")
		if err := images.Install(ctx, report, "dockerd", "docker.io", "ca-certificates"); err != nil {
			return err
		}
		if waitForDocker(ctx, 5*time.Second) == nil {
			return nil // installing it has started it
		}
	}
	return startDocker(ctx)
}

// startDocker starts the installed engine, as a service where there is a
// service manager and by itself in a plain container. It stays up.
func startDocker(ctx context.Context) error {
	say("starting the Docker engine")
	if _, err := os.Stat("/run/systemd/system"); err == nil {
		if err := exec.CommandContext(ctx, "systemctl", "start", "docker").Run(); err == nil {
			return waitForDocker(ctx, time.Minute)
		}
	}
	log := filepath.Join(os.TempDir(), "holdfast-dockerd.log")
	file, err := os.Create(log)
	if err != nil {
		return err
	}
	defer func() { _ = file.Close() }()
	daemon := exec.Command("setsid", "--fork", "dockerd") // survives the rig
	daemon.Stdout, daemon.Stderr = file, file
	if err := daemon.Run(); err != nil {
		return fmt.Errorf("starting dockerd: %w", err)
	}
	if err := waitForDocker(ctx, time.Minute); err != nil {
		text, _ := os.ReadFile(log)
		return fmt.Errorf("%w; dockerd, started just now, wrote to %s: %s", err, log, lastLine(text))
	}
	return nil
}

func waitForDocker(ctx context.Context, limit time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	for {
		err := testdb.Ping(ctx)
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(200 * time.Millisecond):
		}
	}
}

func lastLine(text []byte) string {
	text = bytes.TrimSpace(text)
	return string(text[bytes.LastIndexByte(text, '\n')+1:])
}
