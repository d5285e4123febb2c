package atomichttp

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"
)

// response is the http.ResponseWriter of a handler whose response waits. It writes down
// what the handler calls, and answers each call as net/http would.
type response struct {
	config *config
	real   http.ResponseWriter

	header   http.Header // the handler's
	hints    []hint      // statuses 1xx, in front of the response
	status   int         // 0: not said yet
	snapshot http.Header // as it was when the status was said
	length   int64       // that the handler has announced; -1: none
	written  int64
	body     *bytes.Buffer
	cuts     []int // the lengths of the writes; negative: of a text
	few      [4]int
	file     *os.File // the body, if it is too large for the memory
	err      error    // why it cannot be sent
}

// hint is an informational response.
type hint struct {
	status int
	header http.Header
}

var bodies = sync.Pool{New: func() any { return new(bytes.Buffer) }}

// reset begins the response of an attempt: nothing is left of the one before.
func (w *response) reset() {
	w.dropFile()
	if w.body == nil {
		w.body = bodies.Get().(*bytes.Buffer)
	}
	w.body.Reset()
	w.header = w.real.Header().Clone()
	if w.header == nil {
		w.header = http.Header{}
	}
	w.hints, w.status, w.snapshot, w.length, w.written, w.cuts, w.err = nil, 0, nil, -1, 0, w.few[:0], nil
}

func (w *response) dropFile() {
	if w.file != nil {
		_ = w.file.Close()
		_ = os.Remove(w.file.Name())
		w.file = nil
	}
}

// close gives back what the response holds. Who writes later, in a goroutine that the handler
// has left behind, is told so.
func (w *response) close() {
	w.dropFile()
	w.err = errReturned
	if w.body != nil && w.body.Cap() <= 64<<10 {
		bodies.Put(w.body)
	}
	w.body = nil
}

// Header implements http.ResponseWriter.
func (w *response) Header() http.Header { return w.header }

// WriteHeader implements http.ResponseWriter. Who says it again is not heard.
func (w *response) WriteHeader(status int) {
	if status < 100 || status > 999 { // as net/http does
		panic(fmt.Sprintf("invalid WriteHeader code %v", status))
	}
	if w.status != 0 {
		return
	}
	if status < 200 && status != http.StatusSwitchingProtocols {
		w.hints = append(w.hints, hint{status, w.header.Clone()})
		return
	}
	w.status, w.snapshot = status, w.header.Clone()
	if n, err := strconv.ParseInt(w.header.Get("Content-Length"), 10, 64); err == nil && n >= 0 {
		w.length = n
	}
	if status == http.StatusSwitchingProtocols || strings.HasPrefix(strings.TrimSpace(w.header.Get("Content-Type")), "text/event-stream") {
		w.err = ErrNotHeld
	}
}

// Write implements http.ResponseWriter.
func (w *response) Write(p []byte) (int, error) {
	if err := w.admit(len(p)); err != nil || len(p) == 0 {
		return 0, err
	}
	w.cut(len(p))
	if w.file != nil {
		return w.spill(p)
	}
	return w.body.Write(p)
}

// cut notes a write: where it ends net/http may send what it has so far.
func (w *response) cut(n int) {
	if len(w.cuts) < 1<<12 { // who writes so often does not wait for any of it
		w.cuts = append(w.cuts, n)
	}
}

// WriteString implements io.StringWriter.
func (w *response) WriteString(s string) (int, error) {
	if err := w.admit(len(s)); err != nil || len(s) == 0 {
		return 0, err
	}
	w.cut(-len(s))
	if w.file != nil {
		return w.spill([]byte(s))
	}
	return w.body.WriteString(s)
}

// admit takes n bytes more into account, which are to be written then.
func (w *response) admit(n int) error {
	if w.status == 0 {
		w.WriteHeader(http.StatusOK)
	}
	switch {
	case w.err != nil:
		return w.err
	case n == 0:
		return nil
	case !bodyAllowed(w.status):
		return http.ErrBodyNotAllowed
	}
	w.written += int64(n)
	switch {
	case w.length >= 0 && w.written > w.length:
		return http.ErrContentLength
	case w.file == nil && w.body.Len()+n > w.config.most:
		w.err = w.toFile()
	}
	return w.err
}

func bodyAllowed(status int) bool {
	return status >= 200 && status != http.StatusNoContent && status != http.StatusNotModified
}

