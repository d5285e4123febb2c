package report_test

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/holdfast-go/holdfast/examples/tts/internal/report"
	"github.com/holdfast-go/holdfast/examples/tts/internal/sentences"
	"github.com/holdfast-go/holdfast/examples/tts/internal/summary"
	"github.com/holdfast-go/holdfast/examples/tts/internal/timeline"
)

// simulation is a studio without a database, to have pages to look at and to test with: rows, who locks them until when,
// and the bars that come of it. Time advances from one actor's next block to another's.
type simulation struct {
	random    *rand.Rand
	locking   string
	rows      []simRow
	recording timeline.Recording
	finish    []func() // what the blocks in progress do when they end, and when
	finishAt  []time.Duration
	edits     int
	claimed   []int // by the worker that came last
}

type simRow struct {
	version, spoken int
	flag            bool
	lockedUntil     time.Duration
}

type actor struct {
	lane int
	role timeline.Role
	next time.Duration
}

func simulate(locking string, workers, writers, rows, edits int) report.Run {
	sim := &simulation{random: rand.New(rand.NewPCG(7, uint64(len(locking)))), locking: locking, rows: make([]simRow, rows)}
	for i := range sim.rows {
		sim.rows[i] = simRow{version: 1, flag: true}
	}
	var actors []*actor
	for i := range workers + writers {
		a := &actor{lane: i, role: timeline.Worker, next: time.Duration(i) * 900 * time.Microsecond}
		info := timeline.LaneInfo{Role: timeline.Worker, Name: fmt.Sprintf("worker %d", i+1)}
		if i >= workers {
			a.role = timeline.Writer
			info = timeline.LaneInfo{Role: timeline.Writer, Name: fmt.Sprintf("writer %d", i-workers+1)}
		}
		actors = append(actors, a)
		sim.recording.Lanes = append(sim.recording.Lanes, info)
	}
	for {
		a := slices.MinFunc(actors, func(a, b *actor) int { return cmp.Compare(a.next, b.next) })
		sim.settle(a.next)
		pending := slices.ContainsFunc(sim.rows, func(r simRow) bool { return r.flag })
		if sim.edits >= edits && !pending {
			break
		}
		switch {
		case a.role == timeline.Worker:
			sim.render(a)
		case sim.edits < edits:
			sim.edit(a)
		default:
			a.next += time.Hour
		}
	}
	sim.settle(1 << 62)
	return sim.result(workers, writers)
}

func (s *simulation) jitter(d time.Duration) time.Duration {
	return time.Duration(float64(d) * (0.55 + 0.9*s.random.Float64()))
}

func (s *simulation) settle(now time.Duration) {
	for i := 0; i < len(s.finish); i++ {
		if s.finishAt[i] <= now {
			s.finish[i]()
			s.finish, s.finishAt = slices.Delete(s.finish, i, i+1), slices.Delete(s.finishAt, i, i+1)
			i = -1
		}
	}
}

func (s *simulation) add(bar timeline.Bar) {
	s.recording.Bars = append(s.recording.Bars, bar)
	total := &s.recording.Totals
	if bar.Attempt == 1 {
		total.Blocks++
	} else {
		total.Retries++
	}
	total.LockWaits += len(bar.Waits)
	total.Skipped += bar.Skipped
	if bar.Outcome == timeline.Refused {
		total.Refused++
	}
}

