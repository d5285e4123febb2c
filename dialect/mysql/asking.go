package mysql

import (
	"context"
	"database/sql/driver"
	"io"
	"slices"

	"github.com/holdfast-go/holdfast/internal/backend"
)

// ExecAsking implements backend.AnswerCarrier. The question is one more statement of
// the text, so that the answer is that of the session in which query runs, whatever
// stands between.
func (w *wire) ExecAsking(ctx context.Context, prefix []string, question, query string, args []any) (driver.Result, int64, error) {
	if w.apart || !w.replies.seesIDs || wayOf(query, len(args)) != asText {
		return backend.ExecAskingAhead(ctx, w, prefix, question, query, args)
	}
	c, err := w.ready(ctx, prefix, query, args)
	defer clear(c.values)
	if err != nil {
		return nil, 0, err
	}
	w.used = true
	all := append(slices.Clip(c.prefix), question)
	rows, err := w.raw.QueryContext(ctx, join(all, query), c.values)
	if err == driver.ErrSkip { // the driver does not put the values into the text
		return backend.ExecAskingAhead(ctx, w, c.prefix, question, query, args)
	}
	var number int64
	if err == nil {
		number, err = firstOfTwo(rows)
	}
	var res driver.Result
	if err = w.answered(all, query, err); err == nil {
		res = w.replies.result()
		err = w.after(query)
	}
	return res, number, c.sent(err)
}

// firstOfTwo reads a number, and the result of the statement after it, which has no
// rows. What replies knows of both is still there then: a Close of rows that are not
// read to their end would forget it.
func firstOfTwo(rows driver.Rows) (n int64, err error) {
	defer func() { _ = rows.Close() }()
	row := make([]driver.Value, len(rows.Columns()))
	if err = rows.Next(row); err != nil && err != io.EOF {
		return 0, err
	}
	sets := rows.(driver.RowsNextResultSet)
	if err = sets.NextResultSet(); err == io.EOF {
		err = nil
	} else {
		_ = sets.NextResultSet() // there is none: that is the end
	}
	return backend.Integer(row[0]), err
}
