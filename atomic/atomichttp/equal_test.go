package atomichttp_test

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/holdfast-go/holdfast/atomic/atomichttp"
	"github.com/holdfast-go/holdfast/dialect/sqlite"
	"github.com/holdfast-go/holdfast/models"
	"github.com/holdfast-go/holdfast/orm"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var quiet = atomichttp.Logger(slog.New(slog.DiscardHandler))

// open opens an empty database with the table t (id, v) and that of Once.
func open(t testing.TB, opts ...orm.Option) *orm.DB {
	t.Helper()
	db, err := orm.Open(t.Context(), sqlite.Open(filepath.Join(t.TempDir(), "test.db")), opts...)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	_, err = db.Exec(t.Context(), "CREATE TABLE t (id INTEGER NOT NULL PRIMARY KEY, v INTEGER NOT NULL)")
	require.NoError(t, err)
	require.NoError(t, orm.CreateTables(t.Context(), db, (*models.Once)(nil)))
	return db
}

// talk sends a request as it is written, and returns what comes back, byte for byte.
func talk(t *testing.T, addr, request string) string {
	t.Helper()
	conn, err := net.Dial("tcp", addr)
	require.NoError(t, err)
	defer conn.Close()
	require.NoError(t, conn.SetDeadline(time.Now().Add(20*time.Second)))
	_, err = io.WriteString(conn, request)
	require.NoError(t, err)
	all, err := io.ReadAll(conn)
	require.NoError(t, err)
	return regexp.MustCompile(`(?m)^Date: .*\r$`).ReplaceAllString(string(all), "Date: now\r")
}

