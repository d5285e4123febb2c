package tests

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/atomic/atomichttp"
)

// site is a web server over a database, with the middleware in front.
type site struct {
	*database
	*httptest.Server
	log    *lines
	client *http.Client
}

// lines is a log.
type lines struct {
	mu  sync.Mutex
	all bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.all.Write(p)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.all.String()
}

// serve starts a site. It ends with the test.
func (db *database) serve(handler http.HandlerFunc, opts ...atomichttp.Option) *site {
	db.t.Helper()
	log := &lines{}
	logger := slog.New(slog.NewTextHandler(log, nil))
	server := httptest.NewUnstartedServer(atomichttp.Middleware(db, append([]atomichttp.Option{atomichttp.Logger(logger)}, opts...)...)(handler))
	server.Config.ErrorLog = slog.NewLogLogger(logger.Handler(), slog.LevelError)
	server.Start()
	db.t.Cleanup(server.Close)
	return &site{db, server, log, server.Client()}
}

// answer is what a client has read.
type answer struct {
	status int
	header http.Header
	body   string
	err    error
}

func (s *site) ask(method, body string, headers ...string) (a answer) {
	return s.askIn(s.t.Context(), method, body, headers...)
}

func (s *site) askIn(ctx context.Context, method, body string, headers ...string) (a answer) {
	r, err := http.NewRequestWithContext(ctx, method, s.URL+"/", strings.NewReader(body))
	if err != nil {
		return answer{err: err}
	}
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	res, err := s.client.Do(r)
	if err != nil {
		return answer{err: err}
	}
	defer res.Body.Close()
	all, err := io.ReadAll(res.Body)
	return answer{res.StatusCode, res.Header, string(all), err}
}

// problem is what an application/problem+json says.
func (a answer) problem(t *testing.T) (typ, detail string) {
	t.Helper()
	require.NoError(t, a.err)
	assert.Equal(t, "application/problem+json", a.header.Get("Content-Type"), a.body)
	var p struct {
		Type, Title, Detail string
		Status              int
	}
	require.NoError(t, json.Unmarshal([]byte(a.body), &p))
	assert.Equal(t, a.status, p.Status)
	assert.Equal(t, http.StatusText(a.status), p.Title)
	return p.Type, p.Detail
}

// inserts is a handler that adds a row and answers with a status.
func (db *database) inserts(id, status int) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if err := db.insert(r.Context(), id); err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		w.WriteHeader(status)
		_, _ = fmt.Fprint(w, "inserted ", id)
	}
}
