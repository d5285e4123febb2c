package wav

import (
	"encoding/binary"
	"fmt"
)

// Decode returns the sound of a file held in memory. A data chunk whose size runs past the end is taken to reach to the
// end: a program that writes to a pipe (espeak-ng --stdout) cannot know the size when it writes the header.
func Decode(file []byte) (Sound, error) {
	if len(file) < 12 || string(file[:4]) != "RIFF" || string(file[8:12]) != "WAVE" {
		return Sound{}, fmt.Errorf("wav: %w", ErrFormat)
	}
	var sound Sound
	for rest := file[12:]; len(rest) >= 8; {
		name, size := string(rest[:4]), uint64(binary.LittleEndian.Uint32(rest[4:8]))
		body := rest[8:]
		switch name {
		case "fmt ":
			if size < fmtSize || uint64(len(body)) < size {
				return Sound{}, fmt.Errorf("wav: %w", ErrTruncated)
			}
			rate, err := decodeFormat(body)
			if err != nil {
				return Sound{}, err
			}
			sound.Rate = rate
		case "data":
			if sound.Rate == 0 {
				return Sound{}, fmt.Errorf("wav: sound before its format: %w", ErrFormat)
			}
			body = body[:min(size, uint64(len(body)))]
			sound.Samples = make([]int16, len(body)/bytesSample)
			for i := range sound.Samples {
				sound.Samples[i] = int16(binary.LittleEndian.Uint16(body[i*bytesSample:]))
			}
			return sound, nil
		}
		if uint64(len(body)) < size+size%2 {
			break
		}
		rest = body[size+size%2:]
	}
	return Sound{}, fmt.Errorf("wav: no sound in it: %w", ErrTruncated)
}

func decodeFormat(body []byte) (rate int, err error) {
	le := binary.LittleEndian
	format, channels, bits := le.Uint16(body), le.Uint16(body[2:]), le.Uint16(body[14:])
	if rate = int(le.Uint32(body[4:])); format != pcm || channels != 1 || bits != 8*bytesSample || rate == 0 {
		return 0, fmt.Errorf("wav: format %d, %d channels, %d bit, %d samples a second: %w",
			format, channels, bits, rate, ErrFormat)
	}
	return rate, nil
}
