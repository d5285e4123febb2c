package block

import (
	"context"
	"errors"

	"github.com/holdfast-go/holdfast/dialect"
	"github.com/holdfast-go/holdfast/internal/backend"
)

// uncompared reports whether the server has refused st before it ran, since it
// could not compare its texts, and whether st knows another way.
func (x *Executor) uncompared(st Statement, e *dialect.Error) bool {
	c, ok := x.db.Engine.(backend.Comparer)
	return ok && st.Again != nil && !e.Fatal && c.Uncompared(e.Code)
}

// again is the statement to send in place of one that failed with err, or the error
// to return. Its block is not marked before it is known that there is none.
func (x *Executor) again(ctx context.Context, st Statement, err error) (_ Statement, ok bool, _ error) {
	if err == nil || st.Again == nil {
		return st, false, err
	}
	var e *dialect.Error // on the heap: not for a statement that went well
	if !errors.As(err, &e) || !x.uncompared(st, e) {
		return st, false, err
	}
	text, args, refused := st.Again(ctx)
	switch {
	case refused != nil:
		return st, false, x.Failed(ctx, st, refused)
	case text == st.SQL: // it was about something else
		return st, false, x.Failed(ctx, st, err)
	}
	st.SQL, st.Args, st.Again = text, args, nil
	return st, true, nil
}
