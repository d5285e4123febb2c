package atomichttp_test

import (
	"bytes"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/atomic"
	"github.com/holdfast-go/holdfast/atomic/atomichttp"
	"github.com/holdfast-go/holdfast/orm"
)

// A stream ends when its client goes, which is no error.
func TestW08_AStreamWhoseClientGoes(t *testing.T) {
	var said bytes.Buffer
	log := slog.New(slog.NewTextHandler(&said, nil))
	server := httptest.NewServer(atomichttp.Middleware(open(t), atomichttp.Logger(log))(atomichttp.NonAtomic(
		http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.WriteString(w, "data: one\n\n")
			_ = http.NewResponseController(w).Flush()
			<-r.Context().Done()
		}))))
	res, err := server.Client().Get(server.URL)
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, res.StatusCode)
	require.NoError(t, res.Body.Close())
	server.Close() // waits for the handler
	require.Empty(t, said.String())
}

// A database that was never opened is a mistake of the program's: the handler does not run.
func TestB18_NoDatabase(t *testing.T) {
	for _, opts := range [][]atomichttp.Option{nil, {atomichttp.Also((*orm.DB)(nil))}} {
		var db *orm.DB
		if opts != nil {
			db = open(t)
		}
		var said bytes.Buffer
		opts = append(opts, atomichttp.Logger(slog.New(slog.NewTextHandler(&said, nil))))
		w := httptest.NewRecorder()
		atomichttp.Middleware(db, opts...)(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
			t.Error("the handler ran")
		})).ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/", nil))
		require.Equal(t, http.StatusInternalServerError, w.Code)
		require.Contains(t, said.String(), "a database is nil")
		require.Contains(t, said.String(), atomic.ErrOption.Error())
	}
}
