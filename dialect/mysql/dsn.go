package mysql

import (
	"fmt"
	"maps"
	"net"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	godriver "github.com/go-sql-driver/mysql"

	"github.com/holdfast-go/holdfast/dialect"
)

// settings is a DSN as Holdfast understands it.
type settings struct {
	cfg *godriver.Config
	// multiStatements: control statements may travel in one text with others. readable:
	// the driver's replies can be read.
	multiStatements bool
	readable        bool
	own             []string // the system variables that the DSN names
	identity        string   // what to ask a new connection for: its server, whether it is one of a Galera cluster's, its sql_mode
	triggers        bool     // it is a server that has them, and takes what looks after them
	inParts         bool     // COMMIT over several shards is one each: dialect.WholeCommit is missing
	// positions are the server's; node is the one that was reached last.
	positions *positions
	node      *atomic.Pointer[string]
	// leaveReadOnly: connections to a server that has become read-only are closed.
	// rejectReadOnly: the DSN says so.
	leaveReadOnly  bool
	rejectReadOnly bool
	dial           Dialer
}

// parse reads a DSN of the driver or a URL.
func parse(dsn string) (*settings, error) {
	address, params := dsn, ""
	if scheme, rest, ok := strings.Cut(dsn, "://"); ok && (scheme == "mysql" || scheme == "mariadb") {
		return parseURL(scheme, rest)
	}
	// As in the driver, the last slash is the one before the database's name.
	if slash := strings.LastIndexByte(dsn, '/'); slash >= 0 {
		if mark := strings.IndexByte(dsn[slash:], '?'); mark >= 0 {
			address, params = dsn[:slash+mark], dsn[slash+mark+1:]
		}
	}
	s, rest, err := parseParams(params)
	if err != nil {
		return nil, err
	}
	cfg, err := godriver.ParseDSN(address)
	if err != nil || !network.MatchString(cfg.Net) {
		// The driver's error may quote any part of the DSN.
		return nil, badDSN("it is not of the form user:password@tcp(host:3306)/database?parameter=value; " +
			"the slash is needed also without a database")
	}
	return s.complete(cfg, rest)
}

var network = regexp.MustCompile(`^[A-Za-z0-9_+.-]+$`)

func parseURL(scheme, rest string) (*settings, error) {
	u, err := url.Parse(scheme + "://" + rest)
	if err != nil || u.Fragment != "" || strings.ContainsAny(u.Path, "@:") {
		return nil, badDSN("it is not a URL of the form " + scheme + "://user:password@host:3306/database; " +
			"write special characters of user and password as %XX")
	}
	s, rest, err := parseParams(u.RawQuery)
	if err != nil {
		return nil, err
	}
	cfg, err := godriver.ParseDSN("/")
	if err != nil {
		return nil, err
	}
	cfg.User = u.User.Username()
	cfg.Passwd, _ = u.User.Password()
	cfg.DBName = strings.TrimPrefix(u.Path, "/")
	cfg.Addr = u.Host
	if host, port, err := net.SplitHostPort(u.Host); err != nil || port == "" {
		if err == nil {
			u.Host = host
		}
		cfg.Addr = net.JoinHostPort(u.Hostname(), "3306")
		if u.Hostname() == "" {
			cfg.Addr = "127.0.0.1:3306"
		}
	}
	return s.complete(cfg, rest)
}

// complete adds the driver's own parameters and what every connection gets.
func (s *settings) complete(cfg *godriver.Config, params string) (*settings, error) {
	with, err := godriver.ParseDSN("/?" + params)
	if err != nil {
		return nil, badParam(params)
	}
	with.User, with.Passwd, with.DBName = cfg.User, cfg.Passwd, cfg.DBName
	with.Net, with.Addr = cfg.Net, cfg.Addr
	with.TLS = nil // made for the default address; NewConnector makes it anew from TLSConfig
	if s.cfg.Net == "unix" {
		with.Net, with.Addr = s.cfg.Net, s.cfg.Addr
	}
	with.Params = s.assignments(with.Params)
	with.ParseTime, with.ClientFoundRows = true, true
	with.Loc = time.UTC
	with.InterpolateParams = s.cfg.InterpolateParams
	with.MultiStatements = s.multiStatements
	with.Logger = &godriver.NopLogger{} // what it logs comes back as an error, too
	if !strings.Contains(params, "timeTruncate=") {
		_ = with.Apply(godriver.TimeTruncate(time.Microsecond))
	}
	if with.Timeout == 0 {
		with.Timeout = dialTimeout
	}
	s.cfg = with
	return s, nil
}

// assignments makes one parameter of those that the driver would SET in an order
// of its own: the server assigns from left to right, so that what every connection
// needs comes after what the DSN says.
func (s *settings) assignments(given map[string]string) map[string]string {
	var set strings.Builder
	add := func(name, value string) { set.WriteString(", " + name + " = " + value) }
	for _, name := range slices.Sorted(maps.Keys(given)) {
		s.own = append(s.own, name)
		add(name, given[name])
	}
	for _, name := range slices.Backward(slices.Sorted(maps.Keys(s.cfg.Params))) { // sql_mode, which the DSN may give, early
		add(name, s.cfg.Params[name])
	}
	return map[string]string{initial: "NULL" + set.String()}
}

// initial is the parameter that all assignments are in.
const initial = "@hf_session"

// dialTimeout is the driver's timeout parameter where the DSN has none: an
// address that swallows packets would hang for minutes otherwise.
const dialTimeout = 10 * time.Second

