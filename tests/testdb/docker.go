package testdb

import (
	"context"
	"fmt"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/moby/moby/client"
	"github.com/testcontainers/testcontainers-go"
	tclog "github.com/testcontainers/testcontainers-go/log"
)

// NoDockerError says that no Docker engine answers.
type NoDockerError struct {
	Host  string // what was asked; "" for the usual places
	Cause error
}

func (e *NoDockerError) Error() string {
	at := ""
	if e.Host != "" {
		at = " at DOCKER_HOST=" + e.Host
	}
	return "no Docker engine answers" + at + ": start one, or name running servers in " +
		"HOLDFAST_TEST_MYSQL, HOLDFAST_TEST_MARIADB and HOLDFAST_TEST_POSTGRES, or run \"make test-sqlite\", which needs none"
}

func (e *NoDockerError) Unwrap() error { return e.Cause }

// Docker returns a client of the Docker engine that servers are started on, or
// a *NoDockerError.
func Docker(ctx context.Context) (*testcontainers.DockerClient, error) {
	prepare()
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	// testcontainers would turn to the local engine if DOCKER_HOST names one
	// that does not answer; somebody who sets it does not mean that.
	if host := os.Getenv("DOCKER_HOST"); host != "" {
		if err := Ping(ctx); err != nil {
			return nil, &NoDockerError{Host: host, Cause: err}
		}
	}
	docker, err := testcontainers.NewDockerClientWithOpts(ctx)
	if err != nil {
		return nil, &NoDockerError{Cause: err}
	}
	return docker, nil
}

// Ping asks for an answer of the Docker engine that DOCKER_HOST names, or of
// the one in its usual place. Unlike [Docker] it looks nowhere else, and a later
// call sees an engine that has been started meanwhile.
func Ping(ctx context.Context) error {
	docker, err := client.New(client.FromEnv)
	if err != nil {
		return err
	}
	defer func() { _ = docker.Close() }()
	_, err = docker.Ping(ctx, client.PingOptions{})
	return err
}

// prepare sets testcontainers up before it reads its settings, which it does
// once in a process.
var prepare = sync.OnceFunc(func() {
	// Its banner is noise in test output and in an example's.
	tclog.SetDefault(tclog.NewNoopLogger())
	// Its reaper is an image of its own, which a machine without a registry
	// cannot have. The lifeline does the same work.
	_ = os.Setenv("TESTCONTAINERS_RYUK_DISABLED", "true")
})

// isLocal reports whether containers run on this machine.
func isLocal(docker *testcontainers.DockerClient) bool {
	host := docker.DaemonHost()
	return strings.HasPrefix(host, "unix:") || strings.HasPrefix(host, "npipe:")
}

// remove kills and removes a container, and waits until it is gone.
func remove(ctx context.Context, docker *testcontainers.DockerClient, id string) error {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	_, err := docker.ContainerRemove(ctx, id, client.ContainerRemoveOptions{Force: true, RemoveVolumes: true})
	for {
		if _, gone := docker.ContainerInspect(ctx, id, client.ContainerInspectOptions{}); isNotFound(gone) {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("removing container %.12s: %w", id, err)
		case <-time.After(50 * time.Millisecond):
		}
	}
}
