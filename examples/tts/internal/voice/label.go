package voice

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/holdfast-go/holdfast/examples/tts/internal/wav"
)

// ErrNoDigest is returned for a sound that says nothing about its text: it was not made by this program, or by a player
// that drops what it does not know.
var ErrNoDigest = errors.New("the file does not say which text it speaks")

const digestPrefix = "text sha-256 "

// Digest is the SHA-256 of a text, in hexadecimal.
func Digest(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

// Label is what a file says about itself.
type Label struct {
	Digest string // of the text that it speaks
	Text   string // that text
}

func labelFor(text string) Label { return Label{Digest: Digest(text), Text: text} }

// Speaks reports whether the file that carries this label speaks text. It goes by the digest.
func (l Label) Speaks(text string) bool { return l.Digest == Digest(text) }

func (l Label) info() wav.Info {
	return wav.Info{
		// NUL ends a text in this format; the digest covers the whole.
		Title:    strings.ReplaceAll(l.Text, "\x00", "\uFFFD"),
		Comment:  digestPrefix + l.Digest,
		Software: "holdfast examples/tts",
	}
}

// ReadLabel reads the label of a file. The errors name the file: os.ErrNotExist and the like if it cannot be opened,
// [wav.ErrFormat] or [wav.ErrTruncated] if it is not a whole WAV file, [ErrNoDigest] if it is one and carries no digest.
func ReadLabel(path string) (Label, error) {
	file, err := os.Open(path)
	if err != nil {
		return Label{}, fmt.Errorf("voice: %w", err)
	}
	defer func() { _ = file.Close() }()

	info, err := wav.ReadInfo(file)
	if err != nil {
		return Label{}, fmt.Errorf("voice: %s: %w", path, err)
	}
	digest, ok := strings.CutPrefix(info.Comment, digestPrefix)
	if sum, err := hex.DecodeString(digest); !ok || err != nil || len(sum) != sha256.Size {
		return Label{}, fmt.Errorf("voice: %s: %w", path, ErrNoDigest)
	}
	return Label{Digest: digest, Text: info.Title}, nil
}

// ReadDigest returns the digest of the text that a file speaks, with the errors of [ReadLabel].
func ReadDigest(path string) (string, error) {
	label, err := ReadLabel(path)
	return label.Digest, err
}
