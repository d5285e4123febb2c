package tests

import (
	"context"
	"testing"
	"time"

	"github.com/go-sql-driver/mysql"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/atomic"
	"github.com/holdfast-go/holdfast/dialect"
	"github.com/holdfast-go/holdfast/orm"
	"github.com/holdfast-go/holdfast/tests/testdb"
)

// No server of MySQL or MariaDB finds a cycle over an advisory lock and a row lock.
// Nobody has set a limit here but the server, for rows, and it ends both waits.
func TestAdvisoryLock_ACycleWithARow(t *testing.T) {
	eachStudio(t, func(t *testing.T, s *studio) {
		limited := s.with(func(c *mysql.Config) {
			if c.Params == nil {
				c.Params = map[string]string{}
			}
			c.Params["innodb_lock_wait_timeout"] = "2"
		})
		locked, rowed := make(chan struct{}), make(chan struct{})
		first := make(chan error, 1)
		began := time.Now()
		go func() {
			first <- atomic.Do(t.Context(), limited, func(ctx context.Context) error {
				if err := atomic.AdvisoryLock(ctx, limited, lockName); err != nil {
					return err
				}
				close(locked)
				<-rowed
				return orm.Lock(ctx, limited.DB, audioRow(1))
			})
		}()
		<-locked
		second := atomic.Do(t.Context(), limited, func(ctx context.Context) error {
			if err := orm.Lock(ctx, limited.DB, audioRow(1)); err != nil {
				return err
			}
			close(rowed)
			return atomic.AdvisoryLock(ctx, limited, lockName)
		})
		failed := 0
		for _, err := range []error{second, soon(t, "the other", first)} {
			if err != nil {
				failed++
				require.ErrorIs(t, err, dialect.ErrLockNotAvailable)
			}
		}
		assert.Positive(t, failed)
		assert.Less(t, time.Since(began), 30*time.Second)
	}, testdb.MySQL, testdb.MariaDB)
}
