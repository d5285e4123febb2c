package postgres

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"syscall"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/holdfast-go/holdfast/dialect"
)

// parseProblems says what pgx means by the beginning of a complaint about a
// DSN. Its own words quote parts of the DSN, in which a password may lie at a
// place where nobody would look for it, so none of them gets out.
var parseProblems = []struct{ words, setting, problem string }{
	{"failed to parse as URL", "dsn", "it is not a valid URL; in the user and the password, characters such as : / ? # @ % must be percent-encoded"},
	{"failed to parse as keyword/value", "dsn", "it is neither a URL (postgres://user:password@host:port/database) nor a list of keywords (host=… port=… user=… password=… dbname=…)"},
	{"invalid port", "port", "it is not a number from 1 to 65535; in a URL, characters such as : / ? # @ % of the password must be percent-encoded"},
	{"could not match", "port", "give one port for all hosts, or one for each"},
	{"failed to read service", "service", "the service file cannot be read, or has no such service"},
	{"invalid connect_timeout", "connect_timeout", "it is not a whole number of seconds"},
	{"invalid sslcertmode", "sslcertmode", "it is not one of disable, allow and require"},
	{"unknown target_session_attrs", "target_session_attrs", "it is not one of any, read-write, read-only, primary, standby and prefer-standby"},
	{"invalid min_protocol_version", "min_protocol_version", "it is not one of 3.0, 3.2 and latest"},
	{"invalid max_protocol_version", "max_protocol_version", "it is not one of 3.0, 3.2 and latest"},
	{"min_protocol_version cannot", "min_protocol_version", "it is greater than max_protocol_version"},
	{"unknown channel_binding", "channel_binding", "it is not one of disable, prefer and require"},
	{"invalid require_auth", "require_auth", "it names a method of authentication that is not known"},
	{"cannot parse statement_cache_capacity", "statement_cache_capacity", "it is not a number"},
	{"cannot parse description_cache_capacity", "description_cache_capacity", "it is not a number"},
	{"invalid default_query_exec_mode", "default_query_exec_mode", "it is not one of cache_statement, cache_describe, describe_exec, exec and simple_protocol"},
}

// parseError names what is wrong with a DSN.
func parseError(err error) error {
	var parse *pgconn.ParseConfigError
	if !errors.As(err, &parse) {
		return &dialect.OpenError{Engine: dialect.Postgres, Setting: "dsn", Problem: "it cannot be understood"}
	}
	parse.ConnString = "" // leaves "cannot parse ``: …"
	_, words, _ := strings.Cut(parse.Error(), "``: ")
	for _, p := range parseProblems {
		if strings.HasPrefix(words, p.words) {
			return &dialect.OpenError{Engine: dialect.Postgres, Setting: p.setting, Problem: p.problem}
		}
	}
	if strings.HasPrefix(words, "failed to configure TLS") {
		problem := "sslmode, or a file that sslrootcert, sslcert or sslkey names, is not valid"
		var file *os.PathError
		if errors.As(err, &file) {
			problem = file.Error()
		}
		return &dialect.OpenError{Engine: dialect.Postgres, Setting: "tls", Problem: problem}
	}
	return &dialect.OpenError{Engine: dialect.Postgres, Setting: "dsn", Problem: "it cannot be understood"}
}

// openError names the setting because of which the first connection failed.
func openError(err error, password string) error {
	var named *dialect.OpenError
	if errors.As(err, &named) {
		return named
	}
	// pgx's ConnectError carries the whole configuration, the password with it.
	var connect *pgconn.ConnectError
	if errors.As(err, &connect) {
		err = errors.Unwrap(connect)
	}
	setting, problem := diagnose(err)
	if password != "" && strings.Contains(problem+err.Error(), password) {
		// Nothing is known to quote it, short of a server that means to.
		problem, err = "the server's answer is withheld because it contains the password", nil
	}
	return &dialect.OpenError{Engine: dialect.Postgres, Setting: setting, Problem: problem, Err: err}
}

func diagnose(err error) (setting, problem string) {
	var (
		lookup      *net.DNSError
		authority   x509.UnknownAuthorityError
		hostname    x509.HostnameError
		certificate *tls.CertificateVerificationError
		record      tls.RecordHeaderError
		dial        *net.OpError
	)
	if a, ok := answerOf(err); ok {
		return diagnoseAnswer(a)
	}
	switch {
	case errors.As(err, &hostname), errors.As(err, &authority), errors.As(err, &certificate), errors.As(err, &record),
		strings.Contains(err.Error(), "tls error"), strings.Contains(err.Error(), "sslcertmode"):
		return "tls", err.Error() + "; check sslmode and sslrootcert"
	case errors.As(err, &lookup):
		return "host", fmt.Sprintf("the name %q cannot be looked up: %s", lookup.Name, lookup.Err)
	case errors.As(err, &dial) && dial.Op == "dial":
		return "host", fmt.Sprintf("no server answers at %s: %s; check host and port", dial.Addr, dial.Err)
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, os.ErrDeadlineExceeded), pgconn.Timeout(err):
		return "host", "no answer in time; check host and port, or give it longer with connect_timeout"
	case errors.Is(err, context.Canceled):
		return "host", "ctx was cancelled before the server answered"
	case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF), errors.Is(err, syscall.ECONNRESET):
		return "port", "the server hung up without a word of PostgreSQL's protocol; check host and port"
	}
	return "server", "it does not answer as PostgreSQL does: " + err.Error()
}

// diagnoseAnswer reads the refusal of a server.
func diagnoseAnswer(a answer) (setting, problem string) {
	problem = a.message
	switch a.code {
	case "28P01":
		return "password", problem
	case "28000":
		if strings.Contains(problem, "pg_hba.conf") && strings.Contains(problem, "no encryption") {
			problem += "; if the server insists on TLS, set sslmode=require"
		}
		return "user", problem
	case "3D000", "42501":
		return "database", problem
	case "42704", "22023", "42602":
		return "dsn", problem + "; it is passed on to the server because the driver does not know it"
	case "53300", "53400":
		return "server", problem + "; it has no connection left"
	}
	return "server", problem
}
