package voice

import (
	"bytes"
	"context"
	"fmt"
	"os/exec"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/holdfast-go/holdfast/examples/tts/internal/wav"
)

const espeakWords = 175 // words a minute that espeak-ng speaks by default: speed 1

// espeak runs the installed espeak-ng.
type espeak struct{ path string }

func findEspeak() (espeak, error) {
	path, err := exec.LookPath("espeak-ng")
	if err != nil {
		return espeak{}, fmt.Errorf("voice: %w", ErrNoEspeak)
	}
	return espeak{path}, nil
}

func (e espeak) speak(ctx context.Context, text string, speed float64) (wav.Sound, error) {
	if strings.TrimSpace(text) == "" {
		return wav.Sound{Rate: toneRate, Samples: make([]int16, samples(2*ring))}, nil // it would write no file at all
	}
	language := "en-us"
	if strings.ContainsFunc(text, func(r rune) bool { return unicode.Is(unicode.Hangul, r) }) {
		language = "ko" // it reads Latin words in a Korean sentence too; the English voice spells Hangul out
	}
	// The text goes in by stdin: as an argument it could look like an option, and everybody on the machine could read it.
	cmd := exec.CommandContext(ctx, e.path, "-b", "1", "-v", language,
		"-s", strconv.Itoa(int(espeakWords*speed)), "--stdin", "--stdout")
	var sound, complaint bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(text), &sound, &complaint
	cmd.WaitDelay = time.Second // a wrapper script may leave a child that keeps stdout open after the kill
	if err := cmd.Run(); err != nil {
		if cause := context.Cause(ctx); cause != nil {
			return wav.Sound{}, cause
		}
		return wav.Sound{}, fmt.Errorf("voice: espeak-ng: %w: %s", err, strings.TrimSpace(complaint.String()))
	}
	spoken, err := wav.Decode(sound.Bytes())
	if err != nil {
		return wav.Sound{}, fmt.Errorf("voice: what espeak-ng wrote: %w", err)
	}
	return spoken, nil
}
