package main

import (
	"context"

	"github.com/holdfast-go/holdfast/bench/peers"
)

// block is a row of the table in section 6 of the design.
type block struct {
	name   string
	wishes []peers.Wish
	run    peers.Func
	// beyond is the block that this one is compared with: what it costs more.
	beyond string
}

const (
	update = "UPDATE t SET v = v + 1 WHERE id = ?"
	lock   = "SELECT v FROM t WHERE id = ? FOR UPDATE"
	read   = "SELECT v FROM t WHERE id = ?"
)

func blocks() []block {
	return []block{
		{name: "empty", run: func(context.Context, peers.Block) error { return nil }},
		{name: "1 UPDATE", run: one},
		{name: "lock, UPDATE", run: func(ctx context.Context, b peers.Block) error {
			if _, err := b.Number(ctx, lock, 1); err != nil {
				return err
			}
			return one(ctx, b)
		}},
		{name: "3 levels", run: levels(3)},
		{name: "3 siblings", run: func(ctx context.Context, b peers.Block) error {
			for range 3 {
				if err := b.Block(ctx, one); err != nil {
					return err
				}
			}
			return nil
		}},
		{name: "10 levels", run: levels(10)},
		{name: "nested, empty", beyond: "1 UPDATE", run: func(ctx context.Context, b peers.Block) error {
			if err := one(ctx, b); err != nil {
				return err
			}
			return b.Block(ctx, func(context.Context, peers.Block) error { return nil })
		}},
		{name: "serializable read-only SELECT", wishes: []peers.Wish{peers.SerializableReadOnly}, run: func(ctx context.Context, b peers.Block) error {
			_, err := b.Number(ctx, read, 1)
			return err
		}},
	}
}

func one(ctx context.Context, b peers.Block) error { return b.Exec(ctx, update, 1) }

// levels is one UPDATE in each of so many levels.
func levels(depth int) peers.Func {
	if depth == 1 {
		return one
	}
	inner := levels(depth - 1)
	return func(ctx context.Context, b peers.Block) error {
		if err := b.Exec(ctx, update, depth); err != nil {
			return err
		}
		return b.Block(ctx, inner)
	}
}
