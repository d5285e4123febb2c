package wav_test

import (
	"bytes"
	"encoding/hex"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/holdfast-go/holdfast/examples/tts/internal/wav"
)

// The bytes are spelled out by hand from the format's specification, so that an error that Encode and Decode share
// cannot hide.
func TestEncodeBytes(t *testing.T) {
	file, err := wav.Encode(wav.Sound{Rate: 8000, Samples: []int16{1, -2}}, wav.Info{Comment: "ab"})
	require.NoError(t, err)
	want := strings.Join([]string{
		"52494646", "40000000", "57415645", // RIFF, 64 bytes follow, WAVE
		"666d7420", "10000000", "0100", "0100", // fmt, 16 bytes, PCM, mono
		"401f0000", "803e0000", "0200", "1000", // 8000 samples and 16000 bytes a second, 2 bytes, 16 bit
		"64617461", "04000000", "0100", "feff", // data, 4 bytes
		"4c495354", "10000000", "494e464f", // LIST, 16 bytes, INFO
		"49434d54", "03000000", "61620000", // ICMT, 3 bytes, "ab", NUL, padding
	}, "")
	assert.Equal(t, want, hex.EncodeToString(file))
}

func TestEncodeRefusesNonsense(t *testing.T) {
	_, err := wav.Encode(wav.Sound{}, wav.Info{})
	assert.ErrorContains(t, err, "a rate of 0")
	_, err = wav.Encode(wav.Sound{Rate: 1}, wav.Info{Title: strings.Repeat("x", 2<<20)})
	assert.ErrorIs(t, err, wav.ErrTooLong)
}

func TestRoundTrip(t *testing.T) {
	text := rapid.StringMatching(`[^\x00]*`)
	rapid.Check(t, func(t *rapid.T) {
		sound := wav.Sound{
			Rate:    rapid.IntRange(1, 192000).Draw(t, "rate"),
			Samples: rapid.SliceOf(rapid.Int16()).Draw(t, "samples"),
		}
		info := wav.Info{Title: text.Draw(t, "title"), Comment: text.Draw(t, "comment"), Software: text.Draw(t, "software")}
		file, err := wav.Encode(sound, info)
		require.NoError(t, err)

		gotSound, err := wav.Decode(file)
		require.NoError(t, err)
		assert.Equal(t, sound.Rate, gotSound.Rate)
		assert.ElementsMatch(t, sound.Samples, gotSound.Samples)
		gotInfo, err := wav.ReadInfo(bytes.NewReader(file))
		require.NoError(t, err)
		assert.Equal(t, info, gotInfo)
	})
}

// A file that lost its end anywhere must never pass for a whole one.
func TestReadInfoOfHalfAFile(t *testing.T) {
	file, err := wav.Encode(wav.Sound{Rate: 8000, Samples: make([]int16, 40)}, wav.Info{Title: "t", Comment: "digest"})
	require.NoError(t, err)
	for n := range file {
		_, err := wav.ReadInfo(bytes.NewReader(file[:n]))
		require.Error(t, err, "%d of %d bytes", n, len(file))
		if n >= 12 {
			require.ErrorIs(t, err, wav.ErrTruncated, "%d of %d bytes", n, len(file))
		}
	}
}

func TestReadInfoOfSomethingElse(t *testing.T) {
	for name, content := range map[string]string{
		"nothing":  "",
		"text":     "once upon a time there was a file",
		"an image": "RIFF\x04\x00\x00\x00WEBP",
	} {
		_, err := wav.ReadInfo(strings.NewReader(content))
		assert.ErrorIs(t, err, wav.ErrFormat, name)
	}
	_, err := wav.ReadInfo(strings.NewReader("RIFF\x04\x00\x00\x00WAVE"))
	assert.ErrorContains(t, err, "no sound")
}

// espeak-ng --stdout writes the largest size it can think of, since it cannot seek back in a pipe.
func TestDecodeStream(t *testing.T) {
	file, err := wav.Encode(wav.Sound{Rate: 22050, Samples: []int16{3, 4, 5}}, wav.Info{})
	require.NoError(t, err)
	copy(file[4:], "\x24\xf0\xff\x7f")
	copy(file[40:], "\x00\xf0\xff\x7f")
	sound, err := wav.Decode(file)
	require.NoError(t, err)
	assert.Equal(t, []int16{3, 4, 5}, sound.Samples)
}

func TestDecodeRefusesOtherFormats(t *testing.T) {
	file, err := wav.Encode(wav.Sound{Rate: 8000, Samples: []int16{1}}, wav.Info{})
	require.NoError(t, err)
	file[22] = 2
	_, err = wav.Decode(file)
	assert.ErrorIs(t, err, wav.ErrFormat)
	assert.ErrorContains(t, err, "2 channels")
}

func FuzzRead(f *testing.F) {
	file, err := wav.Encode(wav.Sound{Rate: 8000, Samples: []int16{1, 2}}, wav.Info{Title: "t", Comment: "c"})
	require.NoError(f, err)
	f.Add(file)
	f.Add(file[:30])
	f.Fuzz(func(_ *testing.T, b []byte) {
		_, _ = wav.Decode(b)
		_, _ = wav.ReadInfo(bytes.NewReader(b))
	})
}
