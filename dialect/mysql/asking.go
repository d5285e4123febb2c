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
	err = w.answered(all, query, err) // before Close, which forgets the results
	var res driver.Result
	if err == nil {
		res = w.replies.result()
		err = w.after(query)
	}
	if rows != nil {
		if closeErr := rows.Close(); err == nil {
			err = closeErr
		}
	}
	return res, number, c.sent(err)
}

// firstOfTwo reads a number, and the result of the statement after it, which has no
// rows.
func firstOfTwo(rows driver.Rows) (n int64, err error) {
	row := make([]driver.Value, len(rows.Columns()))
	if err = rows.Next(row); err != nil {
		return 0, err
	}
	if err = rows.(driver.RowsNextResultSet).NextResultSet(); err == io.EOF {
		err = nil
	}
	return backend.Integer(row[0]), err
}
