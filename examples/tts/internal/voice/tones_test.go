package voice

import (
	"context"
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const (
	korean  = "창문을 열자 갓 구운 빵 냄새가 방 안까지 들어왔다."
	english = "Have you read chapter 12 of the book I lent you?"
)

func TestTonesAreTheSameEachTime(t *testing.T) {
	voice := newTones()
	first, err := voice.speak(t.Context(), korean, 1)
	require.NoError(t, err)
	second, err := newTones().speak(t.Context(), korean, 1)
	require.NoError(t, err)
	assert.Equal(t, first, second)

	other, err := voice.speak(t.Context(), english, 1)
	require.NoError(t, err)
	assert.NotEqual(t, first, other)
}

func TestSpeedScalesTheDuration(t *testing.T) {
	voice := newTones()
	length := func(speed float64) float64 {
		sound, err := voice.speak(t.Context(), english, speed)
		require.NoError(t, err)
		return float64(len(sound.Samples))/toneRate - 2*ring // what rings on at the end is not sped up
	}
	normal := length(1)
	assert.Greater(t, normal, 1.0, "seconds")
	assert.InEpsilon(t, normal/2, length(2), 0.01)
	assert.InEpsilon(t, normal*4, length(0.25), 0.01)
}

// A click is a jump between two samples. The steepest a tone can climb is its amplitude times 2π·f/rate for each of its
// harmonics, far below full scale.
func TestTonesDoNotClick(t *testing.T) {
	for _, text := range []string{korean, english, "0123456789", "ㅋㅋㅋ 漢字 🙂!", "A"} {
		sound, err := newTones().speak(t.Context(), text, 1)
		require.NoError(t, err)
		var before int16
		var loudest, jump float64
		for _, s := range append(sound.Samples, 0) {
			jump = max(jump, math.Abs(float64(s)-float64(before)))
			loudest = max(loudest, math.Abs(float64(s)))
			before = s
		}
		assert.Less(t, jump/math.MaxInt16, 0.6, text)
		assert.Less(t, loudest/math.MaxInt16, 0.99, text)
		assert.Greater(t, loudest/math.MaxInt16, 0.2, text)
		assert.Zero(t, sound.Samples[0], text)
		assert.Less(t, math.Abs(float64(sound.Samples[len(sound.Samples)-1])), 40.0, text)
	}
}

func TestTonesOfNothingAreSilence(t *testing.T) {
	sound, err := newTones().speak(t.Context(), "", 1)
	require.NoError(t, err)
	assert.NotEmpty(t, sound.Samples)
	for _, s := range sound.Samples {
		require.Zero(t, s)
	}
}

func BenchmarkTones(b *testing.B) {
	voice := newTones()
	for b.Loop() {
		if _, err := voice.speak(context.Background(), korean, 1); err != nil {
			b.Fatal(err)
		}
	}
}
