package docs

import (
	"go/ast"
	"go/doc"
	"go/parser"
	"go/token"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// face is what an application imports.
var face = []string{"atomic", "atomic/atomichttp", "orm", "query", "dialect", "dialect/mysql", "dialect/postgres", "dialect/sqlite", "models"}

// An application that looks for a name finds it at work: in an example that
// runs, or on a page. A type is shown by what makes it, what it can do, and
// whatever takes or returns it.
func TestEveryNameIsShown(t *testing.T) {
	shown := examples(t)
	for _, page := range pages(t) {
		for _, code := range inCode.FindAllString(read(t, page), -1) {
			for _, word := range words.FindAllString(code, -1) {
				shown[word] = true
			}
		}
	}
	inUse := map[string]bool{} // the types that what is shown takes and returns
	packages := map[string]*doc.Package{}
	for _, dir := range face {
		p := documented(t, dir)
		packages[dir] = p
		uses := func(all []*doc.Func) (found bool) {
			for _, f := range all {
				if shown[f.Name] {
					names(f.Decl.Type, inUse)
					found = true
				}
			}
			return found
		}
		missing := func(name string) { t.Errorf("%s.%s is in no example and on no page", dir, name) }
		values := func(all []*doc.Value) (found bool) {
			for _, v := range all {
				for _, name := range v.Names {
					if ast.IsExported(name) && !shown[name] {
						missing(name)
					}
					found = true
				}
			}
			return found
		}
		funcs := func(of string, all []*doc.Func) {
			for _, f := range all {
				if !shown[f.Name] && !slices.Contains(answers, f.Name) {
					missing(of + f.Name)
				}
			}
		}
		values(p.Consts)
		values(p.Vars)
		funcs("", p.Funcs)
		uses(p.Funcs)
		for _, of := range p.Types {
			if uses(of.Funcs) || uses(of.Methods) || values(of.Consts) || values(of.Vars) {
				shown[of.Name] = true
			}
			funcs("", of.Funcs)
			funcs(of.Name+".", of.Methods)
		}
		for _, of := range p.Types {
			if shown[of.Name] {
				names(of.Decl, inUse) // the types of its fields
			}
		}
	}
	for dir, p := range packages {
		for _, of := range p.Types {
			if !shown[of.Name] && !inUse[of.Name] {
				t.Errorf("%s.%s is in no example and on no page", dir, of.Name)
			}
		}
	}
}

// A page shows a name where it writes code.
var (
	inCode = regexp.MustCompile("(?s)```.*?```|`[^`\n]+`")
	words  = regexp.MustCompile(`\w+`)
)

// answers are methods that somebody else calls: packages errors, fmt and json, or
// another package of the library.
var answers = []string{"Error", "Unwrap", "Is", "String", "Executor", "Collect", "Node", "Condition", "Tree", "WaitLimit", "MarshalJSON", "UnmarshalJSON"}

// examples has every name that an example of the face uses.
func examples(t *testing.T) map[string]bool {
	t.Helper()
	used := map[string]bool{}
	for _, dir := range face {
		for _, file := range parse(t, dir, "example*_test.go") {
			names(file, used)
		}
	}
	return used
}

// names adds the names in a piece of code.
func names(code ast.Node, to map[string]bool) {
	ast.Inspect(code, func(n ast.Node) bool {
		if id, ok := n.(*ast.Ident); ok {
			to[id.Name] = true
		}
		return true
	})
}

// documented is what "go doc" shows of a package.
func documented(t *testing.T, dir string) *doc.Package {
	t.Helper()
	var files []*ast.File
	for name, file := range parse(t, dir, "*.go") {
		if !strings.HasSuffix(name, "_test.go") {
			files = append(files, file)
		}
	}
	p, err := doc.NewFromFiles(fileSet, files, dir)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

var fileSet = token.NewFileSet()

func parse(t *testing.T, dir, pattern string) map[string]*ast.File {
	t.Helper()
	names, err := filepath.Glob(filepath.Join("..", dir, pattern))
	if err != nil {
		t.Fatal(err)
	}
	files := map[string]*ast.File{}
	for _, name := range names {
		file, err := parser.ParseFile(fileSet, name, nil, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		files[name] = file
	}
	return files
}
