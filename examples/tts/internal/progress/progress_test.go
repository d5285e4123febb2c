package progress

import (
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestLines(t *testing.T) {
	var out strings.Builder
	p := New(&out, "skip-locked", 25)
	for range 5 {
		p.Add(2)
	}
	p.Add(15)
	p.Add(4) // more than there was to do
	p.End()
	p.End()
	p.Add(1)
	assert.Equal(t, `skip-locked:  16 % (4 of 25)
skip-locked:  24 % (6 of 25)
skip-locked:  32 % (8 of 25)
skip-locked:  40 % (10 of 25)
skip-locked: 100 % (25 of 25)
`, out.String())
}

func TestLinesOfAnInterruptedRun(t *testing.T) {
	var out strings.Builder
	p := New(&out, "none", 100)
	p.Add(3)
	p.End()
	assert.Equal(t, "none:   3 % (3 of 100)\n", out.String())
}

func TestNothingToDo(t *testing.T) {
	var out strings.Builder
	New(&out, "none", 0).End()
	assert.Empty(t, out.String())
}

func TestBar(t *testing.T) {
	var out strings.Builder
	p := &Progress{total: 300, show: newBar(&out, "skip-locked", 300)}
	p.Add(150)
	p.Add(400)
	p.End()
	last := out.String()[strings.LastIndex(out.String(), "skip-locked"):]
	assert.Contains(t, last, "100%")
	assert.Contains(t, last, "(300/300)")
	assert.True(t, strings.HasSuffix(last, "\n"), "what is printed next starts on a line of its own")

	out.Reset()
	p = &Progress{total: 300, show: newBar(&out, "none", 300)}
	p.Add(30)
	p.End()
	assert.Contains(t, out.String(), "(30/300)")
	assert.NotContains(t, out.String(), "100%")
}

func TestConcurrentAdd(t *testing.T) {
	var out strings.Builder
	p := New(&out, "wait", 800)
	var adds sync.WaitGroup
	for range 8 {
		adds.Go(func() {
			for range 100 {
				p.Add(1)
			}
		})
	}
	adds.Wait()
	p.End()
	assert.Equal(t, 10, strings.Count(out.String(), "\n"))
}
