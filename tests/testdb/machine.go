package testdb

import (
	"context"
	"fmt"
	"io"
	"maps"
	"net"
	"os"
	"strings"
	"time"

	"github.com/moby/moby/api/pkg/stdcopy"
	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/client"
	"github.com/testcontainers/testcontainers-go"

	"github.com/holdfast-go/holdfast/internal/testserver"
)

// supervisor is the first process of a machine of a cluster: each line of its
// standard input is a command that it starts. So the server can die and come back
// while the machine, its address and its data stay. As with a server's [lifeline],
// the end of the input, which comes with the end of this process at the latest,
// ends the machine, and Docker removes it.
const supervisor = `while read -r command; do wait; eval "$command" </dev/null & done`

// machine is a container whose server comes and goes.
type machine struct {
	*holder
	started testcontainers.Container
	name    string
	entry   []string // the image's entrypoint and its arguments
	inside  string   // its address among the machines
	ports   []string // what may lead to its port from here, the best first
}

// sweep removes machines that a process has created and was killed before it could
// start them: what ends a machine by itself is not there yet at that moment.
func sweep(ctx context.Context, docker *testcontainers.DockerClient) {
	found, err := docker.ContainerList(ctx, client.ContainerListOptions{
		All: true, Filters: client.Filters{}.Add("label", "holdfast.test").Add("status", "created"),
	})
	if err != nil {
		return // who starts one next will say it
	}
	for _, left := range found.Items {
		if time.Since(time.Unix(left.Created, 0)) > 5*time.Minute {
			_, _ = docker.ContainerRemove(ctx, left.ID, client.ContainerRemoveOptions{})
		}
	}
}

// role is what a machine is made of.
type role struct {
	name  string
	image string
	port  string
	data  string // kept in memory, unless ""
	env   map[string]string
}

// boot starts a machine, without its server.
func boot(ctx context.Context, r role) (_ *machine, err error) {
	docker, err := Docker(ctx)
	if err != nil {
		return nil, err
	}
	m := &machine{holder: &holder{docker: docker}, name: r.name}
	defer func() {
		if err != nil {
			_ = m.Close()
		}
	}()
	sweep(ctx, docker)
	inspected, err := docker.ImageInspect(ctx, r.image)
	if err != nil {
		return nil, err
	}
	m.entry = append(append([]string{}, inspected.Config.Entrypoint...), inspected.Config.Cmd...)

	request := testcontainers.ContainerRequest{
		Image:        r.image,
		Entrypoint:   []string{"sh", "-c", supervisor},
		Env:          maps.Clone(r.env),
		ExposedPorts: []string{r.port + "/tcp"},
		Labels:       map[string]string{"holdfast.test": r.name, "holdfast.run": os.Getenv("HOLDFAST_RUN")},
		ConfigModifier: func(c *container.Config) {
			c.OpenStdin, c.StdinOnce, c.Cmd = true, true, nil
		},
		HostConfigModifier: func(c *container.HostConfig) {
			c.AutoRemove = true
			c.CapAdd = []string{"NET_ADMIN"} // for Cut, in its own network alone
			c.PortBindings = Published(docker, r.port)
		},
		LifecycleHooks: []testcontainers.ContainerLifecycleHooks{{
			PreStarts: []testcontainers.ContainerHook{func(ctx context.Context, c testcontainers.Container) error {
				m.id = c.GetContainerID()
				attached, err := docker.ContainerAttach(ctx, m.id, client.ContainerAttachOptions{Stream: true, Stdin: true})
				m.lifeline = attached.HijackedResponse
				return err
			}},
		}},
	}
	if r.data != "" {
		request.Tmpfs = map[string]string{r.data: "rw"}
	}
	m.started, err = testcontainers.GenericContainer(ctx, testcontainers.GenericContainerRequest{ContainerRequest: request, Started: true})
	if err != nil {
		return nil, err
	}
	if m.inside, err = m.started.ContainerIP(ctx); err != nil {
		return nil, err
	}
	if m.inside == "" {
		return nil, fmt.Errorf("%s has no address on Docker's default network, which clusters use", r.name)
	}
	m.ports, err = Addresses(ctx, docker, m.started, r.port)
	return m, err
}

