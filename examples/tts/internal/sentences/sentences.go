// Package sentences holds the texts that the studio works on, and reads others from a file in the same format: UTF-8,
// one sentence a line; blank lines and lines that start with # are skipped, and so are spaces around a sentence. A
// sentence that comes twice counts once, because an edit that replaces a text by the same text would show nothing.
package sentences

import (
	"bytes"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"os"
	"unicode/utf8"
)

const (
	// MaxLength is the longest sentence, in characters.
	MaxLength = 2000
	maxBytes  = 16 << 20
)

var (
	// ErrTooFew is returned for an input with fewer than two different sentences: an edit replaces one by another.
	ErrTooFew = errors.New("at least two different sentences are needed, one a line")
	// ErrNotUTF8 is returned for an input in another encoding.
	ErrNotUTF8 = errors.New("not valid UTF-8")
	// ErrTooLong is returned for a sentence longer than [MaxLength] or an input of more than 16 MiB.
	ErrTooLong = errors.New("too long")
)

//go:embed sentences.txt
var builtin []byte

// Default returns the sentences that come with the program.
func Default() []string {
	list, err := parse(builtin)
	if err != nil {
		panic("sentences.txt: " + err.Error()) // it is part of the program, and a test reads it
	}
	return list
}

// Load reads a file. Its errors name the file and the line: [ErrNotUTF8], [ErrTooLong], [ErrTooFew], and those of the
// file system.
func Load(path string) ([]string, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = file.Close() }()
	text, err := io.ReadAll(io.LimitReader(file, maxBytes+1))
	if err != nil {
		return nil, err
	}
	list, err := parse(text)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return list, nil
}

func parse(text []byte) ([]string, error) {
	if len(text) > maxBytes {
		return nil, fmt.Errorf("more than %d MiB: %w", maxBytes>>20, ErrTooLong)
	}
	text = bytes.TrimPrefix(text, []byte("\ufeff")) // Windows editors put a byte order mark in front
	var list []string
	seen := make(map[string]bool)
	number := 0
	for line := range bytes.Lines(text) {
		number++
		if !utf8.Valid(line) {
			return nil, fmt.Errorf("line %d: %w; convert the file first (iconv -t UTF-8)", number, ErrNotUTF8)
		}
		line = bytes.TrimSpace(line)
		if len(line) == 0 || line[0] == '#' {
			continue
		}
		if n := utf8.RuneCount(line); n > MaxLength {
			return nil, fmt.Errorf("line %d: %d characters, at most %d: %w", number, n, MaxLength, ErrTooLong)
		}
		if sentence := string(line); !seen[sentence] {
			seen[sentence] = true
			list = append(list, sentence)
		}
	}
	if len(list) < 2 {
		return nil, fmt.Errorf("%d found: %w", len(list), ErrTooFew)
	}
	return list, nil
}
