package voice_test

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/examples/tts/internal/voice"
	"github.com/holdfast-go/holdfast/examples/tts/internal/wav"
)

// The demo speaks with espeak-ng where it is installed and does without where it
// is not, and so do its tests. .ci/run installs it.
func TestEspeak(t *testing.T) {
	if _, err := exec.LookPath("espeak-ng"); err != nil {
		t.Skip("espeak-ng is optional, and not installed here")
	}
	v, err := voice.New(voice.Auto)
	require.NoError(t, err)
	require.Equal(t, "espeak-ng", v.Name())
	path := filepath.Join(t.TempDir(), "1.wav")
	seconds := func(text string, speed float64) float64 {
		require.NoError(t, v.Render(t.Context(), path, text, speed))
		label, err := voice.ReadLabel(path)
		require.NoError(t, err)
		assert.True(t, label.Speaks(text))
		content, err := os.ReadFile(path)
		require.NoError(t, err)
		sound, err := wav.Decode(content)
		require.NoError(t, err)
		return float64(len(sound.Samples)) / float64(sound.Rate)
	}
	slow := seconds("비가 그치고 무지개가 떴다.", 1)
	assert.Greater(t, slow, 1.0)
	assert.Less(t, seconds("비가 그치고 무지개가 떴다.", 2), slow*0.8)
	assert.Greater(t, seconds("--help", 1), 0.2, "a text that looks like an option is spoken")
	assert.Positive(t, seconds("", 1))
}

// program puts a stand-in for espeak-ng on the PATH, to see what becomes of its failures.
func program(t *testing.T, script string) *voice.Voice {
	t.Helper()
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "espeak-ng"), []byte("#!/bin/sh\n"+script), 0o755))
	t.Setenv("PATH", dir+string(os.PathListSeparator)+os.Getenv("PATH"))
	v, err := voice.New(voice.Espeak)
	require.NoError(t, err)
	return v
}

func TestEspeakFails(t *testing.T) {
	path := filepath.Join(t.TempDir(), "1.wav")
	err := program(t, "echo no voice data >&2; exit 3").Render(t.Context(), path, "text", 1)
	assert.ErrorContains(t, err, "espeak-ng: exit status 3: no voice data")
	err = program(t, "echo hello").Render(t.Context(), path, "text", 1)
	assert.ErrorIs(t, err, wav.ErrFormat)
	assert.NoFileExists(t, path)
}

func TestEspeakInterrupted(t *testing.T) {
	dir := t.TempDir()
	v := program(t, "touch "+dir+"/started; exec sleep 60")
	ctx, cancel := context.WithCancel(t.Context())
	rendered := make(chan error, 1)
	go func() { rendered <- v.Render(ctx, filepath.Join(dir, "1.wav"), "text", 1) }()
	require.Eventually(t, func() bool { _, err := os.Stat(dir + "/started"); return err == nil }, 10*time.Second, time.Millisecond)
	cancel()
	assert.ErrorIs(t, <-rendered, context.Canceled)
	assert.Equal(t, []string{"started"}, entries(t, dir))
}
