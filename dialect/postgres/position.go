package postgres

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/holdfast-go/holdfast/internal/backend"
)

// A position is a place in the write-ahead log of a database: the cluster that
// has written it, the timeline, of which each promotion begins another, and the
// place itself.
type position struct {
	cluster  string // system_identifier
	timeline uint32
	lsn      uint64
}

// tokenForm is pg-SYSTEM-TIMELINE-LSN, as numbers.
var tokenForm = regexp.MustCompile(`^pg-([0-9]{1,20})-([0-9]{1,10})-([0-9]{1,20})$`)

func (p position) String() string { return fmt.Sprintf("pg-%s-%d-%d", p.cluster, p.timeline, p.lsn) }

func parsePosition(token string) (p position, err error) {
	m := tokenForm.FindStringSubmatch(token)
	if m == nil {
		return p, errors.New("it is not of the form that PostgreSQL's tokens have")
	}
	p.cluster = m[1]
	timeline, err := strconv.ParseUint(m[2], 10, 32)
	if err == nil {
		p.timeline = uint32(timeline)
		p.lsn, err = strconv.ParseUint(m[3], 10, 64)
	}
	if err != nil {
		return p, errors.New("a number in it is too large")
	}
	return p, nil
}

// contains (rule R6) reports whether whoever has applied everything up to p has applied what
// stands at q. The same place on a later timeline is behind the point where that
// began, or what stood at q was lost when it did, and nobody has it any more. On an
// earlier timeline, which may have gone on after that point, it says nothing.
func (p position) contains(q position) bool {
	return p.cluster == q.cluster && p.timeline >= q.timeline && p.lsn >= q.lsn
}

// Leaves implements backend.Positions.
func (e *engine) Leaves() error { return nil }

// Check implements backend.Positions.
func (e *engine) Check(token string) error {
	_, err := parsePosition(token)
	return err
}

// Join implements backend.Positions. Of two timelines the newer one counts: what is
// left of the older is before its beginning. Of two databases the later token.
func (e *engine) Join(token, later string) string {
	p, err := parsePosition(token)
	q, qerr := parsePosition(later)
	newer := p.cluster == q.cluster && p.timeline > q.timeline
	if err == nil && (qerr != nil || newer || p.contains(q)) {
		return token
	}
	return later
}

// Suspect implements backend.Positions: the standby itself knows its history.
func (e *engine) Suspect(string) bool { return false }

// here asks a writer where it stands. The place is that of what will be written
// next, so that all that was committed is before it, also with synchronous_commit
// off. The place behind a page that is just full is behind the header of the next,
// where no record ends.
const here = `SELECT concat_ws(' ', (SELECT system_identifier FROM pg_control_system()),
	('x' || left(pg_walfile_name(pg_current_wal_lsn()), 8))::bit(32)::int, pg_current_wal_insert_lsn(),
	current_setting('wal_block_size'), pg_size_bytes(current_setting('wal_segment_size')))`

// there asks a standby what it has applied. Its timeline may be told late to a role
// that may not see the receiver (pg_read_all_stats): an older one than it is, at most.
const there = `SELECT CASE WHEN pg_is_in_recovery() THEN concat_ws(' ', (SELECT system_identifier FROM pg_control_system()),
	greatest((SELECT timeline_id FROM pg_control_checkpoint()), (SELECT min_recovery_end_timeline FROM pg_control_recovery()),
	(SELECT received_tli FROM pg_stat_wal_receiver)), pg_last_wal_replay_lsn()) ELSE ''::text END`

func parseHere(answer string) (p position, err error) {
	fields := strings.Fields(answer)
	if len(fields) < 3 {
		return p, fmt.Errorf("the server answered %q when it was asked for its position", answer)
	}
	var high, low, timeline uint64
	before, after, _ := strings.Cut(fields[2], "/")
	p.cluster = fields[0]
	for _, n := range []struct {
		into *uint64
		text string
		base int
	}{{&timeline, fields[1], 10}, {&high, before, 16}, {&low, after, 16}} {
		if *n.into, err = strconv.ParseUint(n.text, n.base, 32); err != nil {
			return p, fmt.Errorf("the server answered %q when it was asked for its position", answer)
		}
	}
	p.timeline, p.lsn = uint32(timeline), high<<32|low
	if len(fields) == 5 {
		block, err := strconv.ParseUint(fields[3], 10, 64)
		segment, errs := strconv.ParseUint(fields[4], 10, 64)
		if err == nil && errs == nil && block > 0 && segment > 0 {
			p.lsn = beforeHeader(p.lsn, block, segment)
		}
	}
	return p, nil
}

// beforeHeader is the end of the last record for the place of the next one: the
// headers of a page (24 bytes) and of the first page of a segment (40) come between
// (src/include/access/xlog_internal.h).
func beforeHeader(lsn, block, segment uint64) uint64 {
	const long, short = 40, 24
	switch {
	case lsn%segment == long:
		return lsn - long
	case lsn%block == short && lsn%segment != short:
		return lsn - short
	}
	return lsn
}

// Tell implements backend.PositionTeller: the question travels behind COMMIT.
func (w *wire) Tell(on bool) []string {
	w.tells, w.position = on && !w.alone, ""
	return nil
}

// Position implements backend.PositionTeller.
func (w *wire) Position(ctx context.Context) (string, error) {
	answer := w.position
	w.position = ""
	if answer == "" { // it has committed by itself
		var err error
		if answer, err = ask(ctx, w, here); err != nil {
			return "", err
		}
	}
	p, err := parseHere(answer)
	if err != nil {
		return "", err
	}
	return p.String(), nil
}

// Renew implements backend.PositionTeller.
func (w *wire) Renew(ctx context.Context, token string) (string, error) {
	w.position = ""
	now, err := w.Position(ctx)
	if err != nil {
		return "", err
	}
	p, _ := parsePosition(now)
	// Of an earlier timeline it says nothing whether the place is before that ended.
	if q, err := parsePosition(token); err == nil && p.timeline == q.timeline && p.contains(q) {
		return token, nil
	}
	return now, nil
}

// How often a standby that is behind is asked again. The question is not left to wait
// on the standby: the snapshot that a statement holds there would itself keep the
// standby from applying what it waits for.
const (
	reachFirst = time.Millisecond
	reachLast  = 20 * time.Millisecond
)

// Reach implements backend.Follower.
func (w *wire) Reach(ctx context.Context, token string, limit time.Duration) (backend.Standing, error) {
	wanted, err := parsePosition(token)
	if err != nil || w.applied.contains(wanted) {
		return backend.Reached, err
	}
	end := time.Now().Add(limit)
	for wait := reachFirst; ; wait = min(2*wait, reachLast) {
		answer, err := ask(ctx, w, there)
		if err != nil {
			return backend.Behind, err
		}
		if answer == "" { // it has been promoted
			answer, err = ask(ctx, w, here)
			if err != nil {
				return backend.Behind, err
			}
		}
		if w.applied, err = parseHere(answer); err != nil {
			return backend.Behind, err
		}
		left := time.Until(end)
		switch {
		case w.applied.contains(wanted):
			return backend.Reached, nil
		case w.applied.cluster != wanted.cluster || w.applied.timeline > wanted.timeline:
			return backend.Elsewhere, nil
		case left <= 0:
			return backend.Behind, nil
		}
		timer := time.NewTimer(min(wait, left))
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return backend.Behind, context.Cause(ctx)
		}
	}
}
