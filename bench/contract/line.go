package main

import (
	"context"
	"errors"
	"time"

	"github.com/holdfast-go/holdfast/tests/testdb"
)

// line is one of the things that go wrong.
type line struct {
	number   int
	name     string
	programs []program
}

// program is something that an application does.
type program struct {
	name string
	only testdb.Engine // "" for all
	// run returns what went wrong, or "". An error is one of the arrangement.
	run func(ctx context.Context, a *arena) (reason string, err error)
}

func lines() []line {
	return []line{
		{1, "a deadlock is swallowed", deadlocks()},
		{2, "an error is swallowed", swallowed()},
		{3, "runtime.Goexit in a block", []program{goexit()}},
		{4, "the root handle in a block, pool of one", []program{poolOfOne()}},
		{5, "the root handle with a block's ctx", rootHandle()},
		{6, "two goroutines nest in one block", []program{nestedRollback(), nestedCommit()}},
		{7, "the connection is lost at COMMIT", lostCommits()},
		{8, "a retry", retries()},
	}
}

// limit is how long a program may take.
const limit = 20 * time.Second

// on runs the program in an arena that is as new.
func (p program) on(ctx context.Context, a *arena) (reason string, err error) {
	ctx, cancel := context.WithTimeoutCause(ctx, limit, errors.New("the program took too long"))
	defer cancel()
	reason, err = p.run(ctx, a)
	if err == nil && context.Cause(ctx) != nil {
		err = context.Cause(ctx)
	}
	return reason, errors.Join(err, a.clear(ctx))
}
