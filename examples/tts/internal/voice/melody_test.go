package voice

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestEveryCharacterHasItsOwnPattern(t *testing.T) {
	var characters []rune
	for r := '가'; r <= '힣'; r++ {
		characters = append(characters, r)
	}
	for r := 'a'; r <= 'z'; r++ {
		characters = append(characters, r, r-'a'+'A')
	}
	for r := '0'; r <= '9'; r++ {
		characters = append(characters, r)
	}
	seen := make(map[string]rune)
	for _, r := range characters {
		key := fmt.Sprint(pattern(r))
		if twin, ok := seen[key]; ok {
			t.Errorf("%c sounds like %c", r, twin)
		}
		seen[key] = r
	}
}

func TestPunctuationRests(t *testing.T) {
	for _, r := range " .,?!:;-\"'()—…、。+=" {
		for _, n := range pattern(r) {
			assert.Zero(t, n.loud, "%q", r)
			assert.Positive(t, n.seconds, "%q", r)
		}
	}
	assert.Greater(t, pause('.'), pause(','))
	assert.Greater(t, pause(','), pause('-'))
}

func TestUnknownCharactersAreHeard(t *testing.T) {
	for _, r := range "漢あé🙂\u0001\uFFFD" {
		notes := pattern(r)
		assert.NotEmpty(t, notes, "%q", r)
		assert.Positive(t, notes[0].loud, "%q", r)
	}
}
