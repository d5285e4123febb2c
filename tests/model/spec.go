package model

// Engine is what a program can tell of the engine that it runs on.
type Engine struct {
	// OneWriter: the first statement of a block that is not ReadOnly takes the
	// only write lock of the database, and a write of anybody else is refused
	// until the block has ended (SQLite).
	OneWriter bool
	// ReadFixes: what a transaction sees of the commits of others is fixed by
	// its first read, at the default level too (rule S8: MySQL, SQLite).
	ReadFixes bool
	// InsertFixes: under RepeatableRead an insert fixes it as well (PostgreSQL).
	InsertFixes bool
	// Forgets: it is open again after a rollback to a savepoint that was set
	// before the transaction first came to a table (MySQL, which then rolls
	// back everything that InnoDB knows of).
	Forgets bool
}

// Outcome is what must come of a program.
type Outcome struct {
	Trace []string    // what happened, in order
	Rows  []int       // the rows at the end, without the seeds
	Plan  map[int]int // the row of each Insert, by its ID; a Control that is not in it is left out
	Lanes int         // how many transactions had rows
}

// Run runs a program in the model.
func Run(engine Engine, p Program) Outcome {
	w := &world{
		engine: engine,
		rows:   rows{},
		ctxs:   map[int]*ctx{0: {}},
		given:  map[int]*ctx{},
		points: map[int]*point{},
		plan:   map[int]int{},
	}
	w.outside = w.newLane()
	r := w.body(0, p.Body)
	w.logResult(0, "program", r)
	return Outcome{Trace: w.trace, Rows: w.rows.sorted(), Plan: w.plan, Lanes: w.lanes}
}
