package docs

import (
	"go/ast"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var block = regexp.MustCompile("(?ms)^```go\n(.*?)^```$")

// The programs of queries.md are examples: each block of code stands in one, down
// to what it prints, or is what the examples share. None of them is forgotten.
func TestTheProgramsOfQueriesRun(t *testing.T) {
	blocks := block.FindAllStringSubmatch(read(t, "queries.md"), -1)
	if len(blocks) == 0 {
		t.Fatal("queries.md has no programs")
	}
	shown := map[string]bool{}
	programs, shared := programs(t, "docs/queries")
	for _, b := range blocks {
		code := b[1]
		if strings.Contains(shared, "\n"+code) {
			continue
		}
		found := false
		for name, program := range programs {
			if strings.HasSuffix(program, "\n"+code) && strings.Contains(code, "// Output:") {
				found, shown[name] = true, true
			}
		}
		if !found {
			t.Errorf("queries.md has a program that is not the end of an example with its output:\n%s", code)
		}
	}
	for name := range programs {
		if !shown[name] {
			t.Errorf("queries.md does not show %s", name)
		}
	}
}

// programs has the bodies of the examples in a directory, by name and without
// their indentation, and the text of all files.
func programs(t *testing.T, dir string) (bodies map[string]string, all string) {
	t.Helper()
	bodies = map[string]string{}
	for name, file := range parse(t, dir, "*_test.go") {
		text := read(t, name)
		all += text
		for _, d := range file.Decls {
			f, ok := d.(*ast.FuncDecl)
			if !ok || !strings.HasPrefix(f.Name.Name, "Example") {
				continue
			}
			start, end := fileSet.Position(f.Body.Lbrace).Offset, fileSet.Position(f.Body.Rbrace).Offset
			bodies[filepath.Base(name)+" "+f.Name.Name] = strings.ReplaceAll(text[start+1:end], "\n\t", "\n")
		}
	}
	return bodies, all
}
