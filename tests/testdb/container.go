package testdb

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"net"
	"net/netip"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/moby/moby/api/pkg/stdcopy"
	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/api/types/network"
	"github.com/moby/moby/client"
	"github.com/testcontainers/testcontainers-go"

	"github.com/holdfast-go/holdfast/internal/testserver"
)

// lifeline is the first process of every container. It runs the server and
// reads standard input, which the process that started the container holds
// open and never writes to. When that process ends, by whatever way, Docker
// closes the input, the server is killed and the container removed: nothing is
// left behind by a test that panics, times out or is killed itself.
const lifeline = `exec 3<&0
"$@" 3<&- &
server=$!
{ cat <&3 >/dev/null; kill -KILL $server; } &
exec 3<&-
wait $server`

// holder is a container and the connection that keeps it alive.
type holder struct {
	docker   *testcontainers.DockerClient
	id       string
	lifeline client.HijackedResponse
}

func (h *holder) Close() error {
	if h.lifeline.Conn != nil {
		h.lifeline.Close()
	}
	err := remove(context.Background(), h.docker, h.id)
	_ = h.docker.Close()
	return err
}

// launch starts a container of image and returns when its server answers.
func launch(ctx context.Context, docker *testcontainers.DockerClient, engine Engine, image string, o options) (_ *holder, _ *testserver.Server, err error) {
	kind := kinds[engine]
	inspected, err := docker.ImageInspect(ctx, image)
	if err != nil {
		return nil, nil, err
	}
	held := &holder{docker: docker}
	env := maps.Clone(kind.env)
	if o.zone != "" {
		env["TZ"] = o.zone
	}

	request := testcontainers.ContainerRequest{
		Image:        image,
		Entrypoint:   append([]string{"sh", "-c", lifeline, "sh"}, inspected.Config.Entrypoint...),
		Cmd:          append(append(append([]string{}, inspected.Config.Cmd...), kind.flags...), o.flags...),
		Env:          env,
		Tmpfs:        map[string]string{kind.data: "rw"},
		ExposedPorts: []string{kind.port + "/tcp"},
		Labels:       map[string]string{"holdfast.test": string(engine), "holdfast.run": os.Getenv("HOLDFAST_RUN")},
		ConfigModifier: func(c *container.Config) {
			c.OpenStdin, c.StdinOnce = true, true
		},
		HostConfigModifier: func(c *container.HostConfig) {
			c.AutoRemove = true
			c.PortBindings = Published(docker, kind.port)
		},
		LifecycleHooks: []testcontainers.ContainerLifecycleHooks{{
			PreStarts: []testcontainers.ContainerHook{func(ctx context.Context, c testcontainers.Container) error {
				held.id = c.GetContainerID()
				attached, err := docker.ContainerAttach(ctx, held.id, client.ContainerAttachOptions{Stream: true, Stdin: true})
				held.lifeline = attached.HijackedResponse
				return err
			}},
		}},
	}
	started, err := testcontainers.GenericContainer(ctx, testcontainers.GenericContainerRequest{ContainerRequest: request, Started: true})
	if started != nil {
		held.id = started.GetContainerID()
	}
	defer func() {
		if err != nil && held.id != "" {
			_ = held.Close()
		}
	}()
	if err != nil {
		return nil, nil, err
	}
	reachable, err := await(ctx, held, started, engine)
	return held, reachable, err
}

// Published says where a container's port is published: if Docker is on this
// machine, on one address and for this machine only. The passwords of the tests
// are no secret; and a port that is published on IPv4 and IPv6 has two numbers,
// either of which testcontainers may give for localhost.
func Published(docker *testcontainers.DockerClient, port string) network.PortMap {
	if !isLocal(docker) {
		return nil
	}
	return network.PortMap{network.MustParsePort(port + "/tcp"): {{HostIP: netip.MustParseAddr("127.0.0.1")}}}
}

// Addresses returns what may lead to a container's port, the best first: which one
// does depends on where Docker, this process and the network are.
func Addresses(ctx context.Context, docker *testcontainers.DockerClient, started testcontainers.Container, port string) ([]string, error) {
	var hosts []string
	local := isLocal(docker)
	if ip, err := started.ContainerIP(ctx); err == nil && ip != "" && local {
		hosts = append(hosts, net.JoinHostPort(ip, port)) // the shortest way, with no proxy in it
	}
	if mapped, err := started.MappedPort(ctx, port+"/tcp"); err == nil {
		host := "127.0.0.1"
		if !local {
			if host, err = started.Host(ctx); err != nil {
				return nil, err
			}
		}
		hosts = append(hosts, net.JoinHostPort(host, mapped.Port()))
	}
	return hosts, nil
}

// await asks for SQL until the server answers, on each address that may lead to
// it.
func await(ctx context.Context, held *holder, started testcontainers.Container, engine Engine) (*testserver.Server, error) {
	kind := kinds[engine]
	hosts, err := Addresses(ctx, held.docker, started, kind.port)
	if err != nil {
		return nil, err
	}
	log, stopped, forget := follow(ctx, held)
	defer forget()
	var last error
	for {
		for _, host := range hosts {
			candidate, err := testserver.At(engine, fmt.Sprintf(kind.dsn, host))
			if err != nil {
				return nil, err
			}
			if last = candidate.Answers(ctx, 2*time.Second); last == nil {
				return candidate, nil
			}
		}
		select {
		case <-stopped:
			return nil, fmt.Errorf("the server stopped right after its start:\n%s", log.tail())
		case <-ctx.Done():
			return nil, fmt.Errorf("the server does not answer (%w): %w\n%s", context.Cause(ctx), last, log.tail())
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// follow collects what the server writes until forget is called; stopped is
// closed when the server has ended.
func follow(ctx context.Context, held *holder) (log *output, stopped <-chan struct{}, forget func()) {
	log = &output{}
	done := make(chan struct{})
	ctx, cancel := context.WithCancel(ctx)
	stream, err := held.docker.ContainerLogs(ctx, held.id, client.ContainerLogsOptions{ShowStdout: true, ShowStderr: true, Follow: true})
	if err != nil {
		cancel()
		close(done) // gone already
		return log, done, func() {}
	}
	go func() {
		defer close(done)
		_, _ = stdcopy.StdCopy(log, log, stream)
	}()
	return log, done, func() {
		cancel()
		_ = stream.Close()
		<-done
	}
}

// output keeps what a server writes while it starts.
type output struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.Write(p)
}

func (o *output) tail() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	lines := strings.Split(strings.TrimSpace(o.text.String()), "\n")
	return strings.Join(lines[max(0, len(lines)-15):], "\n")
}
