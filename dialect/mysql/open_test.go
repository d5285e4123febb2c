package mysql

import (
	"context"
	"crypto/tls"
	"database/sql"
	"errors"
	"io"
	"net"
	"net/url"
	"path/filepath"
	"strings"
	"testing"
	"time"

	godriver "github.com/go-sql-driver/mysql"
	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/dialect"
	"github.com/holdfast-go/holdfast/internal/backend"
	"github.com/holdfast-go/holdfast/internal/testserver"
)

// refusedOpen expects one clear error about setting.
func refusedOpen(t *testing.T, setting, dsn string, opts ...Option) *dialect.OpenError {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	db, err := backend.Connect(ctx, Open(dsn, opts...))
	if err == nil {
		_ = db.Close()
	}
	var e *dialect.OpenError
	require.ErrorAs(t, err, &e)
	require.Equal(t, setting, e.Setting, "%v", e)
	require.NotContains(t, err.Error(), "s3cret")
	for cause := errors.Unwrap(err); cause != nil; cause = errors.Unwrap(cause) {
		require.NotContains(t, cause.Error(), "s3cret")
	}
	return e
}

func TestADSNThatCannotBeUnderstood(t *testing.T) {
	t.Parallel()
	for dsn, setting := range map[string]string{
		"root:s3cret@tcp(127.0.0.1:3306)":                           "dsn", // no slash
		"root:s3cret@tcp(127.0.0.1:3306/db":                         "dsn",
		"root:s3cret(127.0.0.1:3306)/db":                            "dsn", // no @
		"root:s3c/ret@tcp(127.0.0.1:3306)":                          "dsn",
		"root:s3cret/x%zz@tcp(127.0.0.1:3306)":                      "dsn",
		"mysql://root:s3cret/1@127.0.0.1/db":                        "dsn",
		"mysql://root:s3cret@127.0.0.1:port/db":                     "dsn",
		"mysql://root:s3cret%zz@127.0.0.1/db":                       "dsn",
		"mysql://root:s3cret#x@127.0.0.1/db":                        "dsn",
		"root:s3cret@tcp(127.0.0.1:3306)/db?parseTime=false":        "parseTime",
		"root:s3cret@tcp(127.0.0.1:3306)/db?clientFoundRows=false":  "clientFoundRows",
		"root:s3cret@tcp(127.0.0.1:3306)/db?loc=Local":              "loc",
		"root:s3cret@tcp(127.0.0.1:3306)/db?time_zone=%27SYSTEM%27": "time_zone",
		"root:s3cret@tcp(127.0.0.1:3306)/db?autocommit=0":           "autocommit",
		"root:s3cret@tcp(127.0.0.1:3306)/db?charset=latin1":         "charset",
		"root:s3cret@tcp(127.0.0.1:3306)/db?collation=gbk_bin":      "collation",
		"root:s3cret@tcp(127.0.0.1:3306)/db?columnsWithAlias=true":  "columnsWithAlias",
		"root:s3cret@tcp(127.0.0.1:3306)/db?multiStatements=maybe":  "multiStatements",
		"root:s3cret@tcp(127.0.0.1:3306)/db?timeout=soon":           "timeout",
		"root:s3cret@tcp(127.0.0.1:3306)/db?tls=nonesuch":           "tls",
		"root:s3cret@tcp(127.0.0.1:3306)/db?strict=true":            "strict", // the driver panics
		"mysql://root:s3cret@127.0.0.1/db?loc=Asia/Seoul":           "loc",
	} {
		_ = refusedOpen(t, setting, dsn)
	}
}

