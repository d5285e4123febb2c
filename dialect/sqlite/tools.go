package sqlite

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"net/url"
	"os"
	"path/filepath"

	modernc "modernc.org/sqlite"

	"github.com/holdfast-go/holdfast/internal/backend"
)

// ProcessLock implements backend.ProcessLocker with SQLite's own lock on a file beside
// the database's (rule M2): while a migration has it, its statements need the lock of
// the database itself. The file is empty, and stays: whoever removed it would let
// another in beside somebody who has just opened it. The system gives the lock back
// when the process ends. A database in memory has a lock in memory.
func (e *engine) ProcessLock(name string) (backend.ProcessLock, error) {
	sum := sha256.Sum256([]byte(name))
	suffix := "-migrate-" + hex.EncodeToString(sum[:4])
	q := url.Values{"_busy_timeout": {"0"}}
	path, watch := filepath.ToSlash(e.file), func() (func() error, error) { return stillThere(e.file + suffix) }
	switch {
	case e.file == "" || !filepath.IsAbs(e.file):
		q.Set("vfs", "memdb")
		path, watch = "/holdfast-"+e.private, nil
	case filepath.VolumeName(e.file) != "":
		path = "/" + path
	}
	connector, err := modernc.NewConnector("file:" + uriPath(path+suffix) + "?" + q.Encode())
	return backend.ProcessLock{
		Connector: connector,
		Begin:     []string{"BEGIN EXCLUSIVE"},
		End:       "ROLLBACK",
		Watch:     watch,
	}, err
}

// stillThere watches the lock's file: one that was removed, or replaced, holds nobody
// back who opens its path now.
func stillThere(path string) (lost func() error, err error) {
	locked, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	return func() error {
		now, err := os.Stat(path)
		if err == nil && !os.SameFile(locked, now) {
			err = errors.New("its file was replaced by another: " + path)
		}
		return err
	}, nil
}
