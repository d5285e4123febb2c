package atomichttp_test

import (
	"bytes"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/atomic/atomichttp"
)

// keyed asks with the key k.
func keyed(h http.Handler, r *http.Request) *httptest.ResponseRecorder {
	r.Header.Set("Idempotency-Key", "k")
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

// What stands in front of the middleware may make one path of two.
func TestW09_TheAddressThatTheClientAskedFor(t *testing.T) {
	var log bytes.Buffer
	once := atomichttp.Middleware(open(t), atomichttp.Idempotent(), atomichttp.Logger(slog.New(slog.NewTextHandler(&log, nil))))
	mux := http.NewServeMux()
	for _, what := range []string{"/pay", "/refund"} {
		mux.Handle(what+"/", http.StripPrefix(what, once(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			_, _ = fmt.Fprint(w, what, r.URL)
		}))))
	}
	mux.Handle("/of/", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { // what it makes of the path is the caller's
		r.URL.Path = "/of/" + r.Header.Get("X-Tenant")
		once(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = fmt.Fprint(w, r.URL.Path) })).ServeHTTP(w, r)
	}))
	ask := func(target string, headers ...string) (int, string) {
		r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader("the body"))
		u, err := url.ParseRequestURI(target)
		require.NoError(t, err)
		r.RequestURI, r.URL = target, u
		for i := 0; i < len(headers); i += 2 {
			r.Header.Set(headers[i], headers[i+1])
		}
		w := keyed(mux, r)
		return w.Code, w.Body.String()
	}
	for _, same := range []string{"/pay/7?n=1", "/pay/7?n=1", "http://one.example/pay/7?n=1", "https://two.example:444/pay/7?n=1"} {
		status, body := ask(same)
		assert.Equal(t, http.StatusOK, status, same)
		assert.Equal(t, "/pay/7?n=1", body, same)
	}
	for _, other := range []string{"/refund/7?n=1", "/pay/7?n=2", "/pay/8?n=1", "/pay/pay/7?n=1", "http://one.example/refund/7?n=1"} {
		status, _ := ask(other)
		assert.Equal(t, http.StatusUnprocessableEntity, status, other)
	}

	mine := []string{"Authorization", "of"}
	status, body := ask("/of/", append(mine, "X-Tenant", "a")...)
	assert.Equal(t, http.StatusOK, status)
	assert.Equal(t, "/of/a", body)
	status, _ = ask("/of/", append(mine, "X-Tenant", "b")...)
	assert.Equal(t, http.StatusUnprocessableEntity, status)

	client := func(target string) *http.Request { // as a client makes it, without a RequestURI
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, target, strings.NewReader("the body"))
		require.NoError(t, err)
		r.Header.Set("Authorization", "client")
		return r
	}
	assert.Equal(t, http.StatusOK, keyed(mux, client("http://here/pay/7")).Code)
	assert.Equal(t, http.StatusOK, keyed(mux, client("http://there/pay/7")).Code)
	assert.Equal(t, http.StatusUnprocessableEntity, keyed(mux, client("http://here/pay/8")).Code)
}

// Of a body that was read in front of the middleware what was made of it counts, and where that
// is nothing nobody can tell whether the request is the same.
func TestW09_ABodyThatWasReadInFront(t *testing.T) {
	form := func(body string) *http.Request {
		r := httptest.NewRequest(http.MethodPost, "/pay", strings.NewReader(body))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		return r
	}
	plain := func(body string) *http.Request {
		r := httptest.NewRequest(http.MethodPost, "/pay", strings.NewReader(body))
		r.Header.Set("Content-Type", "application/json")
		return r
	}
	parses := func(r *http.Request) { _ = r.FormValue("csrf") }
	reads := func(r *http.Request) {
		_, err := io.Copy(io.Discard, r.Body)
		assert.NoError(t, err)
	}
	const same, other, refused = http.StatusOK, http.StatusUnprocessableEntity, http.StatusInternalServerError
	for name, c := range map[string]struct {
		front  func(r *http.Request)
		first  *http.Request
		again  *http.Request
		status int // of the request again
	}{
		"the same form":       {parses, form("to=ann&sum=1"), form("sum=1&to=ann"), same},
		"another form":        {parses, form("to=ann&sum=1"), form("to=ann&sum=100"), other},
		"an empty form":       {parses, form("&"), form("&"), same},
		"the same upload":     {parses, upload(t, "/pay", "x", "the file"), upload(t, "/pay", "x", "the file"), same},
		"another field":       {parses, upload(t, "/pay", "x", "the file"), upload(t, "/pay", "y", "the file"), other},
		"another file":        {parses, upload(t, "/pay", "x", "the file"), upload(t, "/pay", "x", "the FILE"), other},
		"no form, not read":   {parses, plain(`{"sum": 1}`), plain(`{"sum": 100}`), other},
		"no form, the same":   {parses, plain(`{"sum": 1}`), plain(`{"sum": 1}`), same},
		"no body":             {reads, plain(""), plain(""), same},
		"read":                {reads, plain(`{"sum": 1}`), nil, refused},
		"read and closed":     {func(r *http.Request) { reads(r); r.Body = closedBody{} }, plain(`{"sum": 1}`), nil, refused},
		"read, and taken off": {func(r *http.Request) { reads(r); r.Body = http.NoBody }, plain(`{"sum": 1}`), nil, refused},
		"in parts": {func(r *http.Request) {
			_, err := r.MultipartReader()
			assert.NoError(t, err)
			reads(r)
		}, upload(t, "/pay", "x", "the file"), nil, refused},
		"put back": {func(r *http.Request) {
			all, err := io.ReadAll(r.Body)
			assert.NoError(t, err)
			r.Body = io.NopCloser(bytes.NewReader(all))
		}, plain(`{"sum": 1}`), plain(`{"sum": 100}`), other},
	} {
		t.Run(name, func(t *testing.T) {
			var log bytes.Buffer
			ran := 0
			once := atomichttp.Middleware(open(t), atomichttp.Idempotent(), atomichttp.Logger(slog.New(slog.NewTextHandler(&log, nil))))(
				http.HandlerFunc(func(http.ResponseWriter, *http.Request) { ran++ }))
			handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				c.front(r)
				once.ServeHTTP(w, r)
			})
			if c.again == nil {
				assert.Equal(t, c.status, keyed(handler, c.first).Code)
				assert.Zero(t, ran)
				assert.Contains(t, log.String(), "have that put the body back")
				return
			}
			assert.Equal(t, http.StatusOK, keyed(handler, c.first).Code)
			assert.Equal(t, c.status, keyed(handler, c.again).Code)
			assert.Equal(t, 1, ran)
		})
	}
}

// closedBody is the body of a request that somebody has read and closed.
type closedBody struct{}

func (closedBody) Read([]byte) (int, error) { return 0, http.ErrBodyReadAfterClose }
func (closedBody) Close() error             { return nil }

// Without a key it is the handler's own affair, and may run again.
func TestW05_ABodyThatWasReadInFront(t *testing.T) {
	db, meet := contended(t)
	attempts := 0
	handler := atomichttp.Middleware(db, patient...)(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		if attempts++; attempts == 1 {
			meet(r.Context())
		}
	}))
	r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader("{}"))
	r.Body = closedBody{}
	w := httptest.NewRecorder()
	handler.ServeHTTP(w, r)
	assert.Equal(t, http.StatusOK, w.Code)
	assert.Equal(t, 2, attempts)
}
