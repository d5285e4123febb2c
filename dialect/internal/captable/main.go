// Captable writes what each server can do into a page, between the lines
// <!-- capabilities --> and <!-- /capabilities -->:
//
//	captable ../README.md
package main

import (
	"fmt"
	"os"
	"strings"

	"github.com/holdfast-go/holdfast/dialect"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: captable PAGE")
		os.Exit(2)
	}
	if err := update(os.Args[1]); err != nil {
		fmt.Fprintf(os.Stderr, "captable: %v\n", err)
		os.Exit(1)
	}
}

func update(path string) error {
	page, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	changed, err := rewrite(string(page))
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	if changed == string(page) {
		return nil
	}
	return os.WriteFile(path, []byte(changed), 0o644)
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
	return dialect.CapabilityTable(dialect.Products()) +
		"\nServers that speak the protocol of one of these, by their own versions and from their documentation:\n\n" +
		dialect.CapabilityTable(dialect.CompatibleProducts())
}
