package voice

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/holdfast-go/holdfast/examples/tts/internal/wav"
)

// Render speaks text into the file path, replacing one that is there. Speed 1 is normal, 2 twice as fast; it must lie
// between 0.25 and 4, else [ErrSpeed]. [ErrText] says that the text cannot be spoken; an empty one gives a short silence.
//
// The file appears whole or not at all: it is written under another name in the same directory and renamed, so whoever
// opens path finds the old sound or the new one. When ctx ends first, its cause is returned and nothing is left behind.
// It is not synced to the disk: a sound can be rendered again.
func (v *Voice) Render(ctx context.Context, path, text string, speed float64) error {
	if err := check(text, speed); err != nil {
		return err
	}
	sound, err := v.speak(ctx, text, speed)
	if err != nil {
		return err
	}
	file, err := wav.Encode(sound, labelFor(text).info())
	if err != nil {
		return fmt.Errorf("voice: %w", err)
	}
	if err := context.Cause(ctx); err != nil {
		return err
	}
	return replace(path, file)
}

func replace(path string, content []byte) (err error) {
	temp, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+"-*.part")
	if err != nil {
		return fmt.Errorf("voice: %w", err)
	}
	defer func() {
		if err != nil {
			err = fmt.Errorf("voice: %w", errors.Join(err, os.Remove(temp.Name())))
		}
	}()
	_, err = temp.Write(content)
	if err == nil {
		err = temp.Chmod(0o644) // a temporary file is private, a sound is not
	}
	if err = errors.Join(err, temp.Close()); err != nil {
		return err
	}
	return os.Rename(temp.Name(), path)
}
