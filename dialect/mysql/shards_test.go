package mysql

import (
	"context"
	"database/sql/driver"
	"io"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/dialect"
	"github.com/holdfast-go/holdfast/internal/backend"
)

// vtgateWire is a connection to vtgate whose session has a transaction_mode.
type vtgateWire struct {
	backend.Wire
	mode string
}

func (w *vtgateWire) ID() int64 { return 0 }

func (w *vtgateWire) Query(_ context.Context, _ []string, _ string, _ []any) (driver.Rows, error) {
	return w, nil
}

func (w *vtgateWire) Columns() []string { return []string{"@@transaction_mode"} }
func (w *vtgateWire) Close() error      { return nil }

func (w *vtgateWire) Next(row []driver.Value) error {
	if w.mode == "" {
		return io.EOF
	}
	row[0] = []byte(w.mode)
	return nil
}

// A mark tells what became of a transaction only where all of it is on one shard.
func TestB12_AMarkOnOneShardOfSeveral(t *testing.T) {
	vitess := resolver{&engine{server: dialect.Server{Engine: dialect.MySQL, Product: "Vitess", Version: dialect.Version{Major: 24}}}}
	for _, mode := range []string{"MULTI", "TWOPC"} {
		_, _, err := vitess.Prepare(t.Context(), &vtgateWire{mode: mode}, nil)
		require.ErrorIs(t, err, dialect.ErrUnsupported)
		require.ErrorContains(t, err, "transaction_mode")
	}
	_, _, err := vitess.Prepare(t.Context(), &vtgateWire{}, nil)
	require.ErrorIs(t, err, io.EOF)
	_, prefix, err := vitess.Prepare(t.Context(), &vtgateWire{mode: "SINGLE"}, nil)
	require.NoError(t, err)
	require.Len(t, prefix, 1)
}
