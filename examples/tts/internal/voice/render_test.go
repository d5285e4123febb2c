package voice_test

import (
	"context"
	"errors"
	"math"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/examples/tts/internal/voice"
	"github.com/holdfast-go/holdfast/examples/tts/internal/wav"
)

func tones(t *testing.T) *voice.Voice {
	t.Helper()
	v, err := voice.New(voice.Tones)
	require.NoError(t, err)
	return v
}

func entries(t *testing.T, dir string) (names []string) {
	t.Helper()
	list, err := os.ReadDir(dir)
	require.NoError(t, err)
	for _, entry := range list {
		names = append(names, entry.Name())
	}
	return names
}

func TestRenderWritesASoundThatKnowsItsText(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "1.wav")
	require.NoError(t, tones(t).Render(t.Context(), path, "안녕, world!", 1))
	assert.Equal(t, []string{"1.wav"}, entries(t, dir))

	label, err := voice.ReadLabel(path)
	require.NoError(t, err)
	assert.Equal(t, "안녕, world!", label.Text)
	assert.True(t, label.Speaks("안녕, world!"))
	assert.False(t, label.Speaks("안녕, world"))

	content, err := os.ReadFile(path)
	require.NoError(t, err)
	sound, err := wav.Decode(content)
	require.NoError(t, err)
	assert.Greater(t, len(sound.Samples), sound.Rate/4, "a quarter of a second at least")
}

func TestRenderReplaces(t *testing.T) {
	path := filepath.Join(t.TempDir(), "1.wav")
	require.NoError(t, tones(t).Render(t.Context(), path, "before", 1))
	require.NoError(t, tones(t).Render(t.Context(), path, "after", 1))
	digest, err := voice.ReadDigest(path)
	require.NoError(t, err)
	assert.Equal(t, voice.Digest("after"), digest)
}

func TestRenderInterruptedLeavesNothing(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "1.wav")
	require.NoError(t, tones(t).Render(t.Context(), path, "before", 1))

	cause := errors.New("the user pressed Ctrl-C")
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(cause)
	require.ErrorIs(t, tones(t).Render(ctx, path, "after", 1), cause)
	assert.Equal(t, []string{"1.wav"}, entries(t, dir))
	digest, err := voice.ReadDigest(path)
	require.NoError(t, err)
	assert.Equal(t, voice.Digest("before"), digest)
}

func TestRenderThatCannotBePutInPlaceLeavesNothing(t *testing.T) {
	dir := t.TempDir()
	occupied := filepath.Join(dir, "1.wav")
	require.NoError(t, os.MkdirAll(filepath.Join(occupied, "in the way"), 0o755))
	assert.Error(t, tones(t).Render(t.Context(), occupied, "text", 1))
	assert.Equal(t, []string{"1.wav"}, entries(t, dir))

	err := tones(t).Render(t.Context(), filepath.Join(dir, "no such", "2.wav"), "text", 1)
	assert.ErrorIs(t, err, os.ErrNotExist)
}

// Two workers that render one row at the same time, as without locks, must still leave a whole file: the stale file
// that the example shows is the fault of the missing lock, not of the disk.
func TestRenderConcurrently(t *testing.T) {
	v, path := tones(t), filepath.Join(t.TempDir(), "1.wav")
	require.NoError(t, v.Render(t.Context(), path, "한", 1))
	var renders sync.WaitGroup
	for _, text := range []string{"one", "둘", "three", "넷"} {
		renders.Go(func() {
			for range 20 {
				assert.NoError(t, v.Render(t.Context(), path, text, 4))
			}
		})
	}
	done := make(chan struct{})
	go func() { renders.Wait(); close(done) }()
	for reading := true; reading; {
		select {
		case <-done:
			reading = false
		default:
			label, err := voice.ReadLabel(path)
			require.NoError(t, err)
			require.True(t, label.Speaks(label.Text))
		}
	}
}

func TestRenderRefuses(t *testing.T) {
	path := filepath.Join(t.TempDir(), "1.wav")
	for _, speed := range []float64{0, -1, 0.2, 5, math.NaN(), math.Inf(1)} {
		assert.ErrorIs(t, tones(t).Render(t.Context(), path, "text", speed), voice.ErrSpeed, "%v", speed)
	}
	for _, text := range []string{"\xff\xfe", strings.Repeat("가", voice.MaxText+1)} {
		assert.ErrorIs(t, tones(t).Render(t.Context(), path, text, 1), voice.ErrText)
	}
	assert.NoFileExists(t, path)
}

func TestRenderOfAwkwardTexts(t *testing.T) {
	path := filepath.Join(t.TempDir(), "1.wav")
	for _, text := range []string{"", " ", "...", "a\x00b", "e\u0301", "줄\n바꿈", strings.Repeat("가", voice.MaxText)} {
		require.NoError(t, tones(t).Render(t.Context(), path, text, 4))
		label, err := voice.ReadLabel(path)
		require.NoError(t, err)
		assert.True(t, label.Speaks(text), "%q", text)
	}
}

func TestNew(t *testing.T) {
	_, err := voice.New("opera")
	assert.ErrorContains(t, err, `"opera" is none of [auto tones espeak]`)
	t.Setenv("PATH", t.TempDir())
	_, err = voice.New(voice.Espeak)
	assert.ErrorIs(t, err, voice.ErrNoEspeak)
	v, err := voice.New(voice.Auto)
	require.NoError(t, err)
	assert.Equal(t, "tones", v.Name())
}