func TestWhatOpenRefuses(t *testing.T) {
	each(t, func(t *testing.T, db testserver.Database) {
		cfg, err := godriver.ParseDSN(db.DSN)
		require.NoError(t, err)
		change := func(f func(*godriver.Config)) string {
			c := cfg.Clone()
			c.Passwd = "s3cret"
			f(c)
			return c.FormatDSN()
		}
		user := strings.ToLower(db.Name)
		admin(t, db, "CREATE USER '"+user+"'@'%' IDENTIFIED BY 's3cret'",
			"CREATE USER '"+user+"l'@'%' IDENTIFIED BY 's3cret' ACCOUNT LOCK",
			"CREATE USER '"+user+"c'@'%' IDENTIFIED BY 's3cret' WITH MAX_USER_CONNECTIONS 1")
		t.Cleanup(func() { admin(t, db, "DROP USER '"+user+"'@'%', '"+user+"l'@'%', '"+user+"c'@'%'") })

		e := refusedOpen(t, "password", change(func(*godriver.Config) {}))
		require.ErrorContains(t, e, cfg.User)
		require.Equal(t, 1045, number(e))
		e = refusedOpen(t, "password", change(func(c *godriver.Config) { c.Passwd = "" }))
		require.ErrorContains(t, e, "without a password")
		_ = refusedOpen(t, "password", change(func(c *godriver.Config) { c.User = "nobody_of_this_name" }))
		_ = refusedOpen(t, "user", change(func(c *godriver.Config) { c.User = user + "l"; c.DBName = "" }))
		e = refusedOpen(t, "database", change(func(c *godriver.Config) { c.Passwd = cfg.Passwd; c.DBName = "no_such_database" }))
		require.ErrorContains(t, e, "no_such_database")
		_ = refusedOpen(t, "database", change(func(c *godriver.Config) { c.User = user; c.DBName = "mysql" }))

		one := change(func(c *godriver.Config) { c.User = user + "c"; c.DBName = "" })
		only, err := sql.Open("mysql", one)
		require.NoError(t, err)
		t.Cleanup(func() { require.NoError(t, only.Close()) })
		require.NoError(t, only.PingContext(t.Context()))
		_ = refusedOpen(t, "max_connections", one)

		_ = refusedOpen(t, "sslmode", with(db.DSN, "sslmode=require"))
		_ = refusedOpen(t, "collation", with(db.DSN, "collation=utf8mb4_nonesuch_ci"))
		_ = refusedOpen(t, "innodb_lock_wait_timeout", with(db.DSN, "innodb_lock_wait_timeout=%27never%27"))
	})
}

func TestAServerThatCannotBeReached(t *testing.T) {
	t.Parallel()
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	addr := closed.Addr().String()
	require.NoError(t, closed.Close())
	e := refusedOpen(t, "host", "root:s3cret@tcp("+addr+")/db")
	require.ErrorContains(t, e, addr)
	_ = refusedOpen(t, "host", "root:s3cret@tcp(no-such-host.invalid:3306)/db")
	_ = refusedOpen(t, "host", "mysql://root:s3cret@"+addr+"/db")
	_ = refusedOpen(t, "host", "root:s3cret@unix("+filepath.Join(t.TempDir(), "no.sock")+")/db")

	for name, talk := range map[string]func(net.Conn){
		"says nothing":   func(c net.Conn) { _, _ = io.Copy(io.Discard, c) },
		"hangs up":       func(net.Conn) {},
		"speaks HTTP":    func(c net.Conn) { _, _ = io.WriteString(c, "HTTP/1.1 400 Bad Request\r\n\r\n") },
		"speaks nothing": func(c net.Conn) { _, _ = c.Write(make([]byte, 64)) },
	} {
		t.Run(name, func(t *testing.T) {
			l, err := net.Listen("tcp", "127.0.0.1:0")
			require.NoError(t, err)
			done := make(chan struct{})
			go func() {
				defer close(done)
				for {
					c, err := l.Accept()
					if err != nil {
						return
					}
					talk(c)
					_ = c.Close()
				}
			}()
			ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
			defer cancel()
			_, err = Open("root:s3cret@tcp(" + l.Addr().String() + ")/db").Connect(ctx)
			var e *dialect.OpenError
			require.ErrorAs(t, err, &e)
			require.Equal(t, "host", e.Setting)
			require.ErrorContains(t, err, "MySQL server")
			require.NotContains(t, err.Error(), "s3cret")
			require.NoError(t, l.Close())
			<-done
		})
	}
}