// start starts the server of the image, with these further arguments.
func (m *machine) start(arguments ...string) error {
	return m.command(append(append([]string{}, m.entry...), arguments...)...)
}

func (m *machine) command(words ...string) error {
	var line strings.Builder
	for _, word := range words {
		line.WriteString("'" + strings.ReplaceAll(word, "'", `'\''`) + "' ")
	}
	_, err := io.WriteString(m.lifeline.Conn, strings.TrimSpace(line.String())+"\n")
	return err
}

// run runs a command in the machine and returns what it wrote.
func (m *machine) run(ctx context.Context, user string, command ...string) (string, error) {
	text, code, err := m.exec(ctx, user, command)
	if err == nil && code != 0 {
		err = fmt.Errorf("exit status %d", code)
	}
	if err != nil {
		return "", fmt.Errorf("%s: %s: %w: %s", m.name, strings.Join(command, " "), err, strings.TrimSpace(text))
	}
	return text, nil
}

// exec goes around testcontainers, whose client would leave connections open.
func (m *machine) exec(ctx context.Context, user string, command []string) (text string, code int, err error) {
	created, err := m.docker.ExecCreate(ctx, m.id, client.ExecCreateOptions{User: user, Cmd: command, AttachStdout: true, AttachStderr: true})
	if err != nil {
		return "", 0, err
	}
	attached, err := m.docker.ExecAttach(ctx, created.ID, client.ExecAttachOptions{})
	if err != nil {
		return "", 0, err
	}
	defer attached.Close()
	defer context.AfterFunc(ctx, attached.Close)()
	var out strings.Builder
	if _, err := stdcopy.StdCopy(&out, &out, attached.Reader); err != nil {
		return out.String(), 0, err
	}
	inspected, err := m.docker.ExecInspect(ctx, created.ID, client.ExecInspectOptions{})
	return out.String(), inspected.ExitCode, err
}

// signal sends a signal to every process of the machine but the first.
func (m *machine) signal(ctx context.Context, name string) error {
	_, err := m.run(ctx, "root", "sh", "-c", "kill -"+name+" -1")
	return err
}

// silent waits until nobody listens at the machine's port.
func (m *machine) silent(ctx context.Context) error {
	return until(ctx, 20*time.Second, m.name+" no longer answers", func(ctx context.Context) error {
		for _, at := range m.ports[:1] {
			conn, err := (&net.Dialer{Timeout: time.Second}).DialContext(ctx, "tcp", at)
			if err == nil {
				_ = conn.Close()
				return fmt.Errorf("%s is open", at)
			}
		}
		return nil
	})
}

// reach waits until the server answers at an address that dsn is told.
func (m *machine) reach(ctx context.Context, engine Engine, dsn func(at string) string) error {
	err := until(ctx, startLimit, m.name+" answers", func(ctx context.Context) error {
		var last error
		for _, at := range m.ports {
			server, err := testserver.At(engine, dsn(at))
			if err != nil {
				return err
			}
			if last = server.Answers(ctx, 2*time.Second); last == nil {
				return nil
			}
		}
		return last
	})
	if err != nil {
		return fmt.Errorf("%w\n%s", err, m.wrote(context.WithoutCancel(ctx)))
	}
	return nil
}

// wrote returns the last lines that the server has written.
func (m *machine) wrote(ctx context.Context) string {
	stream, err := m.docker.ContainerLogs(ctx, m.id, client.ContainerLogsOptions{ShowStdout: true, ShowStderr: true, Tail: "25"})
	if err != nil {
		return err.Error()
	}
	defer func() { _ = stream.Close() }()
	var text strings.Builder
	_, _ = stdcopy.StdCopy(&text, &text, stream)
	return text.String()
}

// until asks again and again, for as long as the limit lets it.
func until(ctx context.Context, limit time.Duration, what string, asked func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	var last error
	for {
		err := asked(ctx)
		if err == nil {
			return nil
		}
		if ctx.Err() == nil {
			last = err
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("not within %s: %s: %w", limit, what, last)
		case <-time.After(30 * time.Millisecond):
		}
	}
}