func (s *simulation) render(a *actor) {
	bar := timeline.Bar{Lane: a.lane, Block: "claim", Attempt: 1, Outcome: timeline.Committed}
	bar.Start, bar.Unlocked = a.next, s.locking == summary.NoLocks
	end := a.next + s.jitter(900*time.Microsecond)
	var claimed []int
	for i, row := range s.rows {
		if !row.flag || len(claimed) == 4 {
			continue
		}
		if row.lockedUntil > a.next && s.locking != summary.NoLocks {
			if s.locking == "skip-locked" {
				bar.Skipped++
				continue
			}
			if row.lockedUntil > end {
				bar.Waits = append(bar.Waits, timeline.Span{Start: end, End: row.lockedUntil})
				end = row.lockedUntil
			}
		}
		claimed = append(claimed, i)
	}
	bar.Skipped = min(bar.Skipped, 4)
	versions := make([]int, len(claimed))
	for k, i := range claimed {
		versions[k] = s.rows[i].version
		bar.Rows = append(bar.Rows, int64(i+1))
		end += s.jitter(4 * time.Millisecond)
	}
	bar.RowCount, bar.End = len(claimed), end
	s.claimed = claimed
	if s.locking != summary.NoLocks {
		for _, i := range claimed {
			s.rows[i].lockedUntil = end
		}
	}
	s.finishAt = append(s.finishAt, end)
	s.finish = append(s.finish, func() {
		for k, i := range claimed {
			if s.locking != summary.NoLocks {
				versions[k] = s.rows[i].version // nobody could change it
			}
			s.rows[i].spoken, s.rows[i].flag = versions[k], false
		}
		s.add(bar)
	})
	a.next = end + s.jitter(400*time.Microsecond)
	if len(claimed) == 0 {
		a.next += 5 * time.Millisecond
	}
}

func (s *simulation) edit(a *actor) {
	i := int(s.random.ExpFloat64()*float64(len(s.rows))/3) % len(s.rows)
	if s.random.IntN(4) == 0 && len(s.claimed) > 0 {
		i = s.claimed[s.random.IntN(len(s.claimed))]
	}
	bar := timeline.Bar{Lane: a.lane, Block: "edit", Attempt: 1, Outcome: timeline.Committed, Rows: []int64{int64(i + 1)}, RowCount: 1}
	bar.Start = a.next
	start := a.next + s.jitter(150*time.Microsecond)
	if until := s.rows[i].lockedUntil; until > start {
		bar.Waits = []timeline.Span{{Start: start, End: until}}
		start = until
	}
	if s.locking != summary.NoLocks && s.random.IntN(60) == 0 {
		bar.End, bar.Outcome, bar.Note = start+s.jitter(300*time.Microsecond), timeline.RolledBack, "deadlock found when trying to get lock"
		s.finishAt, s.finish = append(s.finishAt, bar.End), append(s.finish, func(bar timeline.Bar) func() { return func() { s.add(bar) } }(bar))
		again := bar
		again.Attempt, again.Waits, again.Note, again.Outcome = 2, nil, "", timeline.Committed
		again.Start = bar.End + s.jitter(4*time.Millisecond)
		bar, start = again, again.Start
	}
	bar.End = start + s.jitter(1300*time.Microsecond)
	s.rows[i].lockedUntil = max(s.rows[i].lockedUntil, bar.End)
	s.edits++
	s.finishAt = append(s.finishAt, bar.End)
	s.finish = append(s.finish, func() {
		s.rows[i].version++
		s.rows[i].flag = true
		s.add(bar)
	})
	a.next = bar.End + s.jitter(2200*time.Microsecond)
}

func (s *simulation) result(workers, writers int) report.Run {
	texts := sentences.Default()
	for i, row := range s.rows {
		if row.spoken != row.version {
			s.recording.Stale = append(s.recording.Stale, timeline.StaleFile{
				Row: int64(i + 1), Spoken: texts[(i+row.spoken)%len(texts)], Text: texts[(i+97*row.version)%len(texts)],
			})
		}
	}
	for _, bar := range s.recording.Bars {
		s.recording.Duration = max(s.recording.Duration, bar.End)
	}
	total := s.recording.Totals
	return report.Run{Recording: s.recording, Summary: summary.Summary{
		Engine: "PostgreSQL 17.6", Locking: s.locking, Voice: "tones", Rows: len(s.rows), Edits: s.edits,
		Workers: workers, Writers: writers, Rendered: len(s.rows) + s.edits - len(s.recording.Stale), Blocks: total.Blocks,
		Retries: total.Retries, LockWaits: total.LockWaits, Skipped: total.Skipped, Refused: total.Refused,
		Stale: len(s.recording.Stale), Elapsed: s.recording.Duration,
	}}
}
