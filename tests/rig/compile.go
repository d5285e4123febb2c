package main

import (
	"context"
	"errors"
	"os/exec"
	"slices"
	"strings"

	"github.com/holdfast-go/holdfast/tests/images"
)

// compile fills Go's build cache for a "go test" command while images are
// built, so that on two cores the two take hardly longer than one. What is
// wrong with the code, the command itself will say.
func compile(ctx context.Context, command []string) {
	if len(command) < 2 || command[0] != "go" || command[1] != "test" || slices.Contains(command, "-C") {
		return
	}
	// Unlike "go test -c" it links nothing, which would not be kept.
	args := []string{"list", "-export", "-test", "-deps"}
	for _, arg := range command[2:] {
		if arg == "-race" || strings.HasPrefix(arg, "-tags=") || strings.HasPrefix(arg, "./") {
			args = append(args, arg)
		}
	}
	_ = exec.CommandContext(ctx, command[0], args...).Run()
}

// haveCompiler makes sure of the C compiler that the race detector is linked
// with, where the command asks for it.
func haveCompiler(ctx context.Context, command []string) error {
	if !slices.Contains(command, "-race") {
		return nil
	}
	compiler := "gcc"
	if out, err := exec.CommandContext(ctx, "go", "env", "CC").Output(); err == nil {
		compiler, _, _ = strings.Cut(strings.TrimSpace(string(out)), " ")
	}
	if _, err := exec.LookPath(compiler); err == nil {
		return nil
	}
	say("no C compiler here, which the race detector needs")
	err := images.Install(ctx, report, compiler, "gcc", "libc6-dev")
	if errors.Is(err, images.ErrNotDebian) {
		return errors.New("install a C compiler (" + compiler + "), or run \"go test\" without -race")
	}
	return err
}
