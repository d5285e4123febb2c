package statements

import (
	"context"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/holdfast-go/holdfast/tests/testdb"
)

// contest is something that several do, Holdfast first.
type contest struct {
	name     string
	entrants []entrant
}

type entrant struct {
	name string
	run  func(ctx context.Context, i int) error
}

// turn is how often one runs before it is the next one's turn.
const turn = 10

// ratios has the entrants of each contest take turns, and reports what Holdfast
// takes as a part of what the others take: the ratio of the median times
// (time/bun, time/sql), and of the processor time in this process (cpu/bun,
// cpu/sql).
func ratios(b *testing.B, contests func(*testing.B, testdb.Engine) []contest) {
	each(b, contests, func(b *testing.B, c contest) {
		spent := make([]spending, len(c.entrants))
		draw := rand.New(rand.NewPCG(1, 2))
		for n := 0; b.Loop(); n++ {
			for _, k := range draw.Perm(len(c.entrants)) { // what one leaves to collect is not always the same one's
				begin := processor()
				for i := range turn {
					start := time.Now()
					if err := c.entrants[k].run(b.Context(), n*turn+i); err != nil {
						b.Fatal(c.entrants[k].name, err)
					}
					spent[k].times = append(spent[k].times, time.Since(start))
				}
				spent[k].cpu += processor() - begin
			}
		}
		for k, other := range c.entrants[1:] {
			b.ReportMetric(float64(spent[0].median())/float64(spent[k+1].median()), "time/"+other.name)
			b.ReportMetric(float64(spent[0].cpu)/float64(spent[k+1].cpu), "cpu/"+other.name)
		}
		b.ReportMetric(float64(spent[0].median().Nanoseconds())/1e3, "µs")
		b.ReportMetric(float64(spent[0].cpu.Nanoseconds())/1e3/float64(len(spent[0].times)), "cpu-µs")
		b.ReportMetric(0, "ns/op") // that of a round of all means nothing
	})
}

// costs runs each entrant by itself.
func costs(b *testing.B, contests func(*testing.B, testdb.Engine) []contest) {
	each(b, contests, func(b *testing.B, c contest) {
		for _, e := range c.entrants {
			b.Run(e.name, func(b *testing.B) {
				b.ReportAllocs()
				for i := 0; b.Loop(); i++ {
					if err := e.run(b.Context(), i); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	})
}

func each(b *testing.B, contests func(*testing.B, testdb.Engine) []contest, run func(*testing.B, contest)) {
	for _, engine := range testdb.Servers() {
		b.Run(string(engine), func(b *testing.B) {
			for _, c := range contests(b, engine) {
				b.Run(c.name, func(b *testing.B) { run(b, c) })
			}
		})
	}
}

type spending struct {
	times []time.Duration
	cpu   time.Duration
}

func (s *spending) median() time.Duration {
	slices.Sort(s.times)
	return s.times[len(s.times)/2]
}

// processor is the processor time that this process has had.
func processor() time.Duration {
	var u unix.Rusage
	_ = unix.Getrusage(unix.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
