package wav

import (
	"encoding/binary"
	"fmt"
	"math"
)

// Encode returns the whole file. It returns an error if the rate is not positive, and [ErrTooLong] if the sound does
// not fit into the container.
func Encode(sound Sound, info Info) ([]byte, error) {
	if sound.Rate <= 0 || sound.Rate > math.MaxUint32/bytesSample {
		return nil, fmt.Errorf("wav: a rate of %d samples a second", sound.Rate)
	}
	list := encodeInfo(info)
	audio := uint64(len(sound.Samples)) * bytesSample
	size := 4 + (8 + fmtSize) + (8 + audio) + uint64(len(list))
	if size > math.MaxUint32 || len(list) > maxInfo {
		return nil, fmt.Errorf("wav: %d samples: %w", len(sound.Samples), ErrTooLong)
	}

	file := make([]byte, 0, 8+size)
	le := binary.LittleEndian
	file = append(file, "RIFF"...)
	file = le.AppendUint32(file, uint32(size))
	file = append(file, "WAVEfmt "...)
	file = le.AppendUint32(file, fmtSize)
	file = le.AppendUint16(file, pcm)
	file = le.AppendUint16(file, 1) // channels
	file = le.AppendUint32(file, uint32(sound.Rate))
	file = le.AppendUint32(file, uint32(sound.Rate)*bytesSample)
	file = le.AppendUint16(file, bytesSample)
	file = le.AppendUint16(file, 8*bytesSample)
	file = append(file, "data"...)
	file = le.AppendUint32(file, uint32(audio))
	for _, s := range sound.Samples {
		file = le.AppendUint16(file, uint16(s))
	}
	// After the sound, so that a player that stops at the data chunk has already everything it wants.
	return append(file, list...), nil
}

func encodeInfo(info Info) []byte {
	body := []byte("INFO")
	for _, field := range []struct{ name, value string }{
		{"INAM", info.Title}, {"ICMT", info.Comment}, {"ISFT", info.Software},
	} {
		if field.value == "" {
			continue
		}
		body = append(body, field.name...)
		body = binary.LittleEndian.AppendUint32(body, uint32(len(field.value)+1)) // with the NUL that the format ends text by
		body = append(body, field.value...)
		body = append(body, 0)
		if len(body)%2 == 1 {
			body = append(body, 0)
		}
	}
	if len(body) == 4 {
		return nil
	}
	list := binary.LittleEndian.AppendUint32([]byte("LIST"), uint32(len(body)))
	return append(list, body...)
}