// toFile moves the body into a file.
func (w *response) toFile() error {
	if !w.config.spill {
		return ErrResponseTooLarge
	}
	file, err := os.CreateTemp(w.config.spillTo, "holdfast-response-*")
	if err != nil {
		return fmt.Errorf("holdfast: atomichttp: Spill: %w", err)
	}
	w.file = file
	if _, err := w.spill(w.body.Bytes()); err != nil {
		return err
	}
	w.body.Reset()
	return nil
}

func (w *response) spill(p []byte) (int, error) {
	n, err := w.file.Write(p)
	if err != nil {
		w.err = fmt.Errorf("holdfast: atomichttp: Spill: %w", err)
	}
	return n, w.err
}

// said is the status as the client will see it.
func (w *response) said() int {
	if w.status == 0 {
		return http.StatusOK
	}
	return w.status
}

// send does with the real writer what the handler did with this one.
func (w *response) send() error {
	for _, h := range w.hints {
		replace(w.real.Header(), h.header)
		w.real.WriteHeader(h.status)
	}
	if w.status == 0 { // net/http says it
		replace(w.real.Header(), w.header)
		return nil
	}
	replace(w.real.Header(), w.snapshot)
	w.real.WriteHeader(w.status)
	if err := w.sendBody(); err != nil {
		return err
	}
	replace(w.real.Header(), w.header) // in which trailers may stand
	return nil
}

// announce gives a response that leaves before the end of the handler of net/http its
// length: in pieces it would have its end, and a short one its length, by that end alone.
func (w *response) announce(r *http.Request) {
	header := w.snapshot
	if header == nil {
		header = w.header
	}
	if w.length >= 0 || !bodyAllowed(w.said()) || r.Method == http.MethodHead && w.written == 0 {
		return
	}
	for name := range header {
		if name == "Content-Length" || name == "Transfer-Encoding" || name == "Trailer" || strings.HasPrefix(name, http.TrailerPrefix) {
			return
		}
	}
	header.Set("Content-Length", strconv.FormatInt(w.written, 10))
}

// sendBody writes the body in the pieces in which it was written: net/http goes by them
// when it cuts a response without a length, and tells the lengths of short ones.
func (w *response) sendBody() error {
	if w.file == nil && w.body.Len() <= fitsAtOnce {
		if w.body.Len() == 0 {
			return nil
		}
		_, err := w.real.Write(w.body.Bytes())
		return err
	}
	var from io.Reader = bytes.NewReader(w.body.Bytes())
	if w.file != nil {
		if _, err := w.file.Seek(0, io.SeekStart); err != nil {
			return err
		}
		from = w.file
	}
	piece := make([]byte, 32<<10)
	for _, n := range w.cuts {
		text := n < 0
		if n = max(n, -n); n > len(piece) {
			piece = make([]byte, n)
		}
		if _, err := io.ReadFull(from, piece[:n]); err != nil {
			return err
		}
		var err error
		if text {
			_, err = io.WriteString(w.real, string(piece[:n])) //nolint:staticcheck // net/http cuts a text in other places than bytes
		} else {
			_, err = w.real.Write(piece[:n])
		}
		if err != nil {
			return err
		}
	}
	_, err := io.CopyBuffer(struct{ io.Writer }{w.real}, struct{ io.Reader }{from}, piece)
	return err
}

// fitsAtOnce is what net/http collects before it sends anything: of less it makes one
// piece in any case.
const fitsAtOnce = 2048

// replace makes header what it is in with.
func replace(header, with http.Header) {
	clear(header)
	maps.Copy(header, with)
}

// FlushError is what http.ResponseController.Flush calls.
func (w *response) FlushError() error { return ErrNotHeld }

// Hijack implements http.Hijacker, by refusing.
func (w *response) Hijack() (net.Conn, *bufio.ReadWriter, error) { return nil, nil, ErrNotHeld }

// SetReadDeadline, SetWriteDeadline and EnableFullDuplex are for
// http.ResponseController.
func (w *response) SetReadDeadline(t time.Time) error {
	return http.NewResponseController(w.real).SetReadDeadline(t)
}

// SetWriteDeadline is for http.ResponseController.
func (w *response) SetWriteDeadline(t time.Time) error {
	return http.NewResponseController(w.real).SetWriteDeadline(t)
}

// EnableFullDuplex is for http.ResponseController.
func (w *response) EnableFullDuplex() error {
	return http.NewResponseController(w.real).EnableFullDuplex()
}
