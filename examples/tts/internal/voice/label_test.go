package voice_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/examples/tts/internal/voice"
	"github.com/holdfast-go/holdfast/examples/tts/internal/wav"
)

func TestDigest(t *testing.T) {
	// The SHA-256 of "abc", from the examples of FIPS 180-4.
	assert.Equal(t, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad", voice.Digest("abc"))
}

func TestReadDigestOfBadFiles(t *testing.T) {
	whole, err := wav.Encode(wav.Sound{Rate: 8000, Samples: make([]int16, 8)}, wav.Info{Comment: "text sha-256 " + voice.Digest("x")})
	require.NoError(t, err)
	comment := func(text string) []byte {
		file, err := wav.Encode(wav.Sound{Rate: 8000}, wav.Info{Comment: text})
		require.NoError(t, err)
		return file
	}
	for name, test := range map[string]struct {
		content []byte
		want    error
	}{
		"empty.wav":      {nil, wav.ErrFormat},
		"text.wav":       {[]byte("not a sound at all"), wav.ErrFormat},
		"half.wav":       {whole[:len(whole)-9], wav.ErrTruncated},
		"unlabelled.wav": {comment(""), voice.ErrNoDigest},
		"chatty.wav":     {comment("recorded on a rainy day"), voice.ErrNoDigest},
		"short.wav":      {comment("text sha-256 c0ffee"), voice.ErrNoDigest},
		"nonsense.wav":   {comment("text sha-256 " + voice.Digest("x")[1:] + "g"), voice.ErrNoDigest},
	} {
		path := filepath.Join(t.TempDir(), name)
		require.NoError(t, os.WriteFile(path, test.content, 0o600))
		_, err := voice.ReadDigest(path)
		assert.ErrorIs(t, err, test.want, name)
		assert.ErrorContains(t, err, name)
	}
	_, err = voice.ReadDigest(filepath.Join(t.TempDir(), "missing.wav"))
	assert.ErrorIs(t, err, os.ErrNotExist)
	_, err = voice.ReadDigest(t.TempDir())
	assert.Error(t, err, "a directory")
}
