package mysql

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"os"
	"slices"
	"strings"

	godriver "github.com/go-sql-driver/mysql"

	"github.com/holdfast-go/holdfast/dialect"
)

// openError says which setting to look at when the first connection fails. No
// text of the DSN but user, address, database and the names of parameters goes
// into it. s is nil for a borrowed pool.
func openError(s *settings, err error) error {
	var known *dialect.OpenError
	if errors.As(err, &known) {
		return known
	}
	e := &dialect.OpenError{Engine: dialect.MySQL, Err: err}
	cfg := godriver.NewConfig()
	if s != nil {
		cfg = s.cfg
	}
	if !describeRefusal(e, s, cfg) && !describeTLS(e) && !describeNetwork(e, cfg) {
		e.Setting, e.Problem = "dsn", "the connection failed: "+err.Error()
	}
	return e
}

// describeRefusal is for what the server itself has answered.
func describeRefusal(e *dialect.OpenError, s *settings, cfg *godriver.Config) bool {
	var refused *godriver.MySQLError
	if !errors.As(e.Err, &refused) {
		return false
	}
	switch refused.Number {
	case 1045, 1698: // access denied
		e.Setting = "password"
		e.Problem = fmt.Sprintf("the server refuses user %q with this password, or from this machine", cfg.User)
		if cfg.Passwd == "" {
			e.Problem = fmt.Sprintf("the server refuses user %q without a password", cfg.User)
		}
	case 1862, 1820:
		e.Setting, e.Problem = "password", "it has expired and has to be changed first"
	case 3118, 3955, 4151: // account locked, blocked by password lock, MariaDB's account locked
		e.Setting, e.Problem = "user", fmt.Sprintf("the account %q is locked", cfg.User)
	case 1049:
		e.Setting, e.Problem = "database", fmt.Sprintf("there is no database %q on the server; create it first", cfg.DBName)
	case 1044:
		e.Setting, e.Problem = "database", fmt.Sprintf("user %q has no access to database %q", cfg.User, cfg.DBName)
	case 1129, 1130:
		e.Setting, e.Problem = "host", "the server does not accept connections from this machine: "+refused.Message
	case 1040, 1203, 1226:
		e.Setting, e.Problem = "max_connections", "the server has no connection left: "+refused.Message
	case 3159, 4052: // MySQL, MariaDB: only over a secure transport
		e.Setting, e.Problem = "tls", "the server accepts encrypted connections only: set tls=true"
	case 1273:
		e.Setting, e.Problem = "collation", "the server refuses it: "+refused.Message
	case 1064, 1193, 1231, 1232, 1238: // SET of a system variable that the DSN names
		e.Setting, e.Problem = variableIn(refused.Message, s), "a parameter that neither Holdfast nor the driver knows is set "+
			"as a system variable, which the server refuses: "+refused.Message
	default:
		e.Setting, e.Problem = "server", fmt.Sprintf("it refuses the connection: %s (%d)", refused.Message, refused.Number)
	}
	return true
}

// variableIn finds the parameter that the server's message is about. The server
// names it, unless the value makes no sense even as SQL.
func variableIn(message string, s *settings) string {
	if s == nil {
		return "server"
	}
	for _, name := range slices.Concat(s.own, []string{"sql_mode", "collation_connection"}) {
		if strings.Contains(message, "'"+name+"'") {
			return name
		}
	}
	return strings.Join(s.own, ", ")
}

func describeTLS(e *dialect.OpenError) bool {
	var verification *tls.CertificateVerificationError
	var record tls.RecordHeaderError
	var authority x509.UnknownAuthorityError
	switch {
	case errors.Is(e.Err, godriver.ErrNoTLS):
		e.Setting, e.Problem = "tls", "the server has no TLS: set tls=false, or tls=preferred to do without where there is none"
	case errors.As(e.Err, &verification), errors.As(e.Err, &authority):
		e.Setting, e.Problem = "tls", "the server's certificate is not trusted: "+e.Err.Error()+
			"; give its authority with WithTLS, or a tls.Config registered with the driver"
	case errors.As(e.Err, &record), strings.Contains(e.Err.Error(), "tls:"):
		e.Setting, e.Problem = "tls", "the handshake failed: "+e.Err.Error()
	default:
		return false
	}
	return true
}

func describeNetwork(e *dialect.OpenError, cfg *godriver.Config) bool {
	var dns *net.DNSError
	var op *net.OpError
	switch {
	case errors.As(e.Err, &dns):
		e.Setting, e.Problem = "host", fmt.Sprintf("there is no host %q: %s", dns.Name, dns.Err)
	case errors.Is(e.Err, context.DeadlineExceeded), errors.Is(e.Err, os.ErrDeadlineExceeded):
		e.Setting, e.Problem = "host", fmt.Sprintf("%s did not answer in time; is it the address of a MySQL server?", cfg.Addr)
	case errors.Is(e.Err, context.Canceled):
		e.Setting, e.Problem = "ctx", "it was cancelled before the server had answered"
	case errors.As(e.Err, &op) && op.Op == "dial":
		e.Setting, e.Problem = "host", fmt.Sprintf("cannot reach %s: %s; is the server running, and is this its port?", cfg.Addr, op.Err)
	case errors.Is(e.Err, godriver.ErrInvalidConn), errors.Is(e.Err, godriver.ErrMalformPkt),
		errors.Is(e.Err, godriver.ErrPktSync), errors.Is(e.Err, godriver.ErrOldProtocol):
		e.Setting, e.Problem = "host", fmt.Sprintf("%s closed the connection or does not speak the protocol; is it the address of a MySQL server?", cfg.Addr)
	case errors.Is(e.Err, godriver.ErrNativePassword), errors.Is(e.Err, godriver.ErrCleartextPassword),
		errors.Is(e.Err, godriver.ErrOldPassword), errors.Is(e.Err, godriver.ErrUnknownPlugin):
		e.Setting, e.Problem = "password", "the server asks for it in a way that is not allowed: "+e.Err.Error()
	default:
		return false
	}
	return true
}
