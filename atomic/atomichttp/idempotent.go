package atomichttp

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/holdfast-go/holdfast/atomic"
)

// IdempotencyOption is a setting of [Idempotent].
type IdempotencyOption func(*idempotency)

type idempotency struct {
	caller   func(*http.Request) string
	keep     time.Duration
	wait     time.Duration
	required bool
}

// Idempotent does the work of a request with an Idempotency-Key once (rule W9): it is
// an atomic.Once whose result is the response. The same request again gets that
// response, and the handler does not run; so a client that has lost an answer asks again
// until it has one. It needs the table of atomic.Once in the middleware's own database.
//
// The header is that of draft-ietf-httpapi-idempotency-key-header; a key without the
// quotes of a structured field is taken as it is. It counts in a request whose method is
// not safe (GET, HEAD, OPTIONS, TRACE). Keys belong to their caller (CallerBy). While the
// request is being worked on, another with its key is 409 with Retry-After, and one with
// its key that differs in method, address or body is 422. The address is the path and the
// query as they came, whatever middleware in front has made of them; the host is none of it.
// Of a body that middleware in front has read the form that it has made of it counts, with
// its files. Where it has made none the request is refused with 500: nobody could tell whether it is the
// same; have it put the body back, or stand behind. A body whose length was not announced (chunked)
// cannot be told from none then.
//
// A response that rolls back (CommitOn) is not kept: the request may be sent again. Nor
// is that of 1xx. Headers that were set before the middleware are those of each
// response. A response is kept in memory and in the database: Spill does not count.
func Idempotent(opts ...IdempotencyOption) Option {
	return func(c *config) {
		c.once = &idempotency{
			caller: func(r *http.Request) string { return r.Header.Get("Authorization") },
			keep:   24 * time.Hour,
		}
		for _, o := range opts {
			if o == nil {
				c.reject("an option of Idempotent is nil")
				continue
			}
			o(c.once)
		}
		if c.once.caller == nil {
			c.reject("CallerBy without a function")
		}
	}
}

// CallerBy says whose a key is. The default is the header Authorization: where callers are
// known by a cookie, say so here, or the keys of all of them are one another's. So where that
// header changes from one request of a caller to the next, as a token that is refreshed or a
// signature does: the same key would be another one's, and the work be done again. Take
// what stays, such as the number of the user.
func CallerBy(caller func(*http.Request) string) IdempotencyOption {
	return func(i *idempotency) { i.caller = caller }
}

// KeepResponses is how long a response is kept (atomic.KeepFor). The default is 24 hours.
func KeepResponses(d time.Duration) IdempotencyOption { return func(i *idempotency) { i.keep = d } }

// WaitInProgress has a request wait for that with the same key which is being worked on
// (atomic.Wait), before it is answered with 409.
func WaitInProgress(d time.Duration) IdempotencyOption { return func(i *idempotency) { i.wait = d } }

// RequireKey answers a request of a method that is not safe with 400 if it has no
// Idempotency-Key.
func RequireKey() IdempotencyOption { return func(i *idempotency) { i.required = true } }

const longestKey = 255

// keyOf is the key of a request, with whose it is, or "".
func (i *idempotency) keyOf(r *http.Request) (string, error) {
	if isSafe(r.Method) {
		return "", nil
	}
	lines := r.Header.Values("Idempotency-Key")
	switch {
	case len(lines) == 0 && !i.required:
		return "", nil
	case len(lines) == 0:
		return "", fmt.Errorf("%w: it is missing", ErrIdempotencyKey)
	case len(lines) > 1:
		return "", fmt.Errorf("%w: there are several", ErrIdempotencyKey)
	}
	key, ok := parseKey(strings.Trim(lines[0], " \t"))
	if !ok || key == "" || len(key) > longestKey {
		return "", fmt.Errorf("%w: it is to be a text of 1 to %d printable ASCII characters", ErrIdempotencyKey, longestKey)
	}
	return fmt.Sprintf("http %q %s", i.caller(r), key), nil
}

