package sqlite

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/dialect"
	"github.com/holdfast-go/holdfast/internal/backend"
)

// breakFile has every later write to a file of this process fail.
func breakFile(t *testing.T, path string) {
	t.Helper()
	nothing, err := os.Open(os.DevNull) // which is not open for writing
	require.NoError(t, err)
	defer func() { require.NoError(t, nothing.Close()) }()
	open, err := os.ReadDir("/proc/self/fd")
	require.NoError(t, err)
	found := false
	for _, fd := range open {
		if to, err := os.Readlink(filepath.Join("/proc/self/fd", fd.Name())); err == nil && to == path {
			n, err := strconv.Atoi(fd.Name())
			require.NoError(t, err)
			require.NoError(t, syscall.Dup3(int(nothing.Fd()), n, syscall.O_CLOEXEC))
			found = true
		}
	}
	require.True(t, found, path)
}

// S6: an I/O error of the commit that a statement outside any block is by itself leaves
// open what a later look at the file will find, as that of COMMIT does.
func TestS06_AnIOErrorOfAStatementThatCommitsItself(t *testing.T) {
	for name, send := range map[string]func(u *user) error{
		"a statement": func(u *user) error { _, err := u.exec("INSERT INTO t VALUES (2)"); return err },
		"one with rows, read to the end": func(u *user) error {
			_, err := u.all("INSERT INTO t VALUES (2) RETURNING a")
			return err
		},
		"one with rows, closed before": func(u *user) error {
			rows, err := u.wire.Query(context.Background(), nil, "INSERT INTO t VALUES (2), (3) RETURNING a", nil)
			require.NoError(u.t, err)
			require.NoError(u.t, rows.Next(make([]driver.Value, 1)))
			return rows.Close()
		},
		"a COMMIT of the caller's": func(u *user) error {
			u.must("BEGIN")
			u.must("INSERT INTO t VALUES (2)")
			_, err := u.exec("COMMIT")
			return err
		},
	} {
		for _, borrowed := range []bool{false, true} {
			t.Run(map[bool]string{false: "own, ", true: "borrowed, "}[borrowed]+name, func(t *testing.T) {
				path := file(t)
				source := Open(path)
				if borrowed {
					pool, err := sql.Open("sqlite", "file:"+path+"?_pragma=journal_mode(wal)&_pragma=busy_timeout(100)")
					require.NoError(t, err)
					source = From(pool)
				}
				u := connect(t, open(t, source))
				u.must("CREATE TABLE t (a INTEGER PRIMARY KEY)")
				u.must("INSERT INTO t VALUES (1)")
				breakFile(t, path+"-wal")
				err := send(u)
				require.Error(t, err)
				assert.Equal(t, dialect.ErrConnectionLost, u.kind(err), "%v", err)
				assert.False(t, u.wire.Alive())
				_, err = u.exec("SELECT 1")
				require.Error(t, err)
				u.discard()
			})
		}
	}
}

// In a block it is COMMIT that tells.
func TestB12_AnIOErrorOfCommit(t *testing.T) {
	path := file(t)
	u := connect(t, open(t, Open(path)))
	u.must("CREATE TABLE t (a)")
	require.NoError(t, u.begin(backend.TxOptions{}, "INSERT INTO t VALUES (1)"))
	breakFile(t, path+"-wal")
	err := u.commit()
	assert.Equal(t, dialect.ErrConnectionLost, u.kind(err), "%v", err)
	assert.False(t, u.wire.Alive())
	u.discard()
}
