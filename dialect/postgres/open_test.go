package postgres

import (
	"context"
	"database/sql"
	"fmt"
	"net"
	"net/url"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/dialect"
	"github.com/holdfast-go/holdfast/internal/backend"
)

const secret = "p4ss:w/rd?@#%"

func TestOpenNamesTheSettingAtFault(t *testing.T) {
	t.Parallel()
	db := fresh(t)
	role := db.Name // on a server that others use too
	_, err := db.Admin.Exec(`CREATE ROLE ` + role + ` LOGIN PASSWORD '` + secret + `'`)
	require.NoError(t, err)
	t.Cleanup(func() { _, _ = db.Admin.Exec(`DROP ROLE ` + role) })
	at, err := url.Parse(db.DSN)
	require.NoError(t, err)
	with := func(change func(u *url.URL, q url.Values)) string {
		u := *at
		u.User = url.UserPassword(role, secret)
		q := u.Query()
		change(&u, q)
		u.RawQuery = q.Encode()
		return u.String()
	}
	set := func(name, value string) string {
		return with(func(_ *url.URL, q url.Values) { q.Set(name, value) })
	}
	silent, err := net.Listen("tcp", "127.0.0.1:0") // takes connections and says nothing
	require.NoError(t, err)
	defer func() { _ = silent.Close() }()
	rude, err := net.Listen("tcp", "127.0.0.1:0") // hangs up
	require.NoError(t, err)
	defer func() { _ = rude.Close() }()
	go func() {
		for {
			c, err := rude.Accept()
			if err != nil {
				return
			}
			_ = c.Close()
		}
	}()

	for _, c := range []struct{ dsn, setting, says string }{
		{"postgres://app:" + secret + "@host/db", "", "percent-encoded"},
		{"postgres://a@app:sec:ret@host/db", "port", "not a number"},
		{"mysql://app:" + secret + "@host/db", "dsn", "neither a URL"},
		{"app:" + secret + "@tcp(127.0.0.1:3306)/db", "dsn", "neither a URL"},
		{"host=localhost port=none password='" + secret + "'", "port", "not a number"},
		{set("sslmode", "nonsense"), "tls", "sslmode"},
		{set("sslrootcert", "/no/such/file") + "&sslmode=verify-full", "tls", "/no/such/file"},
		{set("connect_timeout", "soon"), "connect_timeout", "seconds"},
		{set("target_session_attrs", "nonsense"), "target_session_attrs", "read-write"},
		{set("default_query_exec_mode", "nonsense"), "default_query_exec_mode", "cache_statement"},
		{set("statement_cache_capacity", "many"), "statement_cache_capacity", "number"},
		{set("service", "nonsense"), "service", "service file"},
		{set("no_such_setting", "1"), "dsn", "no_such_setting"},
		{with(func(u *url.URL, _ url.Values) { u.User = url.UserPassword(role, "wrong"+secret) }), "password", "password authentication failed"},
		{with(func(u *url.URL, _ url.Values) { u.User = url.UserPassword("nobody", secret) }), "password", "nobody"},
		{with(func(u *url.URL, _ url.Values) { u.Path = "/nowhere" }), "database", "nowhere"},
		{with(func(u *url.URL, _ url.Values) { u.Host = "no.such.host.invalid:5432" }), "host", "no.such.host.invalid"},
		{with(func(u *url.URL, _ url.Values) { u.Host = "127.0.0.1:1" }), "host", "127.0.0.1:1"},
		{with(func(u *url.URL, _ url.Values) { u.Host = "127.0.0.1:1,127.0.0.1:2" }), "host", "127.0.0.1"},
		{with(func(u *url.URL, q url.Values) { u.Host = silent.Addr().String(); q.Set("connect_timeout", "1") }), "host", "no answer in time"},
		{with(func(u *url.URL, _ url.Values) { u.Host = rude.Addr().String() }), "port", "hung up"},
		{set("sslmode", "require"), "tls", "refused TLS"},
	} {
		_, err := Open(c.dsn).Connect(t.Context())
		var open *dialect.OpenError
		if !assert.ErrorAs(t, err, &open, c.dsn) {
			continue
		}
		t.Log(err)
		if c.setting != "" {
			assert.Equal(t, c.setting, open.Setting, c.dsn)
		}
		assert.Contains(t, open.Error(), c.says, c.dsn)
		for _, text := range []string{fmt.Sprint(err), fmt.Sprintf("%+v", err), fmt.Sprintf("%#v", open.Err), fmt.Sprint(open.Err)} {
			for _, s := range []string{secret, url.QueryEscape(secret), "p4ss", "sec:ret"} {
				assert.NotContains(t, text, s, c.dsn)
			}
		}
	}

	t.Run("ctx", func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		defer cancel()
		_, err := Open(with(func(u *url.URL, _ url.Values) { u.Host = silent.Addr().String() })).Connect(ctx)
		require.ErrorIs(t, err, context.DeadlineExceeded)
	})
}

