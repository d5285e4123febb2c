package testdb

import "github.com/holdfast-go/holdfast/tests/images"

// kind is how one engine's server is run in a container.
type kind struct {
	repository string // of the stock image
	version    string // of the stock image, unless a test asks for one
	port       string
	data       string            // kept in memory
	env        map[string]string // what the stock image's entrypoint wants to know
	flags      []string
	dsn        string // %s is host:port
}

// The flags give up durability, which no test measures, for speed; they raise
// the number of connections, since many tests run side by side; and they have
// the server keep the tables that show who waits for whom.
var kinds = map[Engine]kind{
	MySQL: {
		repository: "mysql", version: "8.4", port: "3306", data: "/var/lib/mysql",
		env: map[string]string{"MYSQL_ROOT_PASSWORD": images.Password},
		flags: []string{
			"--max-connections=600", "--skip-name-resolve", "--skip-log-bin", "--performance-schema=ON",
			"--innodb-flush-log-at-trx-commit=0", "--innodb-doublewrite=OFF", "--mysqlx=OFF",
		},
		dsn: "root:" + images.Password + "@tcp(%s)/",
	},
	MariaDB: {
		repository: "mariadb", version: "11", port: "3306", data: "/var/lib/mysql",
		env: map[string]string{"MARIADB_ROOT_PASSWORD": images.Password},
		flags: []string{
			"--max-connections=600", "--skip-name-resolve", "--performance-schema=ON",
			"--innodb-flush-log-at-trx-commit=0", "--innodb-doublewrite=OFF", "--character-set-server=utf8mb4",
		},
		dsn: "root:" + images.Password + "@tcp(%s)/",
	},
	Postgres: {
		repository: "postgres", version: "17", port: "5432", data: "/var/lib/holdfast",
		env: map[string]string{"POSTGRES_PASSWORD": images.Password, "PGDATA": "/var/lib/holdfast/data"},
		flags: []string{
			"-c", "max_connections=600", "-c", "max_prepared_transactions=20",
			"-c", "fsync=off", "-c", "synchronous_commit=off", "-c", "full_page_writes=off",
			"-c", "deadlock_timeout=200ms", "-c", "jit=off",
		},
		dsn: "postgres://postgres:" + images.Password + "@%s/postgres?sslmode=disable",
	},
}
