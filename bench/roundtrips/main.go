// Command roundtrips counts what blocks cost on the wire, with Holdfast and with
// the libraries that Go programs use for transactions, and takes their time with
// and without latency, all in one run.
//
//	go run ./roundtrips
//	go run ./roundtrips -latency 0,200us,1ms,5ms -engines postgres -only holdfast,bun -format markdown
//
// Round trips are counted by a proxy between the library and the server, in the
// steady state: the connection is open, and statements that a library prepares
// are prepared. Time is the median of the runs of one block. The libraries take
// turns, so that what else the machine does meets all of them alike. Without
// latency they talk to the server directly.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"strings"
	"time"

	"github.com/holdfast-go/holdfast/bench/peers"
	"github.com/holdfast-go/holdfast/bench/servers"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, os.Args[1:], os.Stdout)
	stop()
	if err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "roundtrips:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, out io.Writer) error {
	flags := flag.NewFlagSet("roundtrips", flag.ContinueOnError)
	latencies := flags.String("latency", "0,1ms", "`list` of added latencies, each way")
	engines := flags.String("engines", "mysql,postgres", "`list` of engines")
	only := flags.String("only", "", "`list` of parts of the names of libraries; others are left out")
	which := flags.String("blocks", "", "`list` of parts of the names of blocks; others are left out")
	budget := flags.Duration("time", 20*time.Second, "how `long` to measure at each latency")
	format := flags.String("format", "text", "text or markdown")
	if err := flags.Parse(args); err != nil {
		return err
	}
	delays, err := parseLatencies(*latencies)
	if err != nil {
		return err
	}
	list, err := servers.Parse(*engines)
	if err != nil {
		return err
	}
	write, ok := formats[*format]
	if !ok {
		return fmt.Errorf("no format %q; there are text and markdown", *format)
	}
	chosen := some(*which, blocks(), func(b block) string { return b.name })
	if len(chosen) == 0 {
		return fmt.Errorf("-blocks %s leaves none", *which)
	}
	for _, engine := range list {
		libraries := some(*only, peers.All(), func(l peers.Library) string { return l.Name })
		libraries = slices.DeleteFunc(libraries, func(l peers.Library) bool { return !l.On(engine) })
		if len(libraries) == 0 {
			return fmt.Errorf("-only %s leaves no library on %s", *only, engine)
		}
		tables, err := measure(ctx, engine, libraries, chosen, delays, *budget)
		if err != nil {
			return fmt.Errorf("%s: %w", engine, err)
		}
		for _, t := range tables {
			write(out, t)
		}
	}
	return nil
}

func parseLatencies(list string) (delays []time.Duration, err error) {
	for item := range strings.SplitSeq(list, ",") {
		d, err := time.ParseDuration(item)
		if err != nil || d < 0 {
			return nil, fmt.Errorf("no latency: %q", item)
		}
		delays = append(delays, d)
	}
	return delays, nil
}

// some returns those of all whose name contains a part that the list has.
func some[T any](list string, all []T, name func(T) string) (chosen []T) {
	parts := strings.Split(strings.ToLower(list), ",")
	for _, item := range all {
		if slices.ContainsFunc(parts, func(part string) bool { return strings.Contains(strings.ToLower(name(item)), part) }) {
			chosen = append(chosen, item)
		}
	}
	return chosen
}
