package mysql

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/dialect"
)

// What locks nothing beyond its own node is refused, unless the application says
// why it is enough.
func TestL03_LocksOfOneNode(t *testing.T) {
	group := func(single string) map[string]string {
		return map[string]string{"version": "9.7.0", "group_replication_group_name": "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee", "group_replication_single_primary_mode": single}
	}
	for _, c := range []struct {
		vars           map[string]string
		opts           []Option
		rows, advisory bool
	}{
		{map[string]string{"version": "11.8.6-MariaDB", "wsrep_on": "OFF"}, nil, true, true},
		{map[string]string{"version": "11.8.6-MariaDB", "wsrep_on": "ON"}, nil, false, false},
		{map[string]string{"version": "11.8.6-MariaDB", "wsrep_on": "ON"}, []Option{SingleWriter()}, true, true},
		{map[string]string{"version": "11.8.6-MariaDB", "wsrep_on": "ON"}, []Option{OptimisticLocks()}, true, false},
		{group("ON"), nil, true, true},
		{group("OFF"), nil, false, false},
		{group("OFF"), []Option{OptimisticLocks()}, true, false},
		{map[string]string{"version": "9.7.0", "group_replication_single_primary_mode": "OFF"}, nil, true, true},
	} {
		f, err := factsOf(c.vars)
		require.NoError(t, err)
		var o options
		for _, opt := range c.opts {
			opt(&o)
		}
		o.locks(&f.server)
		for _, strength := range []dialect.Capability{dialect.ForUpdate, dialect.ForShare} {
			require.Equal(t, c.rows, f.server.Can(strength), "%v", c)
		}
		require.Equal(t, c.advisory, f.server.Can(dialect.AdvisoryLock), "%v", c)
		hide := c.vars["group_replication_group_name"] != "" && c.vars["group_replication_single_primary_mode"] == "OFF"
		require.Equal(t, !hide, f.server.Can(dialect.Savepoint), "%v", c)
		if !c.rows {
			err := f.server.Require(dialect.ForUpdate)
			require.ErrorIs(t, err, dialect.ErrUnsupported)
			require.ErrorContains(t, err, "OptimisticLocks")
		}
	}
}
