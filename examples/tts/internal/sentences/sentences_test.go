package sentences_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/examples/tts/internal/sentences"
	"github.com/holdfast-go/holdfast/examples/tts/internal/voice"
)

func TestDefault(t *testing.T) {
	list := sentences.Default()
	assert.GreaterOrEqual(t, len(list), 320)

	source, err := os.ReadFile("sentences.txt")
	require.NoError(t, err)
	lines, korean := 0, 0
	for line := range strings.Lines(string(source)) {
		if line = strings.TrimSpace(line); line != "" && line[0] != '#' {
			lines++
		}
	}
	for _, sentence := range list {
		if strings.ContainsFunc(sentence, func(r rune) bool { return unicode.Is(unicode.Hangul, r) }) {
			korean++
		}
	}
	assert.Equal(t, lines, len(list), "a sentence comes twice")
	assert.Greater(t, korean, 120)
	assert.Greater(t, len(list)-korean, 120)
}

func TestEverySentenceCanBeSpoken(t *testing.T) {
	assert.LessOrEqual(t, sentences.MaxLength, voice.MaxText)
	tones, err := voice.New(voice.Tones)
	require.NoError(t, err)
	path := filepath.Join(t.TempDir(), "1.wav")
	for _, sentence := range sentences.Default()[:40] {
		require.NoError(t, tones.Render(t.Context(), path, sentence, 1))
	}
}

func load(t *testing.T, content string) ([]string, error) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "input.txt")
	require.NoError(t, os.WriteFile(path, []byte(content), 0o600))
	list, err := sentences.Load(path)
	if err != nil {
		assert.ErrorContains(t, err, path)
	}
	return list, err
}

func TestLoad(t *testing.T) {
	list, err := load(t, "\ufeff# a comment\r\n\r\n  하나 \r\ntwo # not a comment\ntwo # not a comment\nthree")
	require.NoError(t, err)
	assert.Equal(t, []string{"하나", "two # not a comment", "three"}, list)
}

func TestLoadRefuses(t *testing.T) {
	for name, test := range map[string]struct {
		content string
		want    error
		says    string
	}{
		"nothing":        {"", sentences.ErrTooFew, "0 found"},
		"only comments":  {"# one\n#two\n\n", sentences.ErrTooFew, "0 found"},
		"one sentence":   {"alone\nalone\n", sentences.ErrTooFew, "1 found"},
		"EUC-KR":         {"good\n\xb0\xa1\xb3\xaa\n", sentences.ErrNotUTF8, "line 2"},
		"bad in comment": {"# \xff\none\ntwo\n", sentences.ErrNotUTF8, "line 1"},
		"a long line":    {"one\ntwo\n\n" + strings.Repeat("가", 2001), sentences.ErrTooLong, "line 4: 2001 characters"},
		"a huge file":    {strings.Repeat("a huge file\n", 16<<20/12+1), sentences.ErrTooLong, "16 MiB"},
	} {
		_, err := load(t, test.content)
		assert.ErrorIs(t, err, test.want, name)
		assert.ErrorContains(t, err, test.says, name)
	}
	_, err := sentences.Load(filepath.Join(t.TempDir(), "missing.txt"))
	assert.ErrorIs(t, err, os.ErrNotExist)
}