// parseKey reads a string of a structured field (RFC 9651, section 3.3.3), or a bare text.
func parseKey(text string) (key string, ok bool) {
	if strings.IndexFunc(text, func(r rune) bool { return r < ' ' || r > '~' }) >= 0 {
		return "", false
	}
	if !strings.HasPrefix(text, `"`) {
		return text, true
	}
	var b strings.Builder
	for i := 1; i < len(text); i++ {
		switch c := text[i]; c {
		case '"': // what follows may be parameters
			rest := strings.TrimLeft(text[i+1:], " ")
			return b.String(), rest == "" || rest[0] == ';'
		case '\\':
			i++
			if i == len(text) || text[i] != '"' && text[i] != '\\' {
				return "", false
			}
			b.WriteByte(text[i])
		default:
			b.WriteByte(c)
		}
	}
	return "", false
}

// stored is how a response is kept.
type stored struct {
	Status  int    `json:"status"`
	Header  fields `json:"header,omitempty"`
	Trailer fields `json:"trailer,omitempty"` // the header after the body, where it differs
	Body    []byte `json:"body,omitempty"`
}

// fields are of a header, whose bytes are kept as they are: they need not be UTF-8, of
// which encoding/json would make something else.
type fields http.Header

// MarshalJSON writes each byte as the character of that number.
func (f fields) MarshalJSON() ([]byte, error) { return json.Marshal(http.Header(f.each(widened))) }

// UnmarshalJSON reads what MarshalJSON has written.
func (f *fields) UnmarshalJSON(text []byte) error {
	err := json.Unmarshal(text, (*http.Header)(f))
	*f = f.each(narrowed)
	return err
}

func (f fields) each(change func(string) string) fields {
	changed := make(fields, len(f))
	for name, values := range f {
		var all []string // nil keeps net/http from adding its own
		for _, v := range values {
			all = append(all, change(v))
		}
		changed[name] = all
	}
	return changed
}

func widened(bytes string) string {
	var b strings.Builder
	for i := range len(bytes) {
		b.WriteRune(rune(bytes[i]))
	}
	return b.String()
}

func narrowed(text string) string {
	var b strings.Builder
	for _, r := range text {
		b.WriteByte(byte(r))
	}
	return b.String()
}

// once answers a request that has a key.
func (x *exchange) once() {
	c := x.config
	own := *c
	own.spill = false
	x.config = &own
	same, err := fingerprint(x.request, x.body)
	if err != nil {
		x.fail(err)
		return
	}
	var fresh []byte
	opts := append(slices.Clip(x.options(0)), atomic.OnceFor(same), atomic.KeepFor(c.once.keep), atomic.Wait(c.once.wait),
		atomic.ResultLimit(2*c.most+megabyte))
	answer, err := atomic.Once(x.request.Context(), c.databases[0].db, x.key, func(ctx context.Context) ([]byte, error) {
		if err := x.open(ctx); err != nil {
			return nil, err
		}
		kept, err := json.Marshal(x.keep())
		fresh = kept
		return kept, err
	}, opts...)
	err = x.partlyDone(err)
	switch {
	case errors.Is(err, atomic.ErrCommitUnknown) && !x.partly && x.unsure == nil:
		x.real.Header().Set("Retry-After", "1") // who asks again will be told
		x.fail(err)
		return
	case err != nil, answer == nil, bytes.Equal(answer, fresh): // an attempt may have run before somebody else was faster
		x.conclude(err)
		return
	}
	var kept stored
	if err := json.Unmarshal(answer, &kept); err != nil {
		x.fail(fmt.Errorf("holdfast: atomichttp: the response that is kept cannot be read: %w", err))
		return
	}
	kept.send(x.real)
}

// keep is the response as it is to be kept: without what was there before the handler.
func (x *exchange) keep() stored {
	before := x.real.Header()
	kept := stored{Status: x.said(), Body: slices.Clone(x.response.body.Bytes()), Header: differing(x.snapshot, before)}
	if x.snapshot == nil {
		kept.Header = differing(x.header, before)
	} else {
		kept.Trailer = differing(x.header, x.snapshot)
	}
	return kept
}

func differing(header, before http.Header) fields {
	kept := fields{}
	for name, values := range header {
		if old, ok := before[name]; !ok || !slices.Equal(old, values) {
			kept[name] = values
		}
	}
	return kept
}

func (s stored) send(w http.ResponseWriter) {
	for name, values := range s.Header {
		w.Header()[name] = values
	}
	w.WriteHeader(s.Status)
	if len(s.Body) > 0 {
		_, _ = w.Write(s.Body) // who does not hear it has gone
	}
	for name, values := range s.Trailer {
		w.Header()[name] = values
	}
}
