package sqlite

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	modernc "modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"github.com/holdfast-go/holdfast/dialect"
)

func problem(setting, text string, err error) *dialect.OpenError {
	return &dialect.OpenError{Engine: dialect.SQLite, Setting: setting, Problem: text, Err: err}
}

// checkSettings finds what is wrong before anything is opened.
func (s *source) checkSettings() error {
	if s.busy > 0 && s.busy < time.Millisecond {
		return problem("BusyTimeout", fmt.Sprintf("BusyTimeout(%v) is shorter than a millisecond; write a number with its unit: 2*time.Second", s.busy), nil)
	}
	if err := s.check(); err != nil {
		return problem("pragma", err.Error(), nil)
	}
	switch {
	case s.path == "":
		return problem("path", `it is empty; name a file, or ":memory:"`, nil)
	case strings.HasPrefix(s.path, "file:"), strings.HasPrefix(s.path, "sqlite:"):
		return problem("path", fmt.Sprintf("%q is a URI; give the path alone, and settings as options", s.path), nil)
	case strings.Contains(s.path, "://"), strings.Contains(s.path, "@tcp("), strings.Contains(s.path, "@unix("): // may hold a password
		return problem("path", "it is the address of a server and not a file; pass it to Open of that engine's package", nil)
	case strings.HasPrefix(s.path, memory) && s.path != memory:
		return problem("path", `something follows ":memory:"; give that alone, and settings as options`, nil)
	case strings.ContainsRune(s.path, 0):
		return problem("path", "it contains a zero byte", nil)
	case s.path == memory && s.readOnly:
		return problem("path", "a new database in memory cannot be read-only", nil)
	case s.path == memory:
		return nil
	}
	if info, err := os.Stat(s.path); err == nil {
		if info.IsDir() {
			return problem("path", fmt.Sprintf("%q is a directory; name a file in it", s.path), nil)
		}
		return nil
	} else if s.readOnly {
		return problem("path", fmt.Sprintf("%q does not exist, and ReadOnly creates nothing", s.path), err)
	}
	dir := filepath.Dir(s.path)
	switch info, err := os.Stat(dir); {
	case errors.Is(err, os.ErrNotExist):
		return problem("path", fmt.Sprintf("the directory %q does not exist; create it first", dir), err)
	case err != nil:
		return problem("path", fmt.Sprintf("the directory %q cannot be entered: %v", dir, err), err)
	case !info.IsDir():
		return problem("path", fmt.Sprintf("%q is not a directory", dir), nil)
	}
	return nil
}

// openError says which setting to look at.
func openError(path string, err error) error {
	var known *dialect.OpenError
	if errors.As(err, &known) {
		return known
	}
	var e *modernc.Error
	if !errors.As(err, &e) {
		return problem("path", "opening it failed: "+err.Error(), err)
	}
	name := fmt.Sprintf("%q", path)
	if path == "" {
		name = "the pool's database"
	}
	switch e.Code() & 0xff {
	case sqlite3.SQLITE_NOTADB:
		return problem("path", name+" is not an SQLite database, or it is encrypted", err)
	case sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM:
		return problem("path", name+" cannot be written; change its permissions and those of its directory, or open it with ReadOnly", err)
	case sqlite3.SQLITE_CANTOPEN:
		return problem("path", name+" cannot be opened: "+whyNot(path), err)
	case sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED:
		return problem("path", name+" is locked by another process, for longer than the busy timeout", err)
	case sqlite3.SQLITE_CORRUPT:
		return problem("path", name+" is damaged: "+message(e), err)
	}
	return problem("path", name+" cannot be opened: "+message(e), err)
}

// whyNot asks the operating system, since SQLite keeps its answer to itself.
func whyNot(path string) string {
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err == nil {
		_ = f.Close()
		return "the directory has to be writable for the files beside it (-wal, -shm)"
	}
	var pathErr *os.PathError
	if errors.As(err, &pathErr) {
		if errors.Is(err, os.ErrNotExist) {
			return "the directory is not writable"
		}
		return pathErr.Err.Error()
	}
	return err.Error()
}
