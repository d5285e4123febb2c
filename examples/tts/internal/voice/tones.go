package voice

import (
	"context"
	"math"
	"strings"

	"github.com/holdfast-go/holdfast/examples/tts/internal/wav"
)

const (
	toneRate  = 16_000
	tableSize = 2048
	attack    = 0.004 // seconds; a tone that starts at full strength clicks
	ring      = 0.06  // seconds that a tone goes on under the next one
	headroom  = 0.85  // of full scale for one tone, since neighbours overlap
)

// tones is the built-in voice: struck bars, one melody a character.
type tones struct {
	table [tableSize + 1]float32 // one period; reading it is ten times faster than math.Sin for each sample
}

func newTones() *tones {
	t := new(tones)
	for i := range t.table {
		phase := 2 * math.Pi * float64(i) / tableSize
		t.table[i] = float32(0.76*math.Sin(phase) + 0.16*math.Sin(2*phase) + 0.08*math.Sin(4*phase))
	}
	return t
}

func (t *tones) speak(ctx context.Context, text string, speed float64) (wav.Sound, error) {
	var mix []float32
	at := 0.0 // seconds
	characters := []rune(text)
	for i, r := range characters {
		if err := context.Cause(ctx); err != nil {
			return wav.Sound{}, err
		}
		bend := intonation(i, len(characters), strings.HasSuffix(text, "?"))
		for _, n := range pattern(r) {
			n.from, n.to, n.seconds = n.from*bend, n.to*bend, n.seconds/speed
			mix = t.strike(mix, at, n)
			at += n.seconds
		}
	}
	mix = grow(mix, samples(at+2*ring))
	return wav.Sound{Rate: toneRate, Samples: quantise(mix)}, nil
}

// intonation lets a sentence sink a little from its first character to its last, and a question rise at its end, as a
// speaker does.
func intonation(i, n int, question bool) float64 {
	if left := n - 1 - i; question && left < 4 {
		return 1.26 - 0.05*float64(left)
	}
	return 1.04 - 0.08*float64(i)/float64(n)
}

// strike adds one tone to the mix. It starts softly, dies away like a struck bar and ends at silence, so that no
// sample jumps.
func (t *tones) strike(mix []float32, at float64, n note) []float32 {
	if n.loud == 0 {
		return mix
	}
	first, length := samples(at), samples(n.seconds+ring)
	mix = grow(mix, first+length)
	rise := samples(attack)
	decay := math.Exp(-4.5 / float64(length))
	level := headroom * n.loud
	phase, step := 0.0, n.from*tableSize/toneRate
	glide := (n.to - n.from) * tableSize / toneRate / float64(length)
	for i := range length {
		amplitude := level
		if i < rise {
			amplitude *= float64(i) / float64(rise)
		}
		if left := length - i; left < 2*rise {
			amplitude *= float64(left) / float64(2*rise)
		}
		k := int(phase)
		fraction := float32(phase - float64(k))
		mix[first+i] += float32(amplitude) * (t.table[k] + fraction*(t.table[k+1]-t.table[k]))
		level *= decay
		step += glide
		if phase += step; phase >= tableSize {
			phase -= tableSize
		}
	}
	return mix
}

func samples(seconds float64) int { return int(seconds * toneRate) }

func grow(mix []float32, n int) []float32 {
	if n <= len(mix) {
		return mix
	}
	return append(mix, make([]float32, n-len(mix))...)
}

// quantise rounds to 16 bit. Where tones pile up it bends instead of cutting off, which would crackle.
func quantise(mix []float32) []int16 {
	pcm := make([]int16, len(mix))
	for i, v := range mix {
		const knee = 0.7
		if a := float32(math.Abs(float64(v))); a > knee {
			over := (a - knee) / (1 - knee)
			v = float32(math.Copysign(float64(knee+(1-knee)*over/(1+over)), float64(v)))
		}
		pcm[i] = int16(v * math.MaxInt16)
	}
	return pcm
}
