package main

import (
	"bufio"
	"context"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// The program says where it answers, and ends when it is told to, although somebody listens
// to its events.
func TestTheProgram(t *testing.T) {
	stop, cancel := context.WithCancel(t.Context())
	said, out := io.Pipe()
	ended := make(chan error, 1)
	go func() { ended <- run(stop, []string{"-addr=127.0.0.1:0"}, out) }()
	lines := bufio.NewReader(said)
	engine, err := lines.ReadString('\n')
	require.NoError(t, err)
	assert.True(t, strings.HasPrefix(engine, "SQLite "), engine)
	url, err := lines.ReadString('\n')
	require.NoError(t, err)
	url = strings.TrimSpace(url)

	client := &http.Client{Transport: &http.Transport{}}
	defer client.CloseIdleConnections()
	res, err := client.Get(url + "/events")
	require.NoError(t, err)
	defer res.Body.Close()
	assert.Equal(t, http.StatusOK, res.StatusCode)
	err = run(t.Context(), []string{"-addr=" + strings.TrimPrefix(url, "http://")}, io.Discard)
	require.ErrorContains(t, err, "-addr names another address")
	cancel()
	require.NoError(t, <-ended)
	_, err = io.ReadAll(res.Body)
	require.NoError(t, err, "the stream has come to its end")
}

func TestRefused(t *testing.T) {
	require.ErrorContains(t, run(t.Context(), []string{"-db=oracle"}, io.Discard), `-db "oracle"`)
	require.ErrorContains(t, run(t.Context(), []string{"now"}, io.Discard), `unexpected argument "now"`)
}
