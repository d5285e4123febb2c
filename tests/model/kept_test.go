package model

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/holdfast-go/holdfast/tests/testdb"
)

type ops = []Op

// kept are programs in which the library once differed from the model, by what
// they are about. References are as drawn, before Number.
func kept() map[string]ops {
	return map[string]ops{
		"B11: the cause comes back when fn hands on what database/sql says of a cancelled ctx": {
			&Block{Body: Body{Ops: ops{&Cancel{}, &Insert{Call: Call{Check: true}, Slot: 1}}}},
		},
		"B11: a block whose ctx was cancelled needs a rollback": {
			&Block{Body: Body{Ops: ops{&Cancel{}, &Look{}}}},
		},
		"B18: where there is no block, its options are refused": {
			&Block{Options: Options{Propagation: Never, ReadOnly: true}, Body: Body{Ops: ops{&Insert{Slot: 1}}}},
			&Block{Body: Body{Ops: ops{
				&Block{Options: Options{Propagation: Suspended, Retry: true}, Body: Body{Ops: ops{&Insert{Slot: 2}}}},
			}}},
		},
		"B20: an error that is handed on is not a wish to roll back": {
			&Block{Body: Body{Ops: ops{
				&Block{Call: Call{Check: true}, Body: Body{Ops: ops{
					&Insert{Slot: 1},
					&Block{Options: Options{NoSavepoint: true}, Body: Body{End: ReturnRollback}},
				}}},
			}}},
		},
		"B20: the same with SetRollback": {
			&Block{Body: Body{Ops: ops{
				&Block{Call: Call{Check: true}, Body: Body{Ops: ops{
					&Insert{Slot: 1},
					&Block{Options: Options{Propagation: Join}, Body: Body{Ops: ops{&SetRollback{To: true}}}},
				}}},
			}}},
		},
		"S5: a ctx that was cancelled before the statement is no lost connection": {
			&Insert{Slot: 1, Way: ByExecutor, Canceled: true},
			&Block{Body: Body{Ops: ops{&Insert{Slot: 1, Way: ByExecutor, Canceled: true}}}},
		},
		"B16: the HookError of an inner block does not say that the outer one was committed": {
			&Block{Form: Value, Body: Body{Ops: ops{
				&Block{Call: Call{Check: true}, Options: Options{Propagation: Independent}, Body: Body{Ops: ops{
					&Hook{Body: Body{End: ReturnError}},
				}}},
			}}},
		},
		"B22: one snapshot also after the nested block that fixed it was rolled back": {
			&Block{Options: Options{ReadOnly: true, RepeatableRead: true}, Body: Body{Ops: ops{
				&Block{Body: Body{Ops: ops{&Read{}}, End: ReturnError}},
				&Insert{Call: Call{On: 1}, Slot: 1},
				&Read{},
			}}},
		},
		"B10: the end of a nested block leaves alone what the outer one is reading": {
			&Block{Body: Body{Ops: ops{
				&Insert{Slot: 1}, &Insert{Slot: 2}, &Insert{Slot: 3},
				&Rows{Body: Body{Ops: ops{&Block{}, &Insert{Slot: 4}}}},
				&Rows{Way: ByExecutor, Body: Body{Ops: ops{&Block{Body: Body{End: ReturnError}}}}},
				&Rows{Body: Body{Ops: ops{&Block{Body: Body{Ops: ops{&Read{}}}}}}},
				&Rows{Body: Body{Ops: ops{&Tx{}}}},
				&Insert{Slot: 5},
			}}},
		},
		"B6: the first error is carried also when the joined block asked for a rollback": {
			&Block{Body: Body{Ops: ops{
				&Block{Options: Options{Propagation: Join}, Body: Body{Ops: ops{&SetRollback{To: true}, &Insert{}}}},
				&Insert{Slot: 1},
			}}},
			&Block{Body: Body{Ops: ops{
				&Block{Options: Options{Propagation: Join}, Body: Body{Ops: ops{&Insert{}}, End: ReturnRollback}},
				&Insert{Slot: 1},
			}}},
		},
	}
}

func TestKeptPrograms(t *testing.T) {
	testdb.Each(t, func(t *testing.T, db testdb.Database) {
		tg := newTarget(t, db, deferred)
		for about, program := range kept() {
			p := Number(Program{Body{Ops: program}})
			assert.Empty(t, tg.compare(p), "%s\n%s", about, p)
		}
	})
}
