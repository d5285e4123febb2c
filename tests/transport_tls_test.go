package tests

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/dialect"
	"github.com/holdfast-go/holdfast/dialect/mysql"
	"github.com/holdfast-go/holdfast/dialect/postgres"
	"github.com/holdfast-go/holdfast/tests/testdb"
)

// identity is a certificate of a server on this machine, and its key, in PEM.
type identity struct{ certificate, key []byte }

func newIdentity(t *testing.T) identity {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	is := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "database"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
	}
	certificate, err := x509.CreateCertificate(rand.Reader, is, is, key.Public(), key)
	require.NoError(t, err)
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	require.NoError(t, err)
	return identity{
		pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: certificate}),
		pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret}),
	}
}

// The core on TLS, where the client checks the server's certificate and every
// connection is encrypted.
func TestDesign6_TLSToPostgres(t *testing.T) {
	t.Parallel()
	at := testdb.NewServer(t, testdb.Postgres).New(t)
	db := &database{Database: at, t: t}
	who := newIdentity(t)
	for name, content := range map[string][]byte{"server.crt": who.certificate, "server.key": who.key} { // where it looks for them
		db.arrange(fmt.Sprintf(`COPY (SELECT unnest(string_to_array('%s', E'\n'))) TO PROGRAM 'umask 077 && cat >%s'`, content, name))
	}
	db.arrange("ALTER SYSTEM SET ssl = on", "SELECT pg_reload_conf()")
	eventually(t, "the server takes TLS", func() bool {
		conn, err := pgx.Connect(t.Context(), strings.Replace(at.DSN, "sslmode=disable", "sslmode=require", 1))
		return err == nil && conn.Close(t.Context()) == nil
	})
	root := filepath.Join(t.TempDir(), "root.crt")
	require.NoError(t, os.WriteFile(root, who.certificate, 0o600))
	transport{at, at.Addr, func(dsn string) dialect.Source {
		return postgres.Open(strings.Replace(dsn, "sslmode=disable", "sslmode=verify-full&sslrootcert="+url.QueryEscape(root), 1))
	}}.core(t, func(db *counted) {
		n, err := db.number(t.Context(), "SELECT count(*) FROM pg_stat_ssl WHERE pid = pg_backend_pid() AND ssl")
		require.NoError(t, err)
		require.EqualValues(t, 1, n)
	})
}

func TestDesign6_TLSToMySQL(t *testing.T) {
	t.Parallel()
	at := testdb.NewServer(t, testdb.MySQL).New(t)
	db := &database{Database: at, t: t}
	who := newIdentity(t)
	var dir string // the only one that it writes to
	require.NoError(t, at.Admin.QueryRowContext(t.Context(), "SELECT @@secure_file_priv").Scan(&dir))
	for setting, content := range map[string][]byte{"ssl_cert": who.certificate, "ssl_key": who.key} {
		file := filepath.Join(dir, setting)
		db.arrange(fmt.Sprintf("SELECT '%s' INTO DUMPFILE '%s'", content, file), fmt.Sprintf("SET GLOBAL %s = '%s'", setting, file))
	}
	db.arrange("SET GLOBAL ssl_ca = @@GLOBAL.ssl_cert", "ALTER INSTANCE RELOAD TLS")
	roots := x509.NewCertPool()
	require.True(t, roots.AppendCertsFromPEM(who.certificate))
	transport{at, at.Addr, func(dsn string) dialect.Source {
		return mysql.Open(dsn, mysql.WithTLS(&tls.Config{RootCAs: roots, ServerName: "127.0.0.1", MinVersion: tls.VersionTLS12}))
	}}.core(t, encryptedByMySQL)
}

// MariaDB makes a certificate of its own from 11.4 on; there is none to check
// against, and none at all before.
func TestDesign6_TLSToMariaDB(t *testing.T) {
	each(t, func(t *testing.T, db *database) {
		if !db.executor.Database().Server.Version.AtLeast(11, 4, 0) {
			_, err := mysql.Open(db.DSN + "?tls=skip-verify").Connect(t.Context())
			require.ErrorContains(t, err, "no TLS")
			return
		}
		db.arrange("DROP TABLE t")
		transport{db.Database, db.Addr, func(dsn string) dialect.Source { return mysql.Open(dsn + "?tls=skip-verify") }}.core(t, encryptedByMySQL)
	}, testdb.MariaDB)
}

func encryptedByMySQL(db *counted) {
	db.t.Helper()
	var name, cipher string
	require.NoError(db.t, db.executor.SQL().QueryRowContext(db.t.Context(), "SHOW SESSION STATUS LIKE 'Ssl_cipher'").Scan(&name, &cipher))
	require.NotEmpty(db.t, cipher)
}
