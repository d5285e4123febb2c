package seam_test

import (
	"database/sql"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/internal/seam"
)

// An outermost block has what the database's defaults say and its own options do not.
func TestB18_DefaultsComplete(t *testing.T) {
	wait, own := time.Second, time.Minute
	defaults := seam.Options{
		Isolation: sql.LevelSerializable, Explain: true, LockWait: &wait, Idle: time.Second, Resolve: true,
		Timeout: time.Hour, Retry: &seam.Retry{Max: 3},
	}
	var o seam.Options
	o.Complete(&defaults)
	require.Equal(t, defaults, o)

	said := seam.Options{
		Isolation: sql.LevelReadCommitted, Explain: true, LockWait: &own, Idle: time.Minute, Resolve: true,
		Timeout: time.Minute, Retry: &seam.Retry{},
	}
	o = said
	o.Complete(&defaults)
	require.Equal(t, said, o)
	o = said
	o.Complete(&seam.Options{})
	require.Equal(t, said, o, "what a block says for itself needs no default")

	o = seam.Options{NoDefaults: true}
	o.Complete(&defaults)
	require.Equal(t, seam.Options{NoDefaults: true}, o)

	o = seam.Options{ByHand: true}
	o.Complete(&defaults)
	require.Equal(t, seam.Options{ByHand: true, Isolation: sql.LevelSerializable, Explain: true, LockWait: &wait, Idle: time.Second, Resolve: true}, o,
		"nobody could run it again, and its ctx is the caller's")

	require.Equal(t, &seam.Options{Name: "s", Isolation: sql.LevelSerializable, Explain: true, LockWait: &wait}, defaults.OfSession("s"),
		"a session's transactions end when their owner says so")
}

// What is in force is shown as a caller writes it.
func TestB18_OptionsAreShown(t *testing.T) {
	wait := time.Duration(0)
	o := seam.Options{
		Name: "n", Isolation: sql.LevelSerializable, ReadOnly: true, Deferrable: true, Retry: &seam.Retry{Max: 3}, Timeout: time.Hour,
		Idle: time.Minute, LockWait: &wait, Resolve: true, Explain: true,
	}
	require.Equal(t, "Isolation(Serializable), ReadOnly, Deferrable, Retry(3), Timeout(1h0m0s), IdleTimeout(1m0s), LockTimeout(0s), ResolveCommit, ExplainLocks", o.String())
	require.Empty(t, (&seam.Options{}).String())
	require.Empty(t, (*seam.Options)(nil).String())
}

// What says what one block is cannot be what every block has.
func TestB18_WhatIsNoDefault(t *testing.T) {
	for want, o := range map[string]seam.Options{
		"":            {Isolation: sql.LevelSerializable, Retry: &seam.Retry{Max: 1}, Timeout: 1, Resolve: true, Explain: true},
		"Name":        {Name: "n"},
		"Propagation": {Propagation: 1},
		"Durable":     {Durable: true},
		"NoSavepoint": {NoSavepoint: true},
		"Deferrable":  {Deferrable: true, ReadOnly: true},
		"ReadOnly":    {ReadOnly: true},
		"NoDefaults":  {NoDefaults: true},
	} {
		require.Equal(t, want, o.NoDefault())
	}
}
