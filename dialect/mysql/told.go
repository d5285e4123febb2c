package mysql

import (
	"database/sql/driver"
	"encoding/binary"
	"reflect"
)

// told is what the server says of a session's state with its last answer
// (MySQL Internals, "OK_Packet", "Session State Information").
type told struct {
	position string // of what was committed; "" if nothing was
	other    bool   // something else has changed
}

// lastAnswer is where the driver has read the last packet. It looks at no state in
// it, and keeps the bytes until the next command is written: it is read from there,
// for the reasons that stand with replies, to which reflection is no stranger.
type lastAnswer struct {
	rest, whole reflect.Value // what is still to be read of the buffer, and all of it
	sequence    reflect.Value // of the packet after the last one
	compress    reflect.Value
}

func lastAnswerOf(conn driver.Conn) (a lastAnswer, ok bool) {
	v := reflect.ValueOf(conn)
	if v.Kind() != reflect.Pointer || v.Elem().Kind() != reflect.Struct {
		return a, false
	}
	v = v.Elem()
	a.sequence, a.compress = v.FieldByName("sequence"), v.FieldByName("compress")
	if buf := v.FieldByName("buf"); buf.Kind() == reflect.Struct {
		a.rest, a.whole = buf.FieldByName("buf"), buf.FieldByName("cachedBuf")
	}
	bytes := reflect.TypeFor[[]byte]()
	ok = a.rest.IsValid() && a.rest.Type() == bytes && a.whole.IsValid() && a.whole.Type() == bytes &&
		a.sequence.Kind() == reflect.Uint8 && a.compress.Kind() == reflect.Bool
	return a, ok
}

// told finds the packet by its end. ok is false if it is not there as a whole.
func (r replies) told() (t told, ok bool) {
	a := r.last
	if !r.seesLast || a.compress.Bool() {
		return t, false
	}
	whole := a.whole.Bytes()
	whole = whole[:cap(whole)]
	rest := a.rest.Bytes()
	end := len(whole) - cap(rest)
	if end < 0 || cap(rest) > 0 && &whole[end : end+1][0] != &rest[:1][0] {
		return t, false // a packet larger than the buffer
	}
	last := uint8(a.sequence.Uint()) - 1
	const header = 4
	for size := 7; size <= end-header; size++ {
		packet := whole[end-size-header : end]
		if int(packet[0])|int(packet[1])<<8|int(packet[2])<<16 != size || packet[3] != last {
			continue
		}
		if t, ok := readOK(packet[header:]); ok {
			return t, true
		}
	}
	return t, false
}

// readOK reads an OK packet, or the one that ends rows, to its end.
func readOK(p []byte) (t told, ok bool) {
	if p[0] != 0 && p[0] != 0xfe {
		return t, false
	}
	r := &reader{rest: p[1:]}
	r.number() // affected rows
	r.number() // insert id
	status := binary.LittleEndian.Uint16(r.take(2))
	r.take(2) // warnings
	if len(r.rest) > 0 {
		r.text() // a message
	}
	if status&statusChanged == 0 {
		return t, !r.bad && len(r.rest) == 0
	}
	states := &reader{rest: r.text()}
	if r.bad || len(r.rest) > 0 {
		return t, false
	}
	for len(states.rest) > 0 && !states.bad {
		kind := states.take(1)[0]
		state := &reader{rest: states.text()}
		switch kind {
		case trackGTIDs:
			state.take(1) // how they are written: as text
			t.position = string(state.text())
		case trackVariable:
			if name := string(state.text()); name == "last_gtid" {
				t.position = string(state.text())
			} else {
				t.other = true
			}
		default:
			t.other = true
		}
		if state.bad {
			return t, false
		}
	}
	return t, !states.bad
}

// The kinds of session state, as in the server's enum_session_state_type.
const (
	trackVariable = 0
	trackGTIDs    = 3
)

// reader takes a packet apart. Once it is bad it has nothing but zeros.
type reader struct {
	rest []byte
	bad  bool
}

var zeros [8]byte

func (r *reader) take(n int) []byte {
	if n > len(r.rest) {
		r.bad, r.rest = true, nil
		return zeros[:min(n, len(zeros))]
	}
	taken := r.rest[:n]
	r.rest = r.rest[n:]
	return taken
}

// number reads a length-encoded integer.
func (r *reader) number() uint64 {
	var size int
	switch first := r.take(1)[0]; first {
	case 0xfb, 0xff:
		r.bad, r.rest = true, nil
		return 0
	case 0xfc:
		size = 2
	case 0xfd:
		size = 3
	case 0xfe:
		size = 8
	default:
		return uint64(first)
	}
	var n [8]byte
	copy(n[:], r.take(size))
	return binary.LittleEndian.Uint64(n[:])
}

func (r *reader) text() []byte {
	n := r.number()
	if n > uint64(len(r.rest)) {
		r.bad, r.rest = true, nil
		return nil
	}
	return r.take(int(n))
}