func TestWhoTheServerIs(t *testing.T) {
	for text, want := range map[string]struct {
		comment, engine, product, version string
		problem                           string
	}{
		"8.4.6":                         {"MySQL Community Server - GPL", dialect.MySQL, "MySQL", "8.4.6", ""},
		"8.0.36-28":                     {"Percona Server (GPL), Release 28", dialect.MySQL, "MySQL", "8.0.36", ""},
		"8.0.1-dmr":                     {"", dialect.MySQL, "MySQL", "8.0.1", ""},
		"11.8.6-MariaDB-ubu2404":        {"mariadb.org binary distribution", dialect.MariaDB, "MariaDB", "11.8.6", ""},
		"5.5.5-10.5.29-MariaDB":         {"", dialect.MariaDB, "MariaDB", "10.5.29", ""},
		"8.0.11-TiDB-v8.5.0":            {"TiDB Server", dialect.MySQL, "TiDB", "8.5.0", ""},
		"8.0.11-TiDB-v7.5.0":            {"TiDB Server (Apache License 2.0) Community Edition, MySQL 8.0 compatible", dialect.MySQL, "TiDB", "7.5.0", ""},
		"5.7.25-TiDB-v6.5.0":            {"TiDB Server", dialect.MySQL, "TiDB", "6.5.0", ""},
		"5.7.25-TiDB-v2.1.0":            {"", "", "", "", "TiDB 2.1.0, which is too old: TiDB 3.0.8"},
		"8.0.11-TiDB-v8.1.0-serverless": {"", dialect.MySQL, "TiDB", "8.1.0", ""},
		"8.0.30-Vitess":                 {"", dialect.MySQL, "Vitess", "0.0.0", ""},
		"8.4.6-Vitess":                  {"Version: 24.0.4 (Git revision 1a2b3c4 branch 'HEAD') built on Fri Nov 28 by root@host using go1.26 linux/amd64", dialect.MySQL, "Vitess", "24.0.4", ""},
		"8.4.7":                         {"Version: 24.0.4 (Git revision 1a2b3c4 branch 'HEAD') built on Fri Nov 28 by root@host using go1.26 linux/amd64", dialect.MySQL, "Vitess", "24.0.4", ""},
		"5.7.9-vitess-14.0.1":           {"", dialect.MySQL, "Vitess", "14.0.1", ""},
		"5.7.9-Vitess":                  {"Version: 19.0.0-rc1 (Git revision x)", dialect.MySQL, "Vitess", "19.0.0", ""},
		"5.7.44-log":                    {"", "", "", "", "MySQL 5.7.44, which is too old: MySQL 8.0.1"},
		"8.0.0-dmr":                     {"", "", "", "", "too old"},
		"10.4.34-MariaDB-1:10.4.34":     {"", "", "", "", "too old: MariaDB 10.5"},
		"":                              {"", "", "", "", "does not say"},
	} {
		f, err := factsOf(map[string]string{"version": text, "version_comment": want.comment, "max_allowed_packet": "1024"})
		if want.problem != "" {
			var e *dialect.OpenError
			require.ErrorAs(t, err, &e, text)
			require.Equal(t, "version", e.Setting)
			require.ErrorContains(t, err, want.problem)
			continue
		}
		require.NoError(t, err)
		require.Equal(t, want.engine, f.server.Engine, text)
		require.Equal(t, want.product, f.server.Product, text)
		v, err := backend.ParseVersion(want.version)
		require.NoError(t, err)
		require.Equal(t, v, f.server.Version, text)
		require.Equal(t, 1024, f.maxPacket)
	}
}