func TestRecognise(t *testing.T) {
	t.Parallel()
	for answer, want := range map[string]string{
		"PostgreSQL 18.6 (Debian 18.6-1) on x86_64-pc-linux-gnu\n18.6 (Debian 18.6-1)":               "PostgreSQL 18.6",
		"PostgreSQL 13.22 on x86_64\n13.22":                                                          "PostgreSQL 13.22",
		"PostgreSQL 19devel on x86_64\n19devel":                                                      "PostgreSQL 19.0",
		"CockroachDB CCL v23.1.11 (x86_64-pc-linux-gnu, built 2023/09/27, go1.19.10)\n13.0.0":        "CockroachDB 23.1.11",
		"PostgreSQL 15.12-YB-2025.1.0.0-b0 on x86_64-pc-linux-gnu, compiled by clang\n15.12-YB-2025": "YugabyteDB 2025.1",
	} {
		server, err := recognise(answer)
		require.NoError(t, err, answer)
		require.Equal(t, want, server.String())
		require.Equal(t, dialect.Postgres, server.Engine)
	}
	for answer, says := range map[string]string{
		"PostgreSQL 12.20 on x86_64\n12.20":                                             "PostgreSQL 12.20 is too old: Holdfast needs PostgreSQL 13 or later",
		"PostgreSQL 8.0.2 on i686-pc-linux-gnu, compiled by GCC, Redshift 1.0.1\n8.0.2": "PostgreSQL 8.0.2 is too old",
		"PostgreSQL 11.2-YB-2.20.1.0-b0 on x86_64\n11.2-YB-2.20.1.0-b0":                 "YugabyteDB 2.20.1 follows PostgreSQL 11.2, which is too old",
	} {
		_, err := recognise(answer)
		var open *dialect.OpenError
		require.ErrorAs(t, err, &open)
		require.Equal(t, "version", open.Setting)
		require.Contains(t, open.Problem, says)
	}
}

func TestOpenSaysWhoTheServerIs(t *testing.T) {
	t.Parallel()
	db := fresh(t)
	opened := open(t, db.DSN)
	var version string
	require.NoError(t, db.Admin.QueryRow(`SHOW server_version`).Scan(&version))
	want, err := backend.ParseVersion(version)
	require.NoError(t, err)
	require.Equal(t, want, opened.Server.Version)
	require.Equal(t, "PostgreSQL", opened.Server.Product)
	require.False(t, opened.Borrowed)
	require.NotNil(t, opened.Schema)
}

func TestS04_ASessionIsInUTCWhateverTheServerSays(t *testing.T) {
	db := fresh(t)
	_, err := db.Admin.Exec(`ALTER DATABASE ` + db.Name + ` SET timezone = 'Asia/Seoul'`)
	require.NoError(t, err)
	t.Setenv("PGTZ", "America/New_York")
	for _, dsn := range []string{db.DSN, db.DSN + "&TimeZone=Asia/Tokyo", db.DSN + "&options=-c%20timezone%3DAsia/Tokyo"} {
		w := take(t, open(t, dsn))
		require.Equal(t, "UTC", one(t, w, `SHOW timezone`))
		require.Equal(t, "UTF8", one(t, w, `SHOW client_encoding`))
	}
}

func TestFromUsesThePoolAsItIs(t *testing.T) {
	t.Parallel()
	db := fresh(t, items)
	pool, err := pgxpool.New(t.Context(), db.DSN)
	require.NoError(t, err)
	defer pool.Close()
	stock, err := sql.Open("pgx", db.DSN)
	require.NoError(t, err)
	for name, from := range map[string]*sql.DB{"sql.Open": stock, "pgxpool": stdlib.OpenDBFromPool(pool)} {
		t.Run(name, func(t *testing.T) {
			opened, err := backend.Connect(t.Context(), From(from))
			require.NoError(t, err)
			require.True(t, opened.Borrowed)
			conn, err := opened.Pool.Conn(t.Context())
			require.NoError(t, err)
			require.NoError(t, conn.Raw(func(c any) error {
				w := opened.Engine.Wire(c)
				require.IsType(t, &wire{}, w)
				require.Same(t, w, opened.Engine.Wire(c))
				execAfter(t, w, begin, `INSERT INTO item VALUES (1, 'a')`)
				return w.Rollback(t.Context(), nil)
			}))
			require.NoError(t, conn.Close())
			require.NoError(t, opened.Close())
			require.NoError(t, from.PingContext(t.Context()), "it is still open")
			require.NoError(t, from.Close())
		})
	}
	refused, err := sql.Open("pgx", "postgres://app:"+url.QueryEscape(secret)+"@127.0.0.1:1/db")
	require.NoError(t, err)
	defer func() { require.NoError(t, refused.Close()) }()
	_, err = From(refused).Connect(t.Context())
	var open *dialect.OpenError
	require.ErrorAs(t, err, &open)
	require.Equal(t, "host", open.Setting)
	require.NotContains(t, fmt.Sprintf("%+v", err), "p4ss")

	other, err := sql.Open("sqlite", ":memory:")
	require.NoError(t, err)
	defer func() { require.NoError(t, other.Close()) }()
	_, err = From(other).Connect(t.Context())
	require.ErrorAs(t, err, &open)
	require.Equal(t, "server", open.Setting)
	require.Contains(t, open.Problem, "does not answer as PostgreSQL does")
}
