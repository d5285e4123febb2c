package images

import (
	"context"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"time"
)

// Program is a command of a Go module, for Linux. It is compiled in a module of its
// own, so that nothing of what it requires reaches the tests'.
type Program struct {
	Package string // the command's import path
	Version string // its module's
}

// Vtcombo is Vitess in one process: a vtgate, the vttablets of its shards and a
// topology in memory.
var Vtcombo = Program{Package: "vitess.io/vitess/go/cmd/vtcombo", Version: "v0.24.4"}

// Name is the file's.
func (p Program) Name() string { return path.Base(p.Package) }

// Ensure compiles the program for an architecture (amd64) unless it is kept from an
// earlier run, and returns its file. Processes that ask for it at the same time
// compile it once. report is told, in a sentence, what takes long.
func (p Program) Ensure(ctx context.Context, arch string, report func(string)) (file string, err error) {
	dir, err := kept()
	if err != nil {
		return "", err
	}
	name := p.Name() + "-" + p.Version + "-" + arch
	file = filepath.Join(dir, name)
	if _, err := os.Stat(file); err == nil {
		return file, nil
	}
	unlock, err := lock(ctx, name)
	if err != nil {
		return "", err
	}
	defer unlock()
	if _, err := os.Stat(file); err == nil {
		return file, nil // another process has compiled it meanwhile
	}

	began := time.Now()
	report(fmt.Sprintf("compiling %s@%s, which takes minutes, and is kept for the next run", p.Package, p.Version))
	if err := p.compile(ctx, arch, file); err != nil {
		return "", fmt.Errorf("compiling %s@%s: %w", p.Package, p.Version, err)
	}
	report(fmt.Sprintf("compiled %s in %s", file, time.Since(began).Round(time.Second)))
	return file, nil
}

// compile leaves no file behind that is not whole. What it downloads is checked
// against Go's database of checksums, as "go install" does, which takes no module
// with an exclude directive.
func (p Program) compile(ctx context.Context, arch, file string) error {
	dir, err := os.MkdirTemp("", "holdfast-program-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	if err := os.WriteFile(filepath.Join(dir, "go.mod"), []byte("module program\n"), 0o644); err != nil {
		return err
	}
	env := []string{"GOWORK=off", "CGO_ENABLED=0", "GOOS=linux", "GOARCH=" + arch}
	if err := runWith(ctx, env, "go", "get", "-C", dir, p.Package+"@"+p.Version); err != nil {
		return err
	}
	part := file + ".part"
	if err := runWith(ctx, env, "go", "build", "-C", dir, "-trimpath", "-ldflags=-s -w", "-o", part, p.Package); err != nil {
		return err
	}
	return os.Rename(part, file)
}
