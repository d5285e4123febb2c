package mysql_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"database/sql"
	"errors"
	"fmt"
	"net"
	"os"
	"strings"

	"github.com/holdfast-go/holdfast/dialect"
	"github.com/holdfast-go/holdfast/dialect/mysql"
)

func ExampleOpen() {
	ctx := context.Background()
	_, err := mysql.Open("root:secret@tcp(127.0.0.1:1)/shop").Connect(ctx) // orm.Open does this
	var problem *dialect.OpenError
	if errors.As(err, &problem) {
		fmt.Println(problem.Setting)
		fmt.Println(err)
	}
	// Output:
	// host
	// holdfast: open mysql: host: cannot reach 127.0.0.1:1: connect: connection refused; is the server running, and is this its port?
}

// A parameter that would break one of Holdfast's rules is refused.
func ExampleOpen_conflict() {
	_, err := mysql.Open("mysql://app:secret@db/shop?loc=Local").Connect(context.Background())
	fmt.Println(err)
	// Output:
	// holdfast: open mysql: loc: times are UTC on the wire; leave it out, and convert times that are stored in another zone
}

func ExampleWithTLS() {
	authority, err := os.ReadFile("ca.pem")
	if err != nil {
		fmt.Println("no authority")
		return
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(authority)
	_ = mysql.Open("app:secret@tcp(db:3306)/shop", mysql.WithTLS(&tls.Config{RootCAs: roots, ServerName: "db", MinVersion: tls.VersionTLS12}))
	// Output: no authority
}

func ExampleWithDialer() {
	var tunnel net.Dialer // an SSH client has the same method
	_ = mysql.Open("app:secret@tcp(db:3306)/shop", mysql.WithDialer(tunnel.DialContext))
	// Output:
}

// A pool that the program has opened already, and keeps.
func ExampleFrom() {
	pool, err := sql.Open("mysql", "app:secret@tcp(127.0.0.1:1)/shop?parseTime=true&clientFoundRows=true")
	if err != nil {
		fmt.Println(err)
	}
	defer pool.Close()
	_, err = mysql.From(pool).Connect(context.Background())
	var problem *dialect.OpenError
	fmt.Println(errors.As(err, &problem))
	// Output: true
}

// The table of atomic.Once, for a migration tool.
func ExampleOpen_onceTable() {
	fmt.Println(strings.HasPrefix(mysql.OnceTable, "CREATE TABLE IF NOT EXISTS holdfast_once"))
	// Output: true
}

// What ResolveCommit writes to, where the program's user may create no tables:
// run it once, with the schema.
func ExampleOpen_commitsTable() {
	fmt.Println(strings.HasPrefix(mysql.CommitsTable, "CREATE TABLE IF NOT EXISTS holdfast_commits"))
	// Output: true
}
