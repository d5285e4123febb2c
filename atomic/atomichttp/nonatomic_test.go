package atomichttp_test

import (
	"bytes"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/atomic/atomichttp"
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
