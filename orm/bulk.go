package orm

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"reflect"
	"slices"

	"github.com/holdfast-go/holdfast/internal/block"
	"github.com/holdfast-go/holdfast/internal/render"
	"github.com/holdfast-go/holdfast/query"
)

// How much one INSERT carries: no more than the engine's limit on values, and
// well below the least limit on the size of a packet that servers come with
// (MariaDB: 16 MiB).
const (
	batchRows  = 1000
	batchBytes = 4 << 20
)

// BulkCreate inserts many rows with few statements, and fills in what Create
// does. It is all or nothing (rule S9): if it takes more than one statement, it
// is a block of its own. Outside any other it runs again after a deadlock, a few
// times. Rows that leave different columns to the server go
// into statements of their own. If a trigger leaves rows out without an error it is a
// *[NotKeptError]; of one statement outside any block the others are there, as Written says.
//
// On MySQL the keys of a statement's rows are computed from the first of them: the
// server counts them without a gap (its manual, "InnoDB AUTO_INCREMENT Lock Modes"),
// by auto_increment_increment, which is asked for in the same round trip.
//
// With a query.OnConflict a row whose key is there already is left alone or
// updated, in the same statement (rule S40):
//
//	err := orm.Objects[Product](db).BulkCreate(ctx, rows, query.OnConflict("name").Update("price"))
//
// After Update and Set the structs hold what the database has, keys and versions
// too; models.Timestamps and models.Versioned are looked after. After DoNothing
// they are as they were given: no server tells which of the rows were new. Rows are
// written by the order of the key, and none may be there twice, but for DoNothing.
//
// MySQL and MariaDB do not say by which key a row is there. A table with another
// unique key that one of the rows could meet is dialect.ErrUnsupported there,
// before anything is sent; the keys are those of the model and those that the server
// has, for which it is asked once. MySQL takes a second statement to read the rows.
// Outside a block BulkCreate runs again by itself after a deadlock, a few times.
//
// A row that is marked as deleted (the tag soft_delete) and holds the key is
// [ErrDeleted] for Update and Set, and nothing is written, unless they name that column, or
// the query is WithDeleted; DoNothing leaves it alone as well (rule S63).
func (q QuerySet[T]) BulkCreate(ctx context.Context, rows []*T, onConflict ...query.Conflict) error {
	switch len(onConflict) {
	case 0:
		return q.set.failed(ctx, "BulkCreate", q.set.bulkCreate(ctx, rows))
	case 1:
		return q.set.failed(ctx, "BulkCreate", q.set.upsert(ctx, rows, onConflict[0]))
	}
	return q.set.failed(ctx, "BulkCreate", errors.New("a row is there by one key: give one OnConflict"))
}

func (q set[P]) bulkCreate(ctx context.Context, rows []P) error {
	if err := q.fresh(); err != nil {
		return err
	}
	r := q.db.reader(q.model)
	for i, row := range rows {
		if isNil(row) {
			return fmt.Errorf("row %d: %w", i, errNilRow)
		}
		if err := r.begin(row); err != nil {
			return fmt.Errorf("row %d: %w", i, err)
		}
	}
	batches := q.batches(rows)
	for _, b := range batches {
		if err := q.readable(b.left); err != nil {
			return err
		}
		if err := q.zeroStays(ctx, b.Rows...); err != nil {
			return err
		}
		if q.db.models.Returns() {
			b.Returning = b.left
		}
	}
	if len(batches) == 1 { // of more the values would be in memory twice
		var err error
		if batches, err = batches[0].cut(); err != nil {
			return err
		}
	}
	switch {
	case len(batches) == 0:
		return nil
	case len(batches) == 1 && batches[0].statements(q.db) == 1:
		err := forgetUnless(q.db.hasWritten(ctx, q.insertBatch(ctx, batches[0])), batches[0].left, batches[0].Rows)
		if len(rows) == 1 || q.db.executor.Encloses(ctx) || !curedByAgain(err) {
			return err
		}
	}
	err := q.db.ownBlock(ctx, func(ctx context.Context) error {
		for _, b := range batches {
			pieces, err := b.cut()
			if err != nil {
				return err
			}
			for _, piece := range pieces {
				if err := q.insertBatch(ctx, piece); err != nil {
					return err
				}
			}
		}
		return nil
	})
	for _, b := range batches {
		_ = forgetUnless(err, b.left, b.Rows)
	}
	return err
}

// batch is the rows of one INSERT.
type batch struct {
	render.Insert
	left []*render.Field
	size int         // roughly, in bytes
	most int         // rows
	text render.Text // of a batch that was rendered already
	// living are the rows that must not turn out to be deleted ones; nil: it does not matter.
	living []reflect.Value
}

// statements is how many it takes to insert the batch and learn its columns:
// 1, or 2 for more.
func (b *batch) statements(db *DB) int {
	if len(b.left) == 0 || db.models.Returns() || len(b.left) == 1 && counted(b.left[0]) {
		return 1
	}
	return 2
}