// Without the middleware and with it a handler answers the same bytes.
func TestW01_TheSameResponse(t *testing.T) {
	dir := t.TempDir()
	large := bytes.Repeat([]byte("0123456789abcdef"), 8<<10)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "file.txt"), large, 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "index.html"), []byte("<html>"), 0o600))
	modified := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	content := func(w http.ResponseWriter, r *http.Request) {
		http.ServeContent(w, r, "a.txt", modified, bytes.NewReader(large))
	}
	text := func(s string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, s) }
	}
	status := func(code int, body string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(code)
			n, err := io.WriteString(w, body)
			if err != nil {
				w.Header().Set(http.TrailerPrefix+"Err", fmt.Sprint(n, err))
			}
		}
	}
	handlers := map[string]struct {
		handler http.HandlerFunc
		request string // a request line, and what follows it; "": GET /
	}{
		"nothing":               {func(http.ResponseWriter, *http.Request) {}, ""},
		"nothing, HEAD":         {func(http.ResponseWriter, *http.Request) {}, "HEAD / HTTP/1.1\r\n"},
		"a text":                {text("hello"), ""},
		"a text, HEAD":          {text("hello"), "HEAD / HTTP/1.1\r\n"},
		"a text, HTTP/1.0":      {text("hello"), "GET / HTTP/1.0\r\n"},
		"HTML, by its look":     {text("<!DOCTYPE html><title>x"), ""},
		"2048 bytes":            {text(string(large[:2048])), ""},
		"2049 bytes":            {text(string(large[:2049])), ""},
		"much":                  {text(string(large)), ""},
		"much, HTTP/1.0":        {text(string(large)), "GET / HTTP/1.0\r\n"},
		"201":                   {status(201, "made"), "POST / HTTP/1.1\r\nContent-Length: 0\r\n"},
		"204":                   {status(204, ""), ""},
		"204 with a body":       {status(204, "no"), ""},
		"304":                   {status(304, ""), ""},
		"304 with a body":       {status(304, "no"), ""},
		"404":                   {http.NotFound, ""},
		"500":                   {status(500, "oh"), ""},
		"a status of nobody's":  {status(799, "x"), ""},
		"redirect":              {http.RedirectHandler("/there", http.StatusSeeOther).ServeHTTP, ""},
		"error":                 {func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "bad", http.StatusBadRequest) }, ""},
		"content":               {content, ""},
		"content, HEAD":         {content, "HEAD / HTTP/1.1\r\n"},
		"content, a range":      {content, "GET / HTTP/1.1\r\nRange: bytes=5-9\r\n"},
		"content, ranges":       {content, "GET / HTTP/1.1\r\nRange: bytes=99999999-\r\n"},
		"content, not modified": {content, "GET / HTTP/1.1\r\nIf-Modified-Since: Fri, 02 Jan 2026 03:04:05 GMT\r\n"},
		"content, unmodified":   {content, "GET / HTTP/1.1\r\nIf-Unmodified-Since: Fri, 02 Jan 2025 03:04:05 GMT\r\n"},
		"a file":                {http.FileServer(http.Dir(dir)).ServeHTTP, "GET /file.txt HTTP/1.1\r\nRange: bytes=-3\r\n"},
		"a directory's index":   {http.FileServer(http.Dir(dir)).ServeHTTP, "HEAD / HTTP/1.1\r\n"},
		"a mux":                 {http.NewServeMux().ServeHTTP, "GET /no//where HTTP/1.1\r\n"},
		"headers": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Add("X-Two", "a")
			w.Header().Add("X-Two", "b")
			w.Header()["x-lower"] = []string{"c"}
			w.Header()["Date"] = nil
			http.SetCookie(w, &http.Cookie{Name: "n", Value: "v"})
			_, _ = w.Write([]byte("x"))
			w.Header().Set("X-Late", "is not sent")
		}, ""},
		"in pieces": {func(w http.ResponseWriter, _ *http.Request) {
			for i := range 700 {
				_, _ = fmt.Fprintf(w, "line %d\n", i)
			}
			_, _ = w.Write(nil)
			_, _ = w.Write(large[:5000])
		}, ""},
		"announced length": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "3")
			_, _ = w.Write([]byte("ab"))
			n, err := w.Write([]byte("cd"))
			if n != 0 || !errors.Is(err, http.ErrContentLength) {
				panic("not refused")
			}
			_, _ = w.Write([]byte("c"))
		}, ""},
		"less than announced": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "30")
			_, _ = w.Write([]byte("ab"))
		}, ""},
		"a wrong length": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "-3x")
			_, _ = w.Write([]byte("ab"))
		}, ""},
		"trailers": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Trailer", "X-Sum, X-Never")
			_, _ = w.Write([]byte("body"))
			w.Header().Set("X-Sum", "4")
			w.Header().Set("X-Undeclared", "5")
			w.Header().Set(http.TrailerPrefix+"X-After", "6")
		}, ""},
		"early hints": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Link", "</style.css>; rel=preload")
			w.WriteHeader(http.StatusEarlyHints)
			w.Header().Set("Link", "</other.css>; rel=preload")
			w.WriteHeader(http.StatusProcessing)
			w.Header().Set("X-Own", "1")
			_, _ = io.WriteString(w, "x")
		}, ""},
		"two statuses": {func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusAccepted)
			w.WriteHeader(http.StatusInternalServerError)
		}, ""},
		"closes": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Connection", "close")
			w.Header().Set("Transfer-Encoding", "identity")
			_, _ = io.WriteString(w, "x")
		}, ""},
		"echo": {func(w http.ResponseWriter, r *http.Request) {
			_, err := io.Copy(w, r.Body)
			_, _ = fmt.Fprint(w, err, r.ContentLength, r.TransferEncoding)
		}, "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\nExpect: 100-continue\r\n"},
		"a form": {func(w http.ResponseWriter, r *http.Request) {
			_, _ = fmt.Fprint(w, r.FormValue("a"), r.ParseMultipartForm(1))
		}, "POST /?a=1 HTTP/1.1\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 3\r\n"},
		"panics": {func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, "x")
			panic(http.ErrAbortHandler)
		}, "aborts"},
	}
	require.GreaterOrEqual(t, len(handlers), 25)
	db := open(t)
	for name, c := range handlers {
		if c.request == "" {
			c.request = "GET / HTTP/1.1\r\n"
		}
		aborts := c.request == "aborts"
		if aborts {
			c.request = "GET / HTTP/1.1\r\n"
		}
		body := ""
		switch {
		case strings.Contains(c.request, "chunked"):
			body = "3\r\nabc\r\n0\r\n\r\n"
		case strings.Contains(c.request, "form-urlencoded"):
			body = "a=2"
		}
		request := c.request + "Host: here\r\nConnection: close\r\n\r\n" + body
		plain := answered(t, c.handler, request)
		for setting, opts := range map[string][]atomichttp.Option{
			"plain": nil, "retry": {atomichttp.Retry(2)}, "spill": {atomichttp.Spill(dir), atomichttp.MaxResponse(1 << 20)},
			"first": {atomichttp.RespondFirst(), atomichttp.ReadOnlyForSafeMethods()}, "idempotent": {atomichttp.Idempotent()},
		} {
			got := answered(t, atomichttp.Middleware(db, append(opts, quiet)...)(c.handler), request)
			if aborts {
				assert.Empty(t, got, "%s, %s", name, setting) // nothing has left: without the middleware it is what was written by then
				continue
			}
			if setting == "first" { // it may have a length instead of pieces
				assert.Equal(t, meant(t, c.request, plain), meant(t, c.request, got), name)
				continue
			}
			assert.True(t, plain == got, "%s, %s:\n%.600q\n%.600q", name, setting, plain, got)
		}
		spilled := atomichttp.Middleware(db, atomichttp.Spill(dir), atomichttp.MaxResponse(10), quiet)(c.handler)
		if !aborts {
			got := answered(t, spilled, request)
			assert.True(t, plain == got, "%s, from a file:\n%.600q\n%.600q", name, plain, got)
		}
	}
	left, err := filepath.Glob(filepath.Join(dir, "holdfast-response-*"))
	require.NoError(t, err)
	assert.Empty(t, left)
}

