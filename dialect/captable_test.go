package dialect

import (
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

var write = flag.Bool("write", false, "write today's tables into README.md")

// The README shows the tables that the code goes by: "make docs" writes them.
func TestL03_TheREADMEIsUpToDate(t *testing.T) {
	const path = "../README.md"
	page, err := os.ReadFile(path)
	require.NoError(t, err)
	now, err := rewrite(string(page))
	require.NoError(t, err)
	if *write {
		require.NoError(t, os.WriteFile(path, []byte(now), 0o644))
		return
	}
	require.Equal(t, now, string(page), `run "make docs"`)
}

func TestAPageWithoutAPlace(t *testing.T) {
	_, err := rewrite("no table here")
	require.ErrorContains(t, err, "capabilities")
	_, err = rewrite("<!-- capabilities -->\n")
	require.Error(t, err)
}

const begin, end = "<!-- capabilities -->\n", "<!-- /capabilities -->"

// rewrite returns page with the tables of today.
func rewrite(page string) (string, error) {
	before, rest, found := strings.Cut(page, begin)
	_, after, closed := strings.Cut(rest, end)
	if !found || !closed {
		return "", fmt.Errorf("no lines %s and %s", strings.TrimSpace(begin), end)
	}
	return before + begin + tables() + end + after, nil
}

func tables() string {
	return capabilityTable(products()) +
		"\nServers that speak the protocol of one of these, by their own versions and from their documentation:\n\n" +
		capabilityTable(compatibleProducts())
}

// products are the servers that Holdfast runs its own suite on, as
// Server.Product names them.
func products() []string { return slices.Clone(productNames[:firstCompatible]) }

// compatibleProducts are the servers that speak the protocol of one of
// products with fewer features. Their versions are counted by their own
// numbers, not by those of the server that they resemble.
func compatibleProducts() []string { return slices.Clone(productNames[firstCompatible:]) }

// capabilityTable is the table of capabilities in Markdown, with a column for
// each of the products.
func capabilityTable(products []string) string {
	var sb strings.Builder
	sb.WriteString("| |")
	rule := "\n|---|"
	for _, p := range products {
		sb.WriteString(" " + p + " |")
		rule += "---|"
	}
	sb.WriteString(rule + "\n")
	for c := range capabilityCount {
		if c == WaitSetting {
			continue // the row of WaitClause shows both
		}
		sb.WriteString("| " + c.String() + " |")
		for _, p := range products {
			server := Server{Product: p}
			sup := server.support(c)
			if c == WaitClause && !sup.has {
				sup = server.support(WaitSetting)
			}
			sb.WriteString(" " + sup.cell() + " |")
		}
		sb.WriteString("\n")
	}
	return sb.String()
}

// cell is the text of a cell: yes, no or the first version, and the note.
func (s support) cell() string {
	said := "yes"
	switch {
	case !s.has:
		said = "no"
	case s.since != Version{}:
		said = "≥ " + s.since.short()
	case s.note != "":
		return s.note
	}
	if s.note != "" {
		said += ": " + s.note
	}
	return said
}
