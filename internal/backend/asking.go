package backend

import (
	"context"
	"database/sql/driver"
	"errors"
)

// AnswerCarrier is a Wire that asks a question in the round trip of a statement.
type AnswerCarrier interface {
	// ExecAsking is Exec with a question in front of query, whose answer is one
	// number. If the question fails, query does not run.
	ExecAsking(ctx context.Context, prefix []string, question, query string, args []any) (res driver.Result, answer int64, err error)
}

// ExecAsking asks by w, on the way if it can, and else in a round trip ahead of query.
func ExecAsking(ctx context.Context, w Wire, prefix []string, question, query string, args []any) (res driver.Result, answer int64, err error) {
	if carrier, ok := w.(AnswerCarrier); ok {
		return carrier.ExecAsking(ctx, prefix, question, query, args)
	}
	return ExecAskingAhead(ctx, w, prefix, question, query, args)
}

// ExecAskingAhead asks in a round trip ahead of query, with which prefix goes.
func ExecAskingAhead(ctx context.Context, w Wire, prefix []string, question, query string, args []any) (res driver.Result, answer int64, err error) {
	rows, err := w.Query(ctx, prefix, question, nil)
	if err != nil {
		return nil, 0, err
	}
	row := make([]driver.Value, len(rows.Columns()))
	if err = rows.Next(row); err == nil {
		answer = Integer(row[0])
	}
	if closeErr := rows.Close(); err == nil {
		err = closeErr
	}
	if err != nil {
		return nil, 0, err
	}
	res, err = w.Exec(ctx, nil, query, args)
	if unsent := (*NotSentError)(nil); len(prefix) > 0 && errors.As(err, &unsent) {
		err = unsent.Err // prefix was
	}
	return res, answer, err
}
