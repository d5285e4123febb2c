package dialect

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestL03_Can(t *testing.T) {
	for _, tt := range []struct {
		server Server
		c      Capability
		want   bool
	}{
		{Server{Engine: MySQL, Product: "MySQL", Version: Version{8, 0, 1}}, SkipLocked, true},
		{Server{Engine: MySQL, Product: "MySQL", Version: Version{8, 0, 0}}, SkipLocked, false},
		{Server{Engine: MySQL, Product: "Percona Server", Version: Version{8, 4, 0}}, SkipLocked, true},
		{Server{Engine: MySQL, Product: "MySQL", Version: Version{9, 7, 0}}, KeyShare, false},
		{Server{Engine: MariaDB, Product: "MariaDB", Version: Version{10, 5, 29}}, SkipLocked, false},
		{Server{Engine: MariaDB, Product: "MariaDB", Version: Version{10, 6, 0}}, SkipLocked, true},
		{Server{Engine: MariaDB, Product: "MariaDB", Version: Version{11, 8, 0}}, Of, false},
		{Server{Engine: Postgres, Product: "PostgreSQL", Version: Version{13, 0, 0}}, KeyShare, true},
		{Server{Engine: Postgres, Product: "PostgreSQL", Version: Version{16, 4, 0}}, TransactionTimeout, false},
		{Server{Engine: Postgres, Product: "CockroachDB", Version: Version{22, 1, 9}}, SkipLocked, false},
		{Server{Engine: Postgres, Product: "CockroachDB", Version: Version{24, 1, 0}}, ForShare, false},
		{Server{Engine: MySQL, Product: "TiDB", Version: Version{8, 5, 0}}, SkipLocked, false},
		{Server{Engine: MySQL, Product: "Vitess", Version: Version{8, 0, 30}}, SkipLocked, false}, // reports MySQL's version
		{Server{Engine: SQLite, Product: "SQLite", Version: Version{3, 50, 0}}, SkipLocked, true},
	} {
		assert.Equal(t, tt.want, tt.server.Can(tt.c), "%s: %s", tt.server, tt.c)
		err := tt.server.Require(tt.c)
		if tt.want {
			assert.NoError(t, err)
		} else {
			assert.ErrorIs(t, err, ErrUnsupported)
		}
	}
}

func TestL03_Require(t *testing.T) {
	for _, tt := range []struct {
		server Server
		c      Capability
		want   string
	}{
		{Server{Engine: MariaDB, Product: "MariaDB", Version: Version{10, 5, 29}}, SkipLocked, "holdfast: SKIP LOCKED is not supported by MariaDB 10.5.29: needs MariaDB 10.6"},
		{Server{Engine: MySQL, Product: "MySQL", Version: Version{9, 7, 4}}, KeyShare, "holdfast: FOR KEY SHARE is not supported by MySQL 9.7.4: PostgreSQL can"},
		{Server{Engine: MySQL, Product: "TiDB", Version: Version{8, 5, 0}}, SkipLocked, "holdfast: SKIP LOCKED is not supported by TiDB 8.5.0: it is accepted there and then locks nothing"},
	} {
		assert.EqualError(t, tt.server.Require(tt.c), tt.want)
	}
}

func TestSpelling(t *testing.T) {
	assert.Equal(t, "LOCK IN SHARE MODE", Server{Engine: MariaDB, Product: "MariaDB"}.Spelling(ForShare))
	assert.Equal(t, "FOR SHARE", Server{Engine: Postgres, Product: "PostgreSQL"}.Spelling(ForShare))
	assert.Empty(t, Server{Engine: SQLite, Product: "SQLite"}.Spelling(ForShare))
}

func TestCapabilityTable(t *testing.T) {
	rows := map[string][]string{}
	for _, line := range strings.Split(strings.TrimSpace(capabilityTable(products())), "\n") {
		cells := strings.Split(strings.Trim(line, "| "), " | ")
		rows[cells[0]] = cells[1:]
	}
	for c := range capabilityCount {
		assert.Len(t, rows[c.String()], len(products()), "%s", c)
	}
	assert.Equal(t, []string{"≥ 8.0.1", "≥ 10.6", "yes", "holds trivially: nobody else can hold a lock"}, rows["SKIP LOCKED"])
	assert.Equal(t, []string{"≥ 8.0.1", "no", "yes", "accepted: the block has the write lock"}, rows["OF"])
}
