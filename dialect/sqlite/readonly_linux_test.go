package sqlite

import (
	"context"
	"os"
	"path/filepath"
	"runtime"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/dialect"
)

// asNobody runs f on a thread with the file permissions of an ordinary user,
// which root does not have.
func asNobody(f func()) error {
	if os.Geteuid() != 0 {
		f()
		return nil
	}
	done := make(chan error, 1)
	go func() {
		runtime.LockOSThread() // not unlocked: the thread ends with the goroutine
		err := syscall.Setfsuid(65534)
		if err == nil {
			f()
		}
		done <- err
	}()
	return <-done
}

func TestOpenWithoutPermission(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, os.Chmod(filepath.Dir(dir), 0o755))
	require.NoError(t, os.Chmod(dir, 0o755))
	path := filepath.Join(dir, "test.db")
	db := open(t, Open(path))
	connect(t, db).must("CREATE TABLE t (a)")
	require.NoError(t, db.Pool.Close())
	require.NoError(t, os.Chmod(path, 0o444))
	secret := filepath.Join(dir, "secret.db")
	require.NoError(t, os.WriteFile(secret, nil, 0o600))
	if os.Geteuid() != 0 {
		require.NoError(t, os.Chmod(secret, 0))
		require.NoError(t, os.Chmod(dir, 0o555))
		defer func() { _ = os.Chmod(dir, 0o755) }()
	}

	for path, want := range map[string]string{
		path:                         "cannot be written",
		secret:                       "permission denied",
		filepath.Join(dir, "new.db"): "the directory is not writable",
	} {
		var opened error
		require.NoError(t, asNobody(func() { _, opened = Open(path).Connect(context.Background()) }))
		var e *dialect.OpenError
		require.ErrorAs(t, opened, &e, path)
		assert.Contains(t, e.Problem, want)
	}
}
