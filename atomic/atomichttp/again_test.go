package atomichttp_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/atomic"
	"github.com/holdfast-go/holdfast/atomic/atomichttp"
	"github.com/holdfast-go/holdfast/dialect"
	"github.com/holdfast-go/holdfast/dialect/sqlite"
	"github.com/holdfast-go/holdfast/models"
	"github.com/holdfast-go/holdfast/orm"
)

// contended is a database, and an attempt at it that meets a lock of somebody else's, which
// Retry cures.
func contended(t *testing.T) (db *orm.DB, meet func(ctx context.Context)) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "test.db")
	var dbs [2]*orm.DB
	for i := range dbs {
		var err error
		dbs[i], err = orm.Open(t.Context(), sqlite.Open(path))
		require.NoError(t, err)
		t.Cleanup(func() { require.NoError(t, dbs[i].Close()) })
	}
	db, other := dbs[0], dbs[1]
	require.NoError(t, orm.CreateTables(t.Context(), db, (*models.Once)(nil)))
	_, err := db.Exec(t.Context(), "CREATE TABLE t (id INTEGER NOT NULL PRIMARY KEY)")
	require.NoError(t, err)
	return db, func(ctx context.Context) {
		err := atomic.Do(t.Context(), other, func(held context.Context) error {
			_, err := other.Exec(held, "INSERT INTO t (id) VALUES (-1)")
			assert.NoError(t, err)
			_, err = db.Exec(ctx, "INSERT INTO t (id) VALUES (-1)")
			assert.ErrorIs(t, err, dialect.ErrLockNotAvailable)
			return atomic.Rollback
		})
		assert.NoError(t, err)
	}
}

// patient has the middleware run handlers again that have met a lock.
var patient = []atomichttp.Option{quiet, atomichttp.Block(atomic.RetryPolicy{Max: 2, Locks: true}, atomic.LockTimeout(0))}

// place is what a router like chi's keeps in the request's ctx, as *chi.Context does.
type place struct {
	path   string
	Params struct{ Keys, Values []string }
	last   struct{ Keys, Values []string }
}

func (p *place) URLParam(key string) string {
	for i := range slices.Backward(p.Params.Keys) {
		if p.Params.Keys[i] == key {
			return p.Params.Values[i]
		}
	}
	return ""
}
func (p *place) RoutePattern() string { return p.path }
func (p *place) Reset()               { *p = place{} }

type placeKey struct{}

// step takes the first part of the path away, with the arrays that were there.
func (p *place) step(r *http.Request) {
	at := p.path
	if len(p.last.Values) > 0 {
		at = "/" + p.last.Values[len(p.last.Values)-1]
	} else if at == "" {
		at = r.URL.Path
	}
	part, rest, _ := strings.Cut(strings.TrimPrefix(at, "/"), "/")
	p.path = "/" + rest
	p.last.Keys, p.last.Values = append(p.last.Keys[:0], part), append(p.last.Values[:0], rest)
	p.Params.Keys, p.Params.Values = append(p.Params.Keys, part), append(p.Params.Values, rest)
}

// What a router has changed in its own state in ctx is as it was when the handler runs again,
// wherever between its parts the middleware stands.
func TestW05_ARouterIsWhereItWas(t *testing.T) {
	for before := range 3 {
		db, meet := contended(t)
		var seen []string
		attempts := 0
		handler := atomichttp.Middleware(db, patient...)(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			for range 4 - before {
				r.Context().Value(placeKey{}).(*place).step(r)
			}
			p := r.Context().Value(placeKey{}).(*place)
			seen = append(seen, fmt.Sprint(p.path, p.Params, p.last, p.URLParam("b")))
			if attempts++; attempts < 3 {
				meet(r.Context())
			}
		}))
		p := &place{}
		r := httptest.NewRequest(http.MethodPost, "/a/b/c/d/e/f", nil)
		r = r.WithContext(context.WithValue(r.Context(), placeKey{}, p))
		for range before {
			p.step(r)
		}
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, r)
		assert.Equal(t, http.StatusOK, w.Code)
		require.Len(t, seen, 3)
		assert.Equal(t, []string{seen[0], seen[0], seen[0]}, seen)
		assert.Contains(t, seen[0], "/e/f")
		assert.Equal(t, "/e/f", p.path, "for those around, too")
	}
}

// So is the request, whatever the handler and the middleware in front of it change in place.
func TestW05_TheRequestIsAsItWas(t *testing.T) {
	db, meet := contended(t)
	var seen []string
	handler := atomichttp.Middleware(db, patient...)(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		assert.NoError(t, err)
		seen = append(seen, fmt.Sprint(r.Method, r.URL, r.Header, r.Form, r.PostForm, r.PathValue("id"), string(body)))
		r.Method = http.MethodPut
		r.URL.Path = strings.TrimPrefix(r.URL.Path, "/shop")
		r.Header.Del("X-Once")
		r.Header.Set("X-More", "1")
		r.Form.Del("a")
		r.PostForm.Add("a", "2")
		r.SetPathValue("id", "another")
		if len(seen) < 3 {
			meet(r.Context())
		}
	}))
	mux := http.NewServeMux()
	mux.HandleFunc("/shop/{id}", func(w http.ResponseWriter, r *http.Request) {
		assert.NoError(t, r.ParseForm())
		r.SetPathValue("more", "1")
		r.Body = io.NopCloser(strings.NewReader("the body"))
		handler.ServeHTTP(w, r)
		assert.Equal(t, "/shop/7", r.Header.Get("X-Path"))
	})
	r := httptest.NewRequest(http.MethodPost, "/shop/7?q=1", strings.NewReader("a=1"))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("X-Once", "1")
	r.Header.Set("X-Path", "/shop/7")
	w := httptest.NewRecorder()
	mux.ServeHTTP(w, r)
	assert.Equal(t, http.StatusOK, w.Code)
	require.Len(t, seen, 3)
	assert.Equal(t, []string{seen[0], seen[0], seen[0]}, seen)
	assert.Contains(t, seen[0], "/shop/7?q=1")
}

// upload is a form with a file.
func upload(t *testing.T, target, field, file string) *http.Request {
	t.Helper()
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	require.NoError(t, form.WriteField("what", field))
	part, err := form.CreateFormFile("file", "a.txt")
	require.NoError(t, err)
	_, err = io.WriteString(part, file)
	require.NoError(t, err)
	require.NoError(t, form.Close())
	r := httptest.NewRequest(http.MethodPost, target, &body)
	r.Header.Set("Content-Type", "multipart/form-data; boundary="+form.Boundary())
	return r
}

// The files of a form that was read in front are its reader's, and there for each attempt.
func TestW05_FilesThatWereReadInFront(t *testing.T) {
	db, meet := contended(t)
	large := strings.Repeat("0123456789abcdef", 1024)
	attempts := 0
	handler := atomichttp.Middleware(db, patient...)(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		attempts++
		file, _, err := r.FormFile("file")
		if !assert.NoError(t, err) {
			return
		}
		defer file.Close()
		_, err = io.Copy(w, file)
		assert.NoError(t, err)
		if attempts == 1 {
			meet(r.Context())
		}
	}))
	r := upload(t, "/", "x", large)
	require.NoError(t, r.ParseMultipartForm(1)) // a temporary file has it
	defer func() { require.NoError(t, r.MultipartForm.RemoveAll()) }()
	w := httptest.NewRecorder()
	handler.ServeHTTP(w, r)
	require.Equal(t, 2, attempts)
	require.Equal(t, large, w.Body.String())
	file, _, err := r.FormFile("file")
	require.NoError(t, err)
	require.NoError(t, file.Close())
}
