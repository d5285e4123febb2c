package docs

import (
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// pages are those that speak to people.
func pages(t *testing.T) []string {
	t.Helper()
	all, err := filepath.Glob("*.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"README.md", "CONTRIBUTING.md", "CHANGELOG.md"} {
		all = append(all, filepath.Join("..", name))
	}
	return all
}

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

var (
	link     = regexp.MustCompile(`\]\(([^)#]*)(#[^)]*)?\)`)
	heading  = regexp.MustCompile(`(?m)^#+ (.*)$`)
	dropped  = regexp.MustCompile(`[^\p{L}\p{N} _-]`) // from the name of a heading
	filename = regexp.MustCompile(`[\w.-]*(?:/\w[\w.-]*)+|\.?\w[\w.-]*\.(?:go|md|yml)\b`)
	testIn   = regexp.MustCompile("`(Test\\w+)` in\\s+\\[[^]]*\\]\\(([^)]*)\\)") // a test, and the file that it is in
	testname = regexp.MustCompile(`\bTest[A-Z]\w*…?`)
	pattern  = regexp.MustCompile(`^Test[A-Z]\d\d$`) // as "go test -run" takes it
	rule     = regexp.MustCompile(`(?m)^\*\*([A-Z])(\d+)[.*]`)
	ruleName = regexp.MustCompile(`\b[A-Z]\d+\b`)
	ruleTest = regexp.MustCompile(`\bfunc Test([A-Z])0?(\d+)_`)
)

// Every file that a page names exists, and every heading that it links to.
func TestThePlacesThatPagesNameExist(t *testing.T) {
	files := tree(t)
	for _, page := range pages(t) {
		text := read(t, page)
		for _, m := range link.FindAllStringSubmatch(inCode.ReplaceAllString(text, ""), -1) {
			target, anchor := m[1], m[2]
			if strings.Contains(target, "://") {
				continue
			}
			to := page
			if target != "" {
				to = filepath.Join(filepath.Dir(page), target)
			}
			if _, err := os.Stat(to); err != nil {
				t.Errorf("%s links to %s: %v", page, target, err)
			} else if anchor != "" && !slices.Contains(headings(read(t, to)), anchor[1:]) {
				t.Errorf("%s links to %s%s, which is no heading", page, target, anchor)
			}
		}
		for _, code := range inCode.FindAllString(text, -1) {
			if strings.Contains(code, "<") { // a placeholder
				continue
			}
			for _, name := range filename.FindAllString(code, -1) {
				if !exists(files, name) {
					t.Errorf("%s names %s, which does not exist", page, name)
				}
			}
		}
	}
}

// exists reports whether name is a path from the root, a file's own name, or
// begins with nothing that the repository has, and so means something else.
func exists(files map[string]bool, name string) bool {
	name = strings.TrimSuffix(path.Clean(name), ".")
	room, _, inRoom := strings.Cut(name, "/")
	if inRoom {
		return files[name] || !files[room]
	}
	for file := range files {
		if path.Base(file) == name {
			return true
		}
	}
	return false
}

// tree has the paths of all files and directories.
func tree(t *testing.T) map[string]bool {
	t.Helper()
	all := map[string]bool{}
	err := fs.WalkDir(os.DirFS(".."), ".", func(name string, entry fs.DirEntry, err error) error {
		if name == ".git" || name == "build" {
			return skip(entry)
		}
		all[name] = true
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func skip(entry fs.DirEntry) error {
	if entry.IsDir() {
		return fs.SkipDir
	}
	return nil
}

// headings has the names by which a page's headings are linked to.
func headings(text string) (all []string) {
	for _, m := range heading.FindAllStringSubmatch(text, -1) {
		name := dropped.ReplaceAllString(strings.ToLower(m[1]), "")
		all = append(all, strings.ReplaceAll(name, " ", "-"))
	}
	return all
}

// Every test that a page names exists, in the file that the page says it is in;
// "TestB08_…" stands for all that begin so.
func TestTheTestsThatPagesNameExist(t *testing.T) {
	var code strings.Builder
	for file := range tree(t) {
		if strings.HasSuffix(file, "_test.go") {
			code.WriteString(read(t, filepath.Join("..", file)))
		}
	}
	for _, page := range pages(t) {
		for _, name := range testname.FindAllString(read(t, page), -1) {
			start, all := strings.CutSuffix(name, "…")
			if !all && !pattern.MatchString(name) {
				start += "("
			}
			if !strings.Contains(code.String(), "\nfunc "+start) {
				t.Errorf("%s names %s, which is no test", page, name)
			}
		}
		for _, m := range testIn.FindAllStringSubmatch(read(t, page), -1) {
			if file := filepath.Join(filepath.Dir(page), m[2]); !strings.Contains(read(t, file), "\nfunc "+m[1]+"(") {
				t.Errorf("%s is not in %s, as %s says", m[1], m[2], page)
			}
		}
	}
}

// Every rule of the contract has a place in the code that names it, and a test:
// "git grep" finds both.
func TestEveryRuleIsNamedWhereItStands(t *testing.T) {
	inCode, inTests := map[string]bool{}, map[string]bool{}
	for file := range tree(t) {
		switch {
		case strings.HasSuffix(file, "_test.go"):
			for _, m := range ruleTest.FindAllStringSubmatch(read(t, filepath.Join("..", file)), -1) {
				inTests[m[1]+m[2]] = true
			}
		case strings.HasSuffix(file, ".go") && !strings.HasPrefix(file, "tests/") && !strings.HasPrefix(file, "bench/"):
			for _, name := range ruleName.FindAllString(read(t, filepath.Join("..", file)), -1) {
				inCode[name] = true
			}
		}
	}
	rules := rule.FindAllStringSubmatch(read(t, "contract.md"), -1)
	if len(rules) == 0 {
		t.Fatal("contract.md has no rules")
	}
	for _, m := range rules {
		name := m[1] + m[2]
		if !inCode[name] {
			t.Errorf("no code names %s", name)
		}
		if !inTests[name] {
			t.Errorf("no test is named after %s", name)
		}
	}
}

// README and package atomic explain the same words in the same way.
func TestTheGlossaryIsTheSame(t *testing.T) {
	inDoc := entries(section(t, strings.ReplaceAll(read(t, "../atomic/doc.go"), "\n//", "\n"), "# Words"))
	inREADME := entries(section(t, read(t, "../README.md"), "## Names"))
	if len(inDoc) == 0 || !slices.Equal(inDoc, inREADME) {
		t.Errorf("atomic/doc.go:\n%s\n\nREADME.md:\n%s", strings.Join(inDoc, "\n"), strings.Join(inREADME, "\n"))
	}
}

// section is what stands under a heading, up to the next one.
func section(t *testing.T, text, heading string) string {
	t.Helper()
	_, rest, found := strings.Cut(text, heading+"\n")
	if !found {
		t.Fatal("no section " + heading)
	}
	before, _, _ := strings.Cut(rest, "\n#")
	before, _, _ = strings.Cut(before, "\n #")
	return before
}

// entries are the points of a list, without what only looks differ by.
func entries(text string) (all []string) {
	text = strings.NewReplacer("*", "", "`", "", "atomic.", "").Replace(text)
	within := false
	for line := range strings.Lines(text) {
		switch line = strings.TrimSpace(line); {
		case strings.HasPrefix(line, "- "):
			all, within = append(all, line), true
		case line == "":
			within = false
		case within:
			all[len(all)-1] += " " + line
		}
	}
	return all
}
