package timeline

import "slices"

// LostEdit explains a stale file: which attempt rendered it, and which edit committed in the meantime and was
// overwritten.
type LostEdit struct {
	StaleFile
	Render int // index into Recording.Bars, or -1 if the recording had no room for it
	Edit   int // likewise
}

// LostEdits finds, for every stale file, the last block that rendered it and the last edit of its row that began before
// that block ended. An edit after it would have set the flag again, and the row would have been rendered once more.
func (r Recording) LostEdits() []LostEdit {
	byRow := make(map[int64][]int, len(r.Stale))
	for _, file := range r.Stale {
		byRow[file.Row] = nil
	}
	for i, bar := range r.Bars {
		for _, row := range bar.Rows {
			if bars, ok := byRow[row]; ok && bar.Outcome == Committed {
				byRow[row] = append(bars, i)
			}
		}
	}

	lost := make([]LostEdit, 0, len(r.Stale))
	for _, file := range r.Stale {
		edit := LostEdit{StaleFile: file, Render: -1, Edit: -1}
		bars := byRow[file.Row]
		for _, i := range slices.Backward(bars) {
			if r.role(i) == Worker {
				edit.Render = i
				break
			}
		}
		for _, i := range slices.Backward(bars) {
			if edit.Render >= 0 && r.role(i) == Writer && r.Bars[i].Start < r.Bars[edit.Render].End {
				edit.Edit = i
				break
			}
		}
		lost = append(lost, edit)
	}
	return lost
}

func (r Recording) role(bar int) Role { return r.Lanes[r.Bars[bar].Lane].Role }
