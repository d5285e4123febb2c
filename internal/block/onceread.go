package block

import (
	"context"
	"database/sql/driver"
	"encoding/json"
	"errors"
	"io"
	"strings"

	"github.com/holdfast-go/holdfast/atomic"
	"github.com/holdfast-go/holdfast/dialect"
	"github.com/holdfast-go/holdfast/internal/backend"
	"github.com/holdfast-go/holdfast/internal/seam"
)

// read is what the key's row says, or nil if it has expired or is gone. It sets unsure.
func (r *onceRun) read(ctx context.Context, text string) (*seam.Answer, error) {
	var row []driver.Value
	found := false
	err := r.executor.Query(ctx, r.statement(text, []any{r.id}), func(rows driver.Rows) error {
		row = make([]driver.Value, len(rows.Columns()))
		switch err := rows.Next(row); err {
		case nil:
			found = true
			for i, v := range row {
				if b, ok := v.([]byte); ok {
					row[i] = append([]byte{}, b...) // the driver's own, until the next row
				}
			}
			return nil
		case io.EOF:
			return nil
		default:
			return err
		}
	})
	r.unsure = found && len(row) > 4 && backend.Integer(row[4]) == 1
	switch {
	case err != nil:
		return nil, r.failed(err)
	case !found || backend.Integer(row[0]) == 1:
		return nil, nil
	case backend.Text(row[1]) != string(r.what):
		return nil, &atomic.BlockError{Block: r.info, Kind: atomic.ErrOnceMismatch, Reason: "the key was used before, with another OnceFor; a new request needs a new key"}
	case row[3] == nil && r.around():
		return nil, &atomic.BlockError{Block: r.info, Kind: atomic.ErrInProgress, Reason: "the block that runs for this key is one around this"}
	case row[3] == nil:
		return nil, &atomic.BlockError{Block: r.info, Kind: atomic.ErrTransactionEnded, Reason: "a block that ran for this key has committed it without a result: " +
			"a statement in it had ended its transaction, with what came before; look what is done, and then delete the row of " + backend.OnceTable + " whose id is the key's SHA-256"}
	case backend.Integer(row[2]) == 1:
		var stored storedFailure
		if err := json.Unmarshal([]byte(backend.Text(row[3])), &stored); err != nil {
			return nil, err
		}
		return &seam.Answer{Stored: true, Failure: stored.Text, Kind: r.kindNamed(stored.Kind)}, nil
	}
	return &seam.Answer{Kept: true, Stored: true, Result: []byte(backend.Text(row[3]))}, nil
}

// around reports whether a block around this one has the key in progress.
func (r *onceRun) around() bool {
	t := r.block.tx
	return r.executor.keys.heldBy(r.ID, t) || t.hasClaim()
}

func (r *onceRun) kindNamed(text string) error {
	for _, kind := range r.Errors {
		if kind.Error() == text {
			return kind
		}
	}
	return nil
}

// onceTable says what is missing where a statement on the table cannot be carried out.
func (x *Executor) onceTable(about atomic.BlockInfo, err error) error {
	var e *dialect.Error
	if !errors.As(err, &e) {
		return err
	}
	var reason string
	switch e.Code {
	case "42P01", "1146": // undefined_table, ER_NO_SUCH_TABLE
		reason = "there is no"
	case "42501", "1142", "1143": // insufficient_privilege, ER_TABLEACCESS_DENIED_ERROR, ER_COLUMNACCESS_DENIED_ERROR
		reason = "the user may not use the"
	case "42703", "1054": // undefined_column, ER_BAD_FIELD_ERROR
		reason = "there are columns missing in the"
	default:
		if e.Engine != dialect.SQLite || !strings.HasPrefix(e.Message, "no such table") {
			return err
		}
		reason = "there is no"
	}
	return &atomic.BlockError{Block: about, Reason: reason + " table " + backend.OnceTable + ": create it with the text OnceTable of the engine's package, or with " +
		"orm.CreateTables(ctx, db, (*models.Once)(nil)); the user needs SELECT, INSERT and UPDATE on it, and DELETE for PurgeOnce", Err: err}
}
