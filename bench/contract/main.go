// Command contract runs eight programs on each of the libraries that Go programs
// use for transactions, and on Holdfast, against real servers: real deadlocks,
// real lost connections. It prints who got which right and what went wrong
// otherwise, and fails if Holdfast is wrong anywhere.
//
//	go run ./contract
//	go run ./contract -engines postgres -only holdfast,bun -lines 1,7
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
	"strconv"
	"strings"

	"github.com/holdfast-go/holdfast/bench/peers"
	"github.com/holdfast-go/holdfast/bench/servers"
	"github.com/holdfast-go/holdfast/tests/testdb"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, os.Args[1:], os.Stdout)
	stop()
	if err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "contract:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, out io.Writer) error {
	flags := flag.NewFlagSet("contract", flag.ContinueOnError)
	engines := flags.String("engines", "mysql,postgres", "`list` of engines")
	only := flags.String("only", "", "`list` of parts of the names of libraries; others are left out")
	numbers := flags.String("lines", "", "`list` of the lines to run; all if empty")
	markdown := flags.Bool("markdown", false, "print the table as Markdown")
	if err := flags.Parse(args); err != nil {
		return err
	}
	list, err := servers.Parse(*engines)
	if err != nil {
		return err
	}
	chosen, err := choose(*numbers)
	if err != nil {
		return err
	}
	results := newResults(chosen, named(*only), list)
	for _, engine := range list {
		if err := results.on(ctx, engine); err != nil {
			return fmt.Errorf("%s: %w", engine, err)
		}
	}
	results.print(out, *markdown)
	if wrong := results.wrong(peers.Holdfast); wrong > 0 {
		return fmt.Errorf("wrong itself: Holdfast, in %d programs", wrong)
	}
	return nil
}

func choose(numbers string) (chosen []line, err error) {
	if numbers == "" {
		return lines(), nil
	}
	for item := range strings.SplitSeq(numbers, ",") {
		n, err := strconv.Atoi(item)
		if err != nil || n < 1 || n > len(lines()) {
			return nil, fmt.Errorf("no line %q; there are 1 to %d", item, len(lines()))
		}
		chosen = append(chosen, lines()[n-1])
	}
	return chosen, nil
}

func named(only string) (libraries []peers.Library) {
	parts := strings.Split(strings.ToLower(only), ",")
	for _, l := range peers.All() {
		matches := slices.ContainsFunc(parts, func(part string) bool { return strings.Contains(strings.ToLower(l.Name), part) })
		if matches && !l.Variant {
			libraries = append(libraries, l)
		}
	}
	return libraries
}

// on runs every program on one engine.
func (r *results) on(ctx context.Context, engine testdb.Engine) (err error) {
	db, err := servers.Fresh(ctx, engine)
	if err != nil {
		return err
	}
	a, err := newArena(ctx, db)
	if err != nil {
		return errors.Join(err, db.Close())
	}
	defer func() { err = errors.Join(err, a.close()) }()
	for _, library := range r.libraries {
		if !library.On(engine) {
			continue
		}
		a.library = library
		for _, l := range r.lines {
			for _, p := range l.programs {
				if p.only != "" && p.only != engine {
					continue
				}
				reason, err := p.on(ctx, a)
				if err != nil {
					return fmt.Errorf("%s: line %d: %s: %w", library.Name, l.number, p.name, err)
				}
				r.note(library, engine, l, p, reason)
			}
		}
	}
	return nil
}
