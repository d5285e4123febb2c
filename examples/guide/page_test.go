package guide

import (
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// block is a piece of the page that a reader types, or compares.
type block struct {
	file string // the file that it is, or goes on; "" for console blocks
	text string
}

// A block of a file has the file's name, in a line of its own, above it.
var fenced = regexp.MustCompile("(?m)(?:^`([^`\n]+)`:\n\n)?^```(\\w+)\n((?s:.*?))^```$")

// page reads docs/guide.md.
func page(t *testing.T) (files, console []block) {
	t.Helper()
	text, err := os.ReadFile("../../docs/guide.md")
	require.NoError(t, err)
	for _, m := range fenced.FindAllStringSubmatch(string(text), -1) {
		switch {
		case m[2] == "console":
			console = append(console, block{text: m[3]})
		case m[1] == "":
			t.Errorf("a block of %s has no file: %.80q", m[2], m[3])
		default:
			files = append(files, block{file: m[1], text: m[3]})
		}
	}
	require.NotEmpty(t, files)
	require.NotEmpty(t, console)
	return files, console
}

// typed has the files as somebody has them who types what the page says.
func typed(t *testing.T) map[string]string {
	t.Helper()
	blocks, _ := page(t)
	files := map[string]string{}
	for _, b := range blocks {
		if before, again := files[b.file]; again {
			files[b.file] = before + "\n" + b.text
		} else {
			files[b.file] = b.text
		}
	}
	return files
}

// head is what the page leaves out of a file of Go, but for the first and for tests.
var head = regexp.MustCompile(`\A(?s:.*?)\nimport (?:\((?s:.*?)\n\)|"[^"]*")\n\n`)

// The page has every line of every file here below its imports, and no other.
func TestThePageIsTheFiles(t *testing.T) {
	files := typed(t)
	for name, shown := range files {
		text, err := os.ReadFile(name)
		if !assert.NoError(t, err) {
			continue
		}
		if strings.HasSuffix(name, ".go") && !strings.HasSuffix(name, "_test.go") && name != "first/main.go" {
			text = text[len(head.Find(text)):]
		}
		assert.Equal(t, string(text), shown, name)
	}
	ours := []string{"doc.go", "page_test.go", "run_test.go"}
	err := filepath.WalkDir(".", func(path string, entry fs.DirEntry, err error) error {
		kind := filepath.Ext(path)
		if err == nil && !entry.IsDir() && (kind == ".go" || kind == ".sql") && !slices.Contains(ours, path) {
			assert.Contains(t, files, filepath.ToSlash(path), "the guide does not show it")
		}
		return err
	})
	require.NoError(t, err)
}

// Whoever types a file finds its imports in the page's table, or in the standard
// library.
func TestThePageNamesTheImports(t *testing.T) {
	text, err := os.ReadFile("../../docs/guide.md")
	require.NoError(t, err)
	for name := range typed(t) {
		if !strings.HasSuffix(name, ".go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ImportsOnly|parser.ParseComments)
		require.NoError(t, err)
		folder := filepath.Base(filepath.Dir(name))
		if strings.HasSuffix(name, "/main.go") {
			folder = "main"
		}
		assert.Equal(t, folder, strings.TrimSuffix(file.Name.Name, "_test"), name)
		for _, i := range file.Imports {
			path := strings.Trim(i.Path.Value, `"`)
			if first, _, _ := strings.Cut(path, "/"); strings.Contains(first, ".") {
				path = strings.Replace(strings.Replace(path, "dialect/mysql", "dialect/sqlite", 1), "dialect/postgres", "dialect/sqlite", 1)
				assert.Contains(t, string(text), "`"+path+"`", name)
			}
		}
	}
}

// command is a line of a console block, and what the page says that it prints.
type command struct{ line, output string }

func commands(t *testing.T) (all []command) {
	t.Helper()
	_, console := page(t)
	for _, b := range console {
		for line := range strings.Lines(b.text) {
			if typed, is := strings.CutPrefix(line, "$ "); is {
				all = append(all, command{line: strings.TrimSuffix(typed, "\n")})
			} else if len(all) > 0 {
				all[len(all)-1].output += line
			}
		}
	}
	return all
}
