package main

import (
	"os"
	"testing"

	"github.com/stretchr/testify/require"
)

// The README shows the table that the code goes by.
func TestL03TheREADMEIsUpToDate(t *testing.T) {
	page, err := os.ReadFile("../../../README.md")
	require.NoError(t, err)
	now, err := rewrite(string(page))
	require.NoError(t, err)
	require.Equal(t, now, string(page), `run "make docs"`)
}

func TestAPageWithoutAPlace(t *testing.T) {
	_, err := rewrite("no table here")
	require.ErrorContains(t, err, "capabilities")
	_, err = rewrite("<!-- capabilities -->\n")
	require.Error(t, err)
}
