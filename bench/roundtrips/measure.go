package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/holdfast-go/holdfast/bench/peers"
	"github.com/holdfast-go/holdfast/bench/servers"
	"github.com/holdfast-go/holdfast/internal/proxy"
	"github.com/holdfast-go/holdfast/tests/testdb"
)

// contestant is a library with its two ways to the server.
type contestant struct {
	peers.Library
	direct, proxied peers.DB
}

// measure fills the tables of one engine.
func measure(ctx context.Context, engine testdb.Engine, libraries []peers.Library, blocks []block, delays []time.Duration, budget time.Duration) (tables []table, err error) {
	db, err := servers.Fresh(ctx, engine)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	err = db.Run(ctx, "CREATE TABLE t (id BIGINT NOT NULL PRIMARY KEY, v BIGINT NOT NULL)",
		"INSERT INTO t (id, v) VALUES (1,0),(2,0),(3,0),(4,0),(5,0),(6,0),(7,0),(8,0),(9,0),(10,0)")
	if err != nil {
		return nil, err
	}
	p, err := proxy.Listen(db.Addr)
	if err != nil {
		return nil, err
	}
	defer func() { _ = p.Close() }()

	var all []*contestant
	for _, l := range libraries {
		c := &contestant{Library: l}
		all = append(all, c)
		if c.direct, err = l.Open(ctx, engine, db.DSN, 1); err != nil {
			return nil, fmt.Errorf("%s: %w", l.Name, err)
		}
		defer func() { _ = c.direct.Close() }()
		if c.proxied, err = l.Open(ctx, engine, db.Via(p.Addr()), 1); err != nil {
			return nil, fmt.Errorf("%s: %w", l.Name, err)
		}
		defer func() { _ = c.proxied.Close() }()
	}

	title := fmt.Sprintf("%s %s", engine, db.Version)
	turns, err := count(ctx, p, all, blocks)
	if err != nil {
		return nil, err
	}
	tables = append(tables, turns.titled(title+": round trips"))
	for _, delay := range delays {
		p.SetLatency(delay)
		times, err := clock(ctx, all, blocks, delay > 0, budget)
		if err != nil {
			return nil, err
		}
		what := fmt.Sprintf("%s: median time in ms, %s of latency each way", title, delay)
		if delay == 0 {
			what = title + ": median time in ms on loopback, without the proxy"
		}
		tables = append(tables, times.titled(what), times.ratios().titled(what+"; Holdfast's share of the others' time"))
	}
	return tables, nil
}

// warm is how often a block runs before it is counted.
const warm = 3

// count counts the round trips of each block.
func count(ctx context.Context, p *proxy.Proxy, all []*contestant, blocks []block) (table, error) {
	t := newTable(all, blocks)
	for _, b := range blocks {
		for _, c := range all {
			run := func() error { return c.proxied.Block(ctx, b.run, b.wishes...) }
			for range warm {
				if err := run(); err != nil {
					return t, fmt.Errorf("%s: %s: %w", c.Name, b.name, err)
				}
			}
			var err error
			traffic := p.During(func() { err = run() })
			if err != nil || traffic.Conns > 0 {
				return t, fmt.Errorf("%s: %s: %d connections opened, %w", c.Name, b.name, traffic.Conns, err)
			}
			t.set(c, b, float64(traffic.Turns))
		}
	}
	return t.differences(), nil
}

// clock takes the median time of each block, all libraries in turns.
func clock(ctx context.Context, all []*contestant, blocks []block, proxied bool, budget time.Duration) (table, error) {
	t := newTable(all, blocks)
	share := budget / time.Duration(len(blocks))
	for _, b := range blocks {
		taken := make([][]time.Duration, len(all))
		for end, round := time.Now().Add(share), 0; round < 2*warm || time.Now().Before(end); round++ {
			for i := range all {
				i = (i + round) % len(all)
				db := all[i].direct
				if proxied {
					db = all[i].proxied
				}
				start := time.Now()
				if err := db.Block(ctx, b.run, b.wishes...); err != nil {
					return t, fmt.Errorf("%s: %s: %w", all[i].Name, b.name, err)
				}
				if round >= warm {
					taken[i] = append(taken[i], time.Since(start))
				}
			}
		}
		for i, c := range all {
			t.set(c, b, float64(median(taken[i]))/float64(time.Millisecond))
		}
		t.runs = max(t.runs, len(taken[0]))
	}
	return t, nil
}

func median(d []time.Duration) time.Duration {
	slices.Sort(d)
	return d[len(d)/2]
}
