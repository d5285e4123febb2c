package testdb

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/holdfast-go/holdfast/internal/testserver"
)

// startLimit bounds the start of a server whose image is there.
const startLimit = 2 * time.Minute

// Server is a running database server.
type Server struct {
	*testserver.Server
	// Image is what its container was made from; "" for a server that was
	// named in the environment.
	Image string

	container string
	close     func() error
}

// Start starts a server of its own in a container, with an empty database for
// the caller. Close it: until then, or until this process ends, it runs.
//
// The error is a *[NoDockerError] where no Docker engine answers; otherwise it
// says why no image can be had or shows what the server wrote before it
// stopped.
func Start(ctx context.Context, engine Engine, opts ...Option) (*Server, error) {
	o := gather(engine, opts)
	if _, ok := kinds[engine]; !ok {
		return nil, fmt.Errorf("%s is not a server", engine)
	}
	docker, err := Docker(ctx)
	if err != nil {
		return nil, err
	}
	image, err := chooseImage(ctx, docker, engine, o)
	if err != nil {
		_ = docker.Close()
		return nil, err
	}
	ctx, cancel := context.WithTimeoutCause(ctx, startLimit, fmt.Errorf("not ready after %s", startLimit))
	defer cancel()
	held, reached, err := launch(ctx, docker, engine, image, o)
	if err != nil {
		_ = docker.Close()
		return nil, fmt.Errorf("starting %s (%s): %w", engine, image, err)
	}
	server := &Server{Server: reached, Image: image, container: held.id, close: sync.OnceValue(held.Close)}
	err = server.Home(ctx, "holdfast")
	if err == nil && engine == Postgres {
		err = quickLogin(ctx, server.DSN)
	}
	if err != nil {
		_ = server.Close()
		return nil, fmt.Errorf("starting %s (%s): %w", engine, image, err)
	}
	return server, nil
}

// Close kills the server, as a power cut would, and removes its container. A
// test that wants a server to die calls it early; a second call does nothing.
func (s *Server) Close() error {
	s.Gone()
	return s.close()
}

// Container returns the id of the server's container; "" for a server that was
// named in the environment.
func (s *Server) Container() string { return s.container }
