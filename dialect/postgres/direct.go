package postgres

import (
	"context"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/holdfast-go/holdfast/internal/backend"
)

// direct sends a statement that the connection knows, with the arguments that were
// bound last, where nothing travels with it. The messages are those of an exchange;
// there is no pipeline to keep account of them.
func (w *wire) direct(ctx context.Context, st *statement) (*statement, *pgconn.ResultReader, error) {
	w.unreplicated = false
	w.open = exchange{wire: w, control: w.open.control[:0], inside: w.begun}
	p := &w.params
	result := w.conn.ExecStatement(ctx, st.sd, p.ParamValues, p.ParamFormats, st.formats)
	w.unbind()
	if result.FieldDescriptions() != nil { // it has a first row, or is done
		w.used, w.ran = true, true
		return st, result, nil
	}
	_, err := result.Close()
	if pgconn.SafeToRetry(err) && !w.conn.IsClosed() { // ctx has ended since it was looked at
		return nil, nil, &backend.NotSentError{Err: err}
	}
	w.used, w.ran = true, true
	if err := w.open.finish(st, err); err != nil {
		return nil, nil, err
	}
	return st, result, nil
}
