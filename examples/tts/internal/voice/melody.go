package voice

import (
	"math"
	"unicode"
)

// note is one tone, or a rest when loud is 0. Lengths are for speed 1.
type note struct {
	from, to float64 // Hz; a tone may glide
	seconds  float64
	loud     float64 // 0 to 1
}

func rest(seconds float64) []note { return []note{{seconds: seconds}} }

// pitch is a step of the major pentatonic scale on A3. Any two of its steps sound well together, which is what lets
// arbitrary text be listened to.
func pitch(step int) float64 {
	semitones := [5]int{0, 2, 4, 7, 9}
	octave, degree := step/5, step%5
	return 220 * math.Exp2(float64(12*octave+semitones[degree])/12)
}

// pattern returns the notes of one character.
func pattern(r rune) []note {
	switch {
	case r >= '가' && r <= '힣':
		return syllable(int(r - '가'))
	case r >= '0' && r <= '9':
		return digit(int(r - '0'))
	case r < unicode.MaxASCII && unicode.IsLetter(r):
		return letter(unicode.ToLower(r), unicode.IsUpper(r))
	case unicode.IsSpace(r):
		return rest(0.045)
	case unicode.IsPunct(r) || unicode.IsSymbol(r) && r < unicode.MaxASCII:
		return rest(pause(r))
	}
	return other(r)
}

// syllable takes a Hangul syllable apart the way it is written: the initial consonant is a grace note, the vowel the
// tone itself, a final consonant a short tone that closes it. Unicode numbers them as (initial·21 + vowel)·28 + final.
func syllable(index int) []note {
	initial, vowel, final := index/(21*28), index/28%21, index%28
	grace := pitch(5 + initial%10)
	tone := pitch(2 + vowel%11)
	notes := []note{
		{from: grace, to: grace, seconds: 0.012 + 0.008*float64(initial/10), loud: 0.45},
		{from: tone, to: tone, seconds: 0.07, loud: 1},
	}
	if vowel >= 11 { // a diphthong slides
		notes[1].from = pitch(vowel - 11)
	}
	if final > 0 {
		closing := pitch((final - 1) % 9)
		notes[1].seconds = 0.055
		notes = append(notes, note{from: closing, to: closing, seconds: 0.016 + 0.006*float64((final-1)/9), loud: 0.6})
	}
	return notes
}

func letter(lower rune, upper bool) []note {
	index := int(lower - 'a')
	tone := note{from: pitch(2 + index%11), seconds: 0.04, loud: 0.7}
	switch lower {
	case 'a', 'e', 'i', 'o', 'u', 'y':
		tone.seconds, tone.loud = 0.065, 1
	}
	tone.to = tone.from
	if index >= 11 {
		tone.to = pitch(2 + (index+5*(index/11))%11)
	}
	if !upper {
		return []note{tone}
	}
	return []note{{from: tone.from * 1.5, to: tone.from * 1.5, seconds: 0.015, loud: 0.4}, tone}
}

// digit is two tones at once, as on a telephone: a row and a column.
func digit(d int) []note {
	row, column := pitch(3+d/3), pitch(8+d%3)
	return []note{
		{from: row, to: row, loud: 0.6},
		{from: column, to: column, seconds: 0.07, loud: 0.6},
	}
}

func pause(r rune) float64 {
	switch r {
	case '.', '!', '?', '。', '！', '？', '…':
		return 0.16
	case ',', ';', ':', '、', '，':
		return 0.1
	}
	return 0.04
}

// other gives every remaining character a falling pair of its own.
func other(r rune) []note {
	high, low := pitch(5+int(r)%7), pitch(int(r)/7%7)
	return []note{
		{from: high, to: high, seconds: 0.03, loud: 0.6},
		{from: low, to: low, seconds: 0.05, loud: 0.8},
	}
}
