package timeline

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestLostEdits(t *testing.T) {
	bar := func(lane, start, end int, outcome Outcome, rows ...int64) Bar {
		return Bar{Span: ms(start, end), Lane: lane, Outcome: outcome, Rows: rows}
	}
	const worker, writer = 0, 1
	recording := Recording{
		Lanes: []LaneInfo{{Worker, "worker 1"}, {Writer, "writer 1"}},
		Bars: []Bar{
			bar(writer, 0, 2, Committed, 7),        // 0: rendered by 1
			bar(worker, 3, 10, Committed, 7, 8),    // 1
			bar(writer, 20, 22, Committed, 7),      // 2: rendered by 6
			bar(writer, 25, 27, Committed, 7),      // 3: the one that is lost
			bar(writer, 28, 29, RolledBack, 7),     // 4
			bar(writer, 28, 29, Committed, 8),      // 5
			bar(worker, 23, 30, Committed, 7),      // 6: the render that overwrites it
			bar(worker, 31, 40, RolledBack, 7),     // 7
			bar(worker, 50, 60, Committed, 9, 100), // 8: 9 was edited by nobody that the recording knows
		},
		Stale: []StaleFile{{Row: 7, Spoken: "old", Text: "new"}, {Row: 9}, {Row: 42}},
	}
	assert.Equal(t, []LostEdit{
		{StaleFile: recording.Stale[0], Render: 6, Edit: 3},
		{StaleFile: recording.Stale[1], Render: 8, Edit: -1},
		{StaleFile: recording.Stale[2], Render: -1, Edit: -1},
	}, recording.LostEdits())
}
