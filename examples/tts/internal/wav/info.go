package wav

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strings"
)

// ReadInfo returns what the LIST/INFO chunk of a file says; the zero Info if there is none. It seeks past the sound, so
// it costs a few reads however long the sound is. Every size is checked: it returns [ErrFormat] or [ErrTruncated] for a
// file that a player would stumble over too, and the error of r if reading fails.
func ReadInfo(r io.ReadSeeker) (Info, error) {
	end, err := r.Seek(0, io.SeekEnd)
	if err != nil {
		return Info{}, fmt.Errorf("wav: %w", err)
	}
	head, err := readAt(r, 0, 12)
	if err != nil || string(head[:4]) != "RIFF" || string(head[8:]) != "WAVE" {
		return Info{}, fmt.Errorf("wav: %w", formatUnlessReadFailed(err))
	}
	if says := int64(binary.LittleEndian.Uint32(head[4:])) + 8; says > end {
		return Info{}, fmt.Errorf("wav: %d bytes where its header says %d: %w", end, says, ErrTruncated)
	}

	var info Info
	var hasSound bool
	for at := int64(12); at+8 <= end; {
		head, err := readAt(r, at, 8)
		if err != nil {
			return Info{}, fmt.Errorf("wav: %w", err)
		}
		name, size := string(head[:4]), int64(binary.LittleEndian.Uint32(head[4:]))
		if at += 8; at+size > end {
			return Info{}, fmt.Errorf("wav: %q runs past the end: %w", name, ErrTruncated)
		}
		switch name {
		case "data":
			hasSound = true
		case "LIST":
			if size > maxInfo {
				return Info{}, fmt.Errorf("wav: a LIST chunk of %d bytes: %w", size, ErrTooLong)
			}
			body, err := readAt(r, at, size)
			if err != nil {
				return Info{}, fmt.Errorf("wav: %w", err)
			}
			if err := info.decode(body); err != nil {
				return Info{}, err
			}
		}
		at += size + size%2
	}
	if !hasSound {
		return Info{}, fmt.Errorf("wav: no sound in it: %w", ErrTruncated)
	}
	return info, nil
}

// decode reads the body of a LIST chunk; one that is no INFO list (cue labels, say) changes nothing.
func (info *Info) decode(body []byte) error {
	if len(body) < 4 || string(body[:4]) != "INFO" {
		return nil
	}
	for rest := body[4:]; len(rest) >= 8; {
		name, size := string(rest[:4]), uint64(binary.LittleEndian.Uint32(rest[4:8]))
		rest = rest[8:]
		if size > uint64(len(rest)) {
			return fmt.Errorf("wav: %q runs past its LIST chunk: %w", name, ErrTruncated)
		}
		value, _, _ := strings.Cut(string(rest[:size]), "\x00")
		switch name {
		case "INAM":
			info.Title = value
		case "ICMT":
			info.Comment = value
		case "ISFT":
			info.Software = value
		}
		rest = rest[min(size+size%2, uint64(len(rest))):]
	}
	return nil
}

func readAt(r io.ReadSeeker, at, n int64) ([]byte, error) {
	if _, err := r.Seek(at, io.SeekStart); err != nil {
		return nil, err
	}
	buf := make([]byte, n)
	_, err := io.ReadFull(r, buf)
	return buf, err
}

// formatUnlessReadFailed keeps a disk that cannot be read apart from a file that is too short to be a sound.
func formatUnlessReadFailed(err error) error {
	if err == nil || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return ErrFormat
	}
	return err
}
