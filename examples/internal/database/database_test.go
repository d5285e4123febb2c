package database_test

import (
	"testing"

	"github.com/go-sql-driver/mysql"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/examples/internal/database"
	"github.com/holdfast-go/holdfast/tests/testdb"
)

func TestURLs(t *testing.T) {
	for url, want := range map[string]database.Database{
		"postgres://me:p%40ss@host:5433/studio?sslmode=disable": {
			Engine: testdb.Postgres, DSN: "postgres://me:p%40ss@host:5433/studio?sslmode=disable"},
		"postgresql://host/studio":   {Engine: testdb.Postgres, DSN: "postgresql://host/studio"},
		"mariadb://host:3307/studio": {Engine: testdb.MariaDB, DSN: "tcp(host:3307)/studio"},
		"mysql://me@[::1]/studio":    {Engine: testdb.MySQL, DSN: "me@tcp([::1]:3306)/studio"},
	} {
		got, err := database.Parse(url)
		require.NoError(t, err, url)
		assert.Equal(t, want, got)
		assert.False(t, got.Container())
	}
}

func TestMySQLURLSurvivesTheDriver(t *testing.T) {
	got, err := database.Parse("mysql://me:p%40s%3As%2F%3F@host/studio?timeout=3s&tls=preferred")
	require.NoError(t, err)
	config, err := mysql.ParseDSN(got.DSN)
	require.NoError(t, err)
	assert.Equal(t, "me", config.User)
	assert.Equal(t, "p@s:s/?", config.Passwd)
	assert.Equal(t, "host:3306", config.Addr)
	assert.Equal(t, "studio", config.DBName)
	assert.Equal(t, "preferred", config.TLSConfig)
	assert.Equal(t, "3s", config.Timeout.String())
}
