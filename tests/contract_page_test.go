package tests

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// docs/contract.md names a program for every rule, and each of them is a test
// here, in orm, or beside what is under internal, atomic and dialect.
func TestTheContractsProgramsExist(t *testing.T) {
	page, err := os.ReadFile("../docs/contract.md")
	require.NoError(t, err)
	var files []string
	for _, pattern := range []string{"*_test.go", "*/*_test.go", "../orm/*_test.go", "../internal/*/*_test.go", "../atomic/*/*_test.go", "../dialect/*/*_test.go"} {
		found, err := filepath.Glob(pattern)
		require.NoError(t, err)
		files = append(files, found...)
	}
	tests := map[string]bool{}
	for _, file := range files {
		code, err := os.ReadFile(file)
		require.NoError(t, err)
		for _, m := range regexp.MustCompile(`(?m)^func (Test\w+)\(`).FindAllSubmatch(code, -1) {
			tests[string(m[1])] = true
		}
	}
	named := map[string]bool{}
	for _, m := range regexp.MustCompile("`(Test([A-Z]\\d\\d)_\\w+)`").FindAllStringSubmatch(string(page), -1) {
		assert.True(t, tests[m[1]], "%s is no test", m[1])
		named[m[2]] = true
	}
	rules := regexp.MustCompile(`(?m)^\*\*([A-Z])(\d+)\.`).FindAllStringSubmatch(string(page), -1)
	require.NotEmpty(t, rules)
	for _, m := range rules {
		rule := m[1] + fmt.Sprintf("%02s", m[2])
		assert.True(t, named[rule], "no program of %s", rule)
	}
}
