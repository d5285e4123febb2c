package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/holdfast-go/holdfast/tests/testdb"
)

// grace is how long an interrupted command may take to end.
const grace = 10 * time.Second

// wish is a server that the command is to find.
type wish struct {
	engine  testdb.Engine
	version string
}

// named returns the variable that names a running server of this engine.
func (w wish) named() string { return "HOLDFAST_TEST_" + strings.ToUpper(string(w.engine)) }

// noServers is a -servers list for tests that start servers of their own.
const noServers = "none"

// parseServers reads the -servers list. Without one the servers are those that
// the environment asks for; with one, the environment of the command is
// restricted to it. Either way that environment says which engines are to be
// tested, so that a test that does not find its server fails.
func parseServers(list string) (wishes []wish, engines []string, err error) {
	const variable = "HOLDFAST_TEST_ENGINES="
	if list == "" {
		asked, err := testdb.Asked()
		if err != nil {
			return nil, nil, err
		}
		var names []string
		for _, engine := range asked {
			names = append(names, string(engine))
			if slices.Contains(testdb.Servers(), engine) {
				wishes = append(wishes, wish{engine: engine})
			}
		}
		return wishes, []string{variable + strings.Join(names, ",")}, nil
	}
	if list == noServers {
		return nil, nil, nil
	}
	var names []string
	for item := range strings.SplitSeq(list, ",") {
		name, version, _ := strings.Cut(item, ":")
		if !slices.Contains(testdb.Servers(), testdb.Engine(name)) {
			return nil, nil, fmt.Errorf("-servers lists %q; the servers are %v", name, testdb.Servers())
		}
		wishes = append(wishes, wish{testdb.Engine(name), version})
		names = append(names, name)
	}
	return wishes, []string{variable + strings.Join(names, ",")}, nil
}

// fleet is the servers that the rig has started.
type fleet struct {
	warm     func() // called once if the start will take long
	warming  sync.Once
	warmDone sync.WaitGroup

	mu      sync.Mutex
	servers []*testdb.Server
}

// start starts a server for each wish that the environment does not fulfil.
func (f *fleet) start(ctx context.Context, wishes []wish) error {
	wishes = slices.DeleteFunc(wishes, func(w wish) bool { return os.Getenv(w.named()) != "" })
	if len(wishes) == 0 {
		return nil
	}
	if err := haveDocker(ctx); err != nil {
		return err
	}
	defer f.warmDone.Wait()
	began := time.Now()
	// The first failure stops the others: one reason is enough.
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var starting sync.WaitGroup
	for _, w := range wishes {
		starting.Go(func() {
			if err := f.startOne(ctx, w); err != nil {
				cancel(err)
			}
		})
	}
	starting.Wait()
	if err := context.Cause(ctx); err != nil {
		return err
	}
	var images []string
	for _, server := range f.servers {
		images = append(images, server.Image)
	}
	slices.Sort(images)
	say("%s ready after %s", strings.Join(images, ", "), time.Since(began).Round(100*time.Millisecond))
	return nil
}

func (f *fleet) startOne(ctx context.Context, w wish) error {
	options := []testdb.Option{testdb.Report(func(step string) {
		report(step)
		f.warming.Do(func() { f.warmDone.Go(f.warm) })
	})}
	if w.version != "" {
		options = append(options, testdb.Version(w.version))
	}
	server, err := testdb.Start(ctx, w.engine, options...)
	if err != nil {
		return err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.servers = append(f.servers, server)
	return nil
}

// env names the servers, and the images so that a test that starts one of its
// own gets the same.
func (f *fleet) env() []string {
	var env []string
	for _, server := range f.servers {
		w := wish{engine: server.Engine}
		env = append(env, w.named()+"="+server.DSN,
			"HOLDFAST_"+strings.ToUpper(string(w.engine))+"_IMAGE="+server.Image)
	}
	return env
}

// Close removes the servers.
func (f *fleet) Close() error {
	errs := make([]error, len(f.servers))
	var closing sync.WaitGroup
	for i, server := range f.servers {
		closing.Go(func() { errs[i] = server.Close() })
	}
	closing.Wait()
	return errors.Join(errs...)
}

func report(step string) { say("%s", step) }

func say(format string, args ...any) { fmt.Fprintf(os.Stderr, "rig: "+format+"\n", args...) }
