package main

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/holdfast-go/holdfast/dialect"
	"github.com/holdfast-go/holdfast/examples/tts/internal/settings"
	"github.com/holdfast-go/holdfast/examples/tts/internal/summary"
	"github.com/holdfast-go/holdfast/examples/tts/internal/voice"
	"github.com/holdfast-go/holdfast/orm"
	"github.com/holdfast-go/holdfast/query"
	"github.com/holdfast-go/holdfast/tests/testdb"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// rehearsal is a run like that of "make demo", with fewer rows and shorter texts:
// under the race detector rendering is most of the work.
func rehearsal(stop context.Context, t *testing.T, db *orm.DB, locking settings.Locking) (summary.Summary, error) {
	t.Helper()
	s := settings.Settings{Rows: 64, Edits: 80, Workers: 4, Writers: 4, Out: t.TempDir()}
	speaker, err := voice.New(voice.Tones)
	require.NoError(t, err)
	result, _, err := one(stop, s, locking, db, speaker, []string{"one", "two words", "and three words", "네 단어"})
	return result, err
}

func each(t *testing.T, test func(t *testing.T, db *orm.DB)) {
	t.Helper()
	testdb.Each(t, func(t *testing.T, at testdb.Database) {
		db, err := orm.Open(t.Context(), testdb.Source(at.Engine, at.DSN))
		require.NoError(t, err)
		defer func() { require.NoError(t, db.Close()) }()
		test(t, db)
	})
}

// With locks no file ever speaks an old text.
func TestLockedRunsLeaveNothingStale(t *testing.T) {
	each(t, func(t *testing.T, db *orm.DB) {
		for _, locking := range []settings.Locking{settings.SkipLocked, settings.NoWait, settings.Wait} {
			result, err := rehearsal(t.Context(), t, db, locking)
			if locking == settings.SkipLocked && !db.Server().Can(dialect.SkipLocked) {
				require.ErrorIs(t, err, dialect.ErrUnsupported)
				continue
			}
			require.NoError(t, err, locking)
			assert.Zero(t, result.Stale, locking)
			assert.Zero(t, result.Pending, locking)
			assert.Equal(t, 80, result.Edits, locking)
			assert.GreaterOrEqual(t, result.Rendered, 64, locking)
		}
	})
}

// Without them some do: one run may be lucky, five are not.
func TestUnlockedRunsLeaveSomethingStale(t *testing.T) {
	each(t, func(t *testing.T, db *orm.DB) {
		for range 5 {
			result, err := rehearsal(t.Context(), t, db, settings.None)
			require.NoError(t, err)
			if result.Stale > 0 {
				return
			}
		}
		t.Error("no file was stale")
	})
}

// A run that is stopped ends its blocks and leaves nothing half-written.
func TestAStoppedRun(t *testing.T) {
	each(t, func(t *testing.T, db *orm.DB) {
		stop, cancel := context.WithCancel(t.Context())
		looked := make(chan struct{})
		defer func() { cancel(); <-looked }()
		go func() {
			defer close(looked)
			defer cancel()
			look := time.NewTicker(time.Millisecond)
			defer look.Stop()
			for range look.C { // until a sound is stored, or the run has ended by itself
				n, _ := orm.Objects[Audio](db).Filter(query.F("path").Ne("")).Count(stop) // at first there is no table
				if n > 0 || stop.Err() != nil {
					return
				}
			}
		}()
		result, err := rehearsal(stop, t, db, settings.Wait) // every server can
		require.NoError(t, err)
		assert.True(t, result.Interrupted)
		assert.Zero(t, result.Stale)
	})
}