func TestOpenByURLAndByDSN(t *testing.T) {
	each(t, func(t *testing.T, db testserver.Database) {
		cfg, err := godriver.ParseDSN(db.DSN)
		require.NoError(t, err)
		user := "we/ird:@" + db.Name[3:10] // a password may have anything in it, and a user in a URL too
		password := `s/3:c@r?e&t#%41 `
		admin(t, db, "CREATE USER '"+user+"'@'%' IDENTIFIED BY '"+password+"'", "GRANT ALL ON `"+db.Name+"`.* TO '"+user+"'@'%'")
		t.Cleanup(func() { admin(t, db, "DROP USER '"+user+"'@'%'") })
		for _, scheme := range []string{"mysql", "mariadb"} {
			u := url.URL{Scheme: scheme, User: url.UserPassword(user, password), Host: cfg.Addr, Path: "/" + db.Name,
				RawQuery: "timeout=3s&connectionAttributes=program_name:test&charset=utf8mb4,utf8&collation=utf8mb4_bin&loc=UTC&parseTime=true&time_zone=%27UTC%27&autocommit=1"}
			ours := open(t, u.String())
			require.Equal(t, string(db.Engine), ours.Server.Engine)
			require.Equal(t, []string{db.Name, "utf8mb4_bin"}, ask(t, take(t, ours), "SELECT DATABASE(), @@collation_connection"))
		}
		c := cfg.Clone()
		c.User, c.Passwd = cfg.User, cfg.Passwd
		ours := open(t, c.FormatDSN())
		require.NotEmpty(t, ours.Server.Text)
		require.False(t, ours.Borrowed)
		require.NotNil(t, ours.Schema)
	})
}

func TestSessionsAreAsTheyHaveToBe(t *testing.T) {
	each(t, func(t *testing.T, db testserver.Database) {
		w := take(t, open(t, with(db.DSN, "sql_mode=%27ANSI_QUOTES%27")))
		require.Equal(t, []string{"1", "+00:00", "utf8mb4", "utf8mb4", "utf8mb4", "utf8mb4_general_ci", "ANSI_QUOTES,STRICT_TRANS_TABLES"}, []string{
			ask(t, w, "SELECT @@autocommit")[0], ask(t, w, "SELECT @@time_zone")[0],
			ask(t, w, "SELECT @@character_set_client")[0], ask(t, w, "SELECT @@character_set_connection")[0],
			ask(t, w, "SELECT @@character_set_results")[0], ask(t, w, "SELECT @@collation_connection")[0],
			strings.ReplaceAll(ask(t, w, "SELECT @@sql_mode")[0], "STRICT_TRANS_TABLES,ANSI_QUOTES", "ANSI_QUOTES,STRICT_TRANS_TABLES"),
		})
		rest := ask(t, take(t, open(t, db.DSN)), "SELECT @@sql_mode, @@GLOBAL.sql_mode")
		for mode := range strings.SplitSeq(rest[1], ",") {
			require.Contains(t, rest[0], mode, "the server's mode stays")
		}
	})
}

