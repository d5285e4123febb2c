// Package voice turns a text into a WAV file that real players accept and that remembers which text it speaks.
//
// Two voices exist: one of its own, which needs nothing and plays a tone pattern for each character, and espeak-ng for
// machines that have it. Either way the file carries the text and its digest, so that a later reader can tell whether a
// file still speaks what its row says.
package voice

import (
	"context"
	"errors"
	"fmt"
	"math"
	"unicode/utf8"

	"github.com/holdfast-go/holdfast/examples/tts/internal/wav"
)

// Kind names a voice, as the option -voice does.
type Kind string

const (
	Auto   Kind = "auto"   // espeak-ng where it is installed, else tones
	Tones  Kind = "tones"  // the built-in one
	Espeak Kind = "espeak" // espeak-ng
)

// Kinds lists every valid [Kind].
func Kinds() []Kind { return []Kind{Auto, Tones, Espeak} }

const (
	// MaxText is the longest text that is rendered, in characters: minutes of sound, tens of megabytes.
	MaxText = 2000

	minSpeed, maxSpeed = 0.25, 4.0
)

var (
	// ErrText is returned for a text that no voice can speak: too long, or not UTF-8.
	ErrText = errors.New("text cannot be spoken")
	// ErrSpeed is returned for a speed outside 0.25 to 4.
	ErrSpeed = errors.New("speed is out of range")
	// ErrNoEspeak is returned by [New] when espeak-ng was asked for by name and is not installed.
	ErrNoEspeak = errors.New("espeak-ng is not installed (Debian: apt-get install espeak-ng); -voice tones needs nothing")
)

// Voice renders texts. It may be used by several goroutines.
type Voice struct {
	name  string
	speak func(ctx context.Context, text string, speed float64) (wav.Sound, error)
}

// New returns the voice of that kind.
func New(kind Kind) (*Voice, error) {
	switch kind {
	case Tones:
		return &Voice{name: "tones", speak: newTones().speak}, nil
	case Espeak, Auto:
		program, err := findEspeak()
		if err == nil {
			return &Voice{name: "espeak-ng", speak: program.speak}, nil
		}
		if kind == Auto {
			return New(Tones)
		}
		return nil, err
	}
	return nil, fmt.Errorf("voice: %q is none of %v", kind, Kinds())
}

// Name is what renders: "tones" or "espeak-ng".
func (v *Voice) Name() string { return v.name }

func check(text string, speed float64) error {
	if !utf8.ValidString(text) {
		return fmt.Errorf("voice: %w: it is not valid UTF-8", ErrText)
	}
	if n := utf8.RuneCountInString(text); n > MaxText {
		return fmt.Errorf("voice: %w: %d characters, at most %d", ErrText, n, MaxText)
	}
	if math.IsNaN(speed) || speed < minSpeed || speed > maxSpeed {
		return fmt.Errorf("voice: %w: %v is not between %v and %v", ErrSpeed, speed, minSpeed, maxSpeed)
	}
	return nil
}