// A goroutine that the handler has left behind gets an error. A panic there would end the
// process, and with the buffer of another request it would write into that one's response.
func TestW01_WhoWritesAfterTheHandler(t *testing.T) {
	served := make(chan struct{})
	late := make(chan error, 2)
	h := atomichttp.Middleware(open(t), quiet)(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, "in time")
		go func() {
			<-served
			w.Header().Set("X-Late", "1")
			_, err := w.Write([]byte("late"))
			late <- err
			_, err = io.WriteString(w, "late")
			late <- err
		}()
	}))
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(http.MethodPost, "/", nil))
	close(served)
	require.Error(t, <-late)
	require.Error(t, <-late)
	require.Equal(t, "in time", w.Body.String())
	require.Empty(t, w.Header().Get("X-Late"))
}

// meant is what a client reads of a response, without what says where its body ends.
func meant(t *testing.T, request, response string) (meaning []string) {
	t.Helper()
	method, _, _ := strings.Cut(request, " ")
	text := bufio.NewReader(strings.NewReader(response))
	for status := 0; status < 200; {
		res, err := http.ReadResponse(text, &http.Request{Method: method})
		require.NoError(t, err)
		body, err := io.ReadAll(res.Body)
		require.NoError(t, res.Body.Close())
		res.Header.Del("Content-Length")
		status = res.StatusCode
		meaning = append(meaning, fmt.Sprint(res.Proto, res.Status, res.Header, err, res.Trailer), string(body))
	}
	return meaning
}

func answered(t *testing.T, h http.Handler, request string) string {
	t.Helper()
	server := httptest.NewUnstartedServer(h)
	server.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	server.Start()
	defer server.Close()
	u, err := url.Parse(server.URL)
	require.NoError(t, err)
	return talk(t, u.Host, request)
}
