package seam_test

import (
	"database/sql"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/internal/seam"
)

// Each option is named where it cannot be honoured, and only there.
func TestB18_OptionsAreNamed(t *testing.T) {
	wait := time.Duration(0)
	for _, c := range []struct {
		options             seam.Options
		outermost, ofABlock string
	}{
		{seam.Options{}, "", ""},
		{seam.Options{Name: "n", Propagation: 3}, "", ""},
		{seam.Options{ReadOnly: true}, "ReadOnly", "ReadOnly"},
		{seam.Options{Isolation: sql.LevelSerializable}, "Isolation", "Isolation"},
		{seam.Options{Deferrable: true}, "Deferrable", "Deferrable"},
		{seam.Options{Retry: &seam.Retry{Max: 1}}, "Retry", "Retry"},
		{seam.Options{Retry: &seam.Retry{}}, "", ""}, // none
		{seam.Options{Idle: 1}, "IdleTimeout", "IdleTimeout"},
		{seam.Options{Resolve: true}, "ResolveCommit", "ResolveCommit"},
		{seam.Options{Durable: true}, "", "Durable"},
		{seam.Options{NoSavepoint: true}, "", "NoSavepoint"},
		{seam.Options{Timeout: 1}, "", "Timeout"},
		{seam.Options{LockWait: &wait}, "", "LockTimeout"},
		{seam.Options{Explain: true}, "", "ExplainLocks"},
		{seam.Options{ReadOnly: true, Resolve: true, Durable: true, Explain: true}, "ReadOnly, ResolveCommit", "ReadOnly, ResolveCommit, Durable, ExplainLocks"},
	} {
		require.Equal(t, c.outermost, c.options.OutermostOnly())
		require.Equal(t, c.ofABlock, c.options.OfABlock())
	}
}

func TestB18_TheFirstObjectionCounts(t *testing.T) {
	var o seam.Options
	require.NoError(t, o.Err)
	o.Reject("Timeout(%v)", time.Second)
	o.Reject("another")
	require.EqualError(t, o.Err, "Timeout(1s)")
}