// parseParams takes the parameters that Holdfast decides about out of params.
func parseParams(params string) (s *settings, rest string, err error) {
	s = &settings{multiStatements: true, readable: true, leaveReadOnly: true, cfg: godriver.NewConfig()}
	s.cfg.InterpolateParams = true
	sqlMode := "@@sql_mode"
	collation := "utf8mb4_general_ci" // the driver's own
	var others []string
	for _, param := range strings.Split(params, "&") {
		name, value, _ := strings.Cut(param, "=")
		if value, err = url.QueryUnescape(value); err != nil {
			return nil, "", badParam(param)
		}
		switch name {
		case "sql_mode":
			sqlMode = value
		case "collation":
			if !collationName.MatchString(value) {
				return nil, "", conflict(name, "text is utf8mb4 on the wire, so only a collation of utf8mb4 will do")
			}
			collation = value
		case "socket":
			s.cfg.Net, s.cfg.Addr = "unix", value
		case "multiStatements":
			s.multiStatements, err = readBool(name, value)
		case "interpolateParams":
			s.cfg.InterpolateParams, err = readBool(name, value)
		case "rejectReadOnly":
			s.rejectReadOnly, err = readBool(name, value)
			s.leaveReadOnly = s.rejectReadOnly
		case "strict":
			err = conflict(name, "the driver has dropped this parameter; strict mode is always on here")
		default:
			if reason := required(name, value); reason != "" {
				return nil, "", conflict(name, reason)
			}
			if !decided[name] {
				others = append(others, param)
			}
		}
		if err != nil {
			return nil, "", err
		}
	}
	s.cfg.Params = map[string]string{
		"autocommit":            "1",
		"time_zone":             "'+00:00'",
		"character_set_client":  "'utf8mb4'",
		"character_set_results": "'utf8mb4'",
		"collation_connection":  "'" + collation + "'", // and with it character_set_connection
		// What StringAgg computes is cut off there, without an error; with the
		// greatest value max_allowed_packet is the limit.
		"group_concat_max_len": "4294967295",
		// Of longer texts the server compares the first bytes, 1024 of them, where no index
		// gives the order: the rest stand in any. It takes as much as keys of several columns have
		// room for in its buffer: if 15 rows have not, it sorts nothing.
		"max_sort_length": "CAST(GREATEST(@@max_sort_length, LEAST(65536, @@sort_buffer_size DIV 128)) AS UNSIGNED)",
		// What cannot be stored unchanged is an error (rule S1). The rest of
		// the mode stays as it is.
		"sql_mode": "CONCAT_WS(',', NULLIF(" + sqlMode + ", ''), 'STRICT_TRANS_TABLES')",
	}
	return s, strings.Join(others, "&"), nil
}

var collationName = regexp.MustCompile(`^(utf8mb4|uca1400)_[a-z0-9_]+$`)

// decided are the parameters whose value required checks and complete sets.
var decided = map[string]bool{
	"parseTime": true, "clientFoundRows": true, "columnsWithAlias": true, "loc": true, "charset": true,
	"autocommit": true, "time_zone": true, "names": true, "character_set_client": true, "character_set_connection": true,
	"character_set_results": true,
}

// required says why Holdfast cannot work with a parameter's value, or nothing.
func required(name, value string) string {
	plain := strings.ToLower(strings.Trim(value, `'"`))
	on, err := strconv.ParseBool(plain)
	switch name {
	case "parseTime":
		if err != nil || !on {
			return "times are read as time.Time; leave it out"
		}
	case "clientFoundRows":
		if err != nil || !on {
			return "rows affected are the rows that matched, on every engine; leave it out"
		}
	case "columnsWithAlias":
		if err != nil || on {
			return "columns are found by their plain names; leave it out"
		}
	case "autocommit":
		if plain != "1" && plain != "on" && plain != "true" {
			return "connections are in autocommit outside blocks; orm.WithAutocommit(false) is what switches it off"
		}
	case "charset":
		if first, _, _ := strings.Cut(plain, ","); first != "utf8mb4" {
			return "text is utf8mb4 on the wire; leave it out"
		}
	case "names", "character_set_client", "character_set_connection", "character_set_results":
		if plain != "utf8mb4" {
			return "text is utf8mb4 on the wire; leave it out"
		}
	case "collation_connection":
		if !collationName.MatchString(plain) {
			return "text is utf8mb4 on the wire; leave it out"
		}
	case "loc":
		if plain != "utc" {
			return "times are UTC on the wire; leave it out, and convert times that are stored in another zone"
		}
	case "time_zone":
		if plain != "utc" && plain != "+00:00" && plain != "+0:00" {
			return "times are UTC on the wire; leave it out"
		}
	}
	return ""
}

func readBool(name, value string) (bool, error) {
	on, err := strconv.ParseBool(value)
	if err != nil {
		return false, conflict(name, "it is true or false")
	}
	return on, nil
}

func badDSN(problem string) error {
	return &dialect.OpenError{Engine: dialect.MySQL, Setting: "dsn", Problem: problem}
}

func conflict(name, problem string) error {
	return &dialect.OpenError{Engine: dialect.MySQL, Setting: name, Problem: problem}
}

// badParam names the parameter that the driver does not accept, but not its
// value: in a mangled DSN that can be a part of the password.
func badParam(params string) error {
	for _, param := range strings.Split(params, "&") {
		if _, err := godriver.ParseDSN("/?" + param); err != nil {
			if name, _, _ := strings.Cut(param, "="); network.MatchString(name) {
				return conflict(name, "the driver does not accept its value")
			}
		}
	}
	return badDSN(fmt.Sprintf("the driver does not accept one of its %d parameters", strings.Count(params, "&")+1))
}