// batches sorts rows by the columns that they leave to the server, and cuts
// them to size.
func (q set[P]) batches(rows []P) []*batch {
	var all []*batch
	filling := map[string]*batch{}
	marks := make([]byte, len(q.model.Fields)) // of the columns that a row leaves to the server
	for _, row := range rows {
		v := reflect.ValueOf(row).Elem()
		for i, f := range q.model.Fields {
			marks[i] = 0
			if left(f, v) {
				marks[i] = 1
			}
		}
		b, size := filling[string(marks)], 0
		if b != nil {
			size = sizeOf(b.Fields, v)
		}
		if b == nil || len(b.Rows) == b.most || b.size+size > batchBytes {
			given, left := columns(q.model, v)
			b = &batch{Insert: render.Insert{Model: q.model, Fields: given}, left: left, most: 1}
			if len(given) > 0 {
				b.most = min(batchRows, q.db.models.MaxRows(len(given)))
			}
			size = sizeOf(b.Fields, v)
			filling[string(marks)] = b
			all = append(all, b)
		}
		b.Rows = append(b.Rows, v)
		b.size += size
	}
	return all
}

// sizeOf is roughly how much a row adds to the statement. How long a text is made of a
// struct, a list or a map, and what a Valuer says, is known once it is bound: see [weight].
func sizeOf(fields []*render.Field, row reflect.Value) int {
	n := 16 * len(fields)
	for _, f := range fields {
		switch f.IndirectType.Kind() {
		case reflect.String, reflect.Slice, reflect.Map:
			if v := reflect.Indirect(f.Field.Value(row)); v.IsValid() {
				n += v.Len()
			}
		}
	}
	return n
}

// rendered is the text of a batch.
func (b *batch) rendered() (render.Text, error) {
	if b.text.SQL != "" {
		return b.text, nil
	}
	return b.Render()
}

// cut is the batch, rendered, or in pieces if what its rows bind is more than one statement
// carries.
func (b *batch) cut() ([]*batch, error) {
	text, err := b.rendered()
	if err != nil {
		return nil, err
	}
	columns := len(b.Fields)
	if len(b.Rows) == 1 || weight(text.Args[:columns*len(b.Rows)]) <= batchBytes {
		whole := *b
		whole.text = text
		return []*batch{&whole}, nil
	}
	var pieces []*batch
	from, size := 0, 0
	for i := range b.Rows {
		row := weight(text.Args[columns*i : columns*(i+1)])
		if size += row; i > from && size > batchBytes {
			pieces = append(pieces, b.piece(from, i))
			from, size = i, row
		}
	}
	return append(pieces, b.piece(from, len(b.Rows))), nil
}

// piece is some of the rows, which are rendered anew.
func (b *batch) piece(from, to int) *batch {
	piece := *b
	piece.Rows, piece.text = b.Rows[from:to:to], render.Text{}
	return &piece
}

// weight is what sizeOf is, of what is bound.
func weight(args []any) int {
	n := 16 * len(args)
	for _, arg := range args {
		switch arg := arg.(type) {
		case string:
			n += len(arg)
		case []byte:
			n += len(arg)
		case []string: // an array of PostgreSQL
			for _, s := range arg {
				n += len(s)
			}
		}
	}
	return n
}

// askStep is by how much MySQL counts a key up from row to row.
const askStep = "SELECT @@auto_increment_increment"

// insertBatch sends one INSERT and fills in what the server gave its rows.
func (q set[P]) insertBatch(ctx context.Context, b *batch) error {
	text, err := b.rendered()
	switch {
	case err != nil:
		return err
	case len(b.Returning) > 0:
		return q.insertReturning(ctx, text, &b.Insert)
	case len(b.left) == 0:
		return q.execText(ctx, text, q.keptAll(ctx, len(b.Rows), nil))
	}
	st := q.db.built(text)
	step := &block.Question{Text: askStep}
	if len(b.Rows) > 1 && slices.ContainsFunc(b.left, counted) {
		st.Asks = step
	}
	var first int64
	st.Judge = q.keptAll(ctx, len(b.Rows), func(res driver.Result) (err error) {
		first, err = res.LastInsertId()
		return err
	})
	if _, err := q.db.executor.Exec(ctx, st); err != nil {
		return err
	}
	var others []*render.Field
	for _, f := range b.left {
		if !counted(f) {
			others = append(others, f)
			continue
		}
		for i, row := range b.Rows {
			if err := setKey(f, row, first+int64(i)*step.Answer); err != nil {
				return err
			}
		}
	}
	if len(others) == 0 {
		return nil
	}
	for _, row := range b.Rows {
		if err := q.reload(ctx, row, others); err != nil {
			return err
		}
	}
	return nil
}
