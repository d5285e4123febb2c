// Command rig runs a command, usually "go test", with the database servers of
// the tests: it starts one of each engine, names them in the environment
// (packages testserver and testdb read it), and removes them afterwards, also when the command
// fails or is interrupted.
//
//	go run ./tests/rig -- go test -race ./...
//	go run ./tests/rig -servers postgres:13,mariadb:10.5 -- go test ./... ./tests/...
//
// A server that the environment names already is used as it is.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"syscall"
)

func main() {
	servers := flag.String("servers", "", "`list` of the servers to test on, with or without a version (mysql,postgres:13); other engines are left out; none starts no server, and no engine is left out")
	flag.Usage = func() {
		fmt.Fprintln(flag.CommandLine.Output(), "usage: rig [-servers LIST] -- COMMAND [ARGUMENT...]")
		flag.PrintDefaults()
	}
	flag.Parse()
	if flag.NArg() == 0 {
		flag.Usage()
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code, err := run(ctx, *servers, flag.Args())
	stop()
	if err != nil {
		fmt.Fprintf(os.Stderr, "rig: %v\n", err)
	}
	os.Exit(code)
}

func run(ctx context.Context, list string, command []string) (code int, err error) {
	wanted, engines, err := parseServers(list)
	if err != nil {
		return 2, err
	}
	if err := haveCompiler(ctx, command); err != nil {
		return 1, err
	}
	fleet := &fleet{warm: func() { compile(ctx, command) }}
	defer func() { err = errors.Join(err, fleet.Close()) }()
	if list == noServers {
		err = haveDocker(ctx) // which the tests' own servers need
	} else {
		err = fleet.start(ctx, wanted)
	}
	if err != nil {
		return 1, err
	}

	child := exec.CommandContext(ctx, command[0], command[1:]...)
	child.Env = append(append(os.Environ(), engines...), fleet.env()...)
	child.Stdin, child.Stdout, child.Stderr = os.Stdin, os.Stdout, os.Stderr
	kill := ownGroup(child)
	child.WaitDelay = grace // to end by itself, when it is interrupted
	switch err := child.Run(); {
	case child.ProcessState == nil:
		return 127, err
	case ctx.Err() != nil:
		kill()
		return 130, errors.New("interrupted")
	default:
		return child.ProcessState.ExitCode(), nil
	}
}
