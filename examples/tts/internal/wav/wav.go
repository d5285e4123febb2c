// Package wav reads and writes the one kind of sound file that the studio keeps: 16-bit mono PCM in a RIFF container,
// followed by a LIST/INFO chunk that says what the sound is.
//
// The layout is the one of the "Multimedia Programming Interface and Data Specifications 1.0" (IBM and Microsoft,
// 1991): a chunk is a four-letter name, a little-endian size and that many bytes, padded to an even length.
package wav

import "errors"

// Sound is 16-bit mono PCM.
type Sound struct {
	Rate    int // samples a second
	Samples []int16
}

// Info is what the LIST/INFO chunk says. Players show these fields, so they are also what a person sees who opens the
// file. An empty field is not written.
type Info struct {
	Title    string // INAM
	Comment  string // ICMT
	Software string // ISFT
}

var (
	// ErrFormat is returned for bytes that are not a RIFF/WAVE file, or one in a format other than 16-bit mono PCM.
	ErrFormat = errors.New("not a 16-bit mono WAV file")
	// ErrTruncated is returned for a file that ends before a size in it says so: somebody wrote half of it.
	ErrTruncated = errors.New("the WAV file is cut off")
	// ErrTooLong is returned for a sound, or a LIST chunk, larger than the 32-bit sizes of the container or the limit of
	// a reader allow.
	ErrTooLong = errors.New("too long for a WAV file")
)

const (
	fmtSize     = 16      // bytes of a PCM "fmt " chunk
	pcm         = 1       // WAVE_FORMAT_PCM
	bytesSample = 2       // 16 bit, one channel
	maxInfo     = 1 << 20 // no sane LIST chunk is larger; bounds what a broken size can make a reader allocate
)