// Everything works through TLS and with compression, where the bytes on the
// network show nothing.
func TestTLSAndCompression(t *testing.T) {
	each(t, func(t *testing.T, db testserver.Database) {
		ways := map[string]*backend.Database{"compression": open(t, with(db.DSN, "compress=true"))}
		if s := ways["compression"].Server; s.Engine == dialect.MariaDB && !s.Version.AtLeast(11, 4, 0) {
			_ = refusedOpen(t, "tls", with(db.DSN, "tls=true")) // it makes no certificate of its own
		} else {
			ways["tls"] = open(t, with(db.DSN, "tls=skip-verify"))
			ways["WithTLS"] = open(t, db.DSN, WithTLS(&tls.Config{InsecureSkipVerify: true})) //nolint:gosec // the certificate is the server's own
			ways["both"] = open(t, with(db.DSN, "compress=true&tls=skip-verify"))
			require.ErrorContains(t, refusedOpen(t, "tls", with(db.DSN, "tls=true")), "not trusted")
		}
		for name, ours := range ways {
			t.Run(name, func(t *testing.T) {
				w := take(t, ours)
				require.IsType(t, &wire{}, w)
				require.NotZero(t, w.ID())
				require.Equal(t, name != "compression", ask(t, w, "SHOW SESSION STATUS LIKE 'Ssl_cipher'")[1] != "")
				exec(t, w, []string{"BEGIN", "SAVEPOINT hf_1"}, "DO LENGTH(?)", strings.Repeat("x", 100_000))
				err := refused(t, w, []string{"RELEASE SAVEPOINT hf_1", "RELEASE SAVEPOINT hf_9", "SAVEPOINT hf_1"}, "DO 0")
				var prefix *backend.PrefixError
				require.ErrorAs(t, err, &prefix)
				require.Equal(t, "RELEASE SAVEPOINT hf_9", prefix.Statement)
				require.False(t, w.Idle())
				require.NoError(t, w.Rollback(t.Context(), nil))
				require.True(t, w.Idle())
			})
		}
	})
}

// What the settings say is what every connection of the pool gets.
func TestControlStatementsApart(t *testing.T) {
	each(t, func(t *testing.T, db testserver.Database) {
		ours := open(t, with(db.DSN, "multiStatements=false"))
		w := take(t, ours)
		require.True(t, w.(*wire).apart)
		exec(t, w, []string{"BEGIN", "SAVEPOINT hf_1"}, "DO 0")
		require.NoError(t, w.Commit(t.Context(), nil))
		err := refused(t, w, nil, "DO 0; DO 1")
		require.Equal(t, 1064, number(err))
	})
}

// A driver whose fields are not as expected is used without them.
func TestADriverThatHidesItsReplies(t *testing.T) {
	_, ok := repliesOf(nil)
	require.False(t, ok)
	_, ok = repliesOf(&conn{})
	require.False(t, ok)
	//nolint:unused // the fields are read by reflection
	type status struct {
		rawConn
		status string
		result struct{ affectedRows []int64 }
	}
	_, ok = repliesOf(&status{})
	require.False(t, ok)
	//nolint:unused // likewise
	type renamed struct {
		rawConn
		status uint16
		result struct{ affected []int64 }
	}
	_, ok = repliesOf(&renamed{})
	require.False(t, ok)
	type same struct {
		rawConn
		status uint16
		result struct{ affectedRows []int64 }
	}
	r, ok := repliesOf(&same{status: 3, result: struct{ affectedRows []int64 }{[]int64{1, 2}}})
	require.True(t, ok)
	require.Equal(t, 2, r.results())
	require.True(t, r.inTransaction())
	require.False(t, r.idle())
}

// And the driver of this module's go.mod shows them.
func TestTheDriverShowsItsReplies(t *testing.T) {
	each(t, func(t *testing.T, db testserver.Database) {
		require.IsType(t, &wire{}, take(t, open(t, db.DSN)))
	})
}

func TestADialerOfTheApplications(t *testing.T) {
	each(t, func(t *testing.T, db testserver.Database) {
		var dialed string
		ours := open(t, strings.Replace(db.DSN, db.Addr, "nowhere.invalid:1", 1), WithDialer(func(ctx context.Context, network, addr string) (net.Conn, error) {
			dialed = network + " " + addr
			c, err := new(net.Dialer).DialContext(ctx, "tcp", db.Addr)
			return struct{ net.Conn }{c}, err // no socket that could be looked at
		}))
		w := take(t, ours)
		require.NotZero(t, w.ID())
		require.Equal(t, "tcp nowhere.invalid:1", dialed)
		require.Equal(t, []string{"1"}, ask(t, w, "SELECT 1"))
	})
}
