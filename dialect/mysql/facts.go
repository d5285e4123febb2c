package mysql

import (
	"context"
	"database/sql/driver"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"

	"github.com/holdfast-go/holdfast/dialect"
	"github.com/holdfast-go/holdfast/internal/backend"
)

// facts is what the server says of itself when a database is opened.
type facts struct {
	server          dialect.Server
	maxPacket       int
	readable        bool // the driver's replies are as the wire expects them
	multiStatements bool // control statements can travel in one text with others
	galera          bool // another node may abort a transaction at any time
	identity        string
	positions       *positions // nil: it leaves none
	silent          string     // and why
	group           string     // the group's name
}

// firstConnection opens a connection, asks the server who it is, and closes it.
func firstConnection(ctx context.Context, s *settings) (*facts, error) {
	c, err := newConnector(s)
	if err != nil {
		return nil, openError(s, err)
	}
	dc, err := c.Connect(ctx)
	if err != nil {
		return nil, openError(s, err)
	}
	defer func() { _ = dc.Close() }()
	raw := dc.(*conn).rawConn

	// The empty statement in front shows whether the driver's replies can be
	// read as they are expected to be.
	probe := variablesQuery
	if s.multiStatements {
		probe = "DO 0; " + probe
	}
	rows, err := raw.QueryContext(ctx, probe, nil)
	if err != nil {
		return nil, openError(s, err)
	}
	vars, err := readVariables(rows)
	if err != nil {
		return nil, openError(s, err)
	}
	f, err := factsOf(vars)
	if err != nil {
		return nil, err
	}
	// What the DSN sets could have undone what every connection needs.
	if f.server.Product == "MySQL" || f.server.Product == "MariaDB" {
		if err := checkSession(ctx, nil, vars); err != nil {
			return nil, err
		}
		if zone := vars["time_zone"]; zone != "+00:00" {
			return nil, conflict("time_zone", "connections are in "+zone+" in spite of what every connection is told: look for a parameter whose value is more than a value")
		}
	}
	replies, ok := repliesOf(raw)
	results := 1
	if s.multiStatements {
		results = 2
	}
	f.readable = ok && replies.results() == results && replies.idle()
	f.multiStatements = s.multiStatements && f.server.Can(dialect.SeveralStatements) && f.readable && !f.galera
	return f, nil
}

// variablesQuery names no variable that a server could stumble over: one that
// it does not know is left out.
const variablesQuery = "SHOW VARIABLES WHERE Variable_name IN " +
	"('version', 'version_comment', 'max_allowed_packet', 'innodb_rollback_on_timeout', 'autocommit', 'sql_mode', 'time_zone', 'wsrep_on', 'server_uuid', 'log_bin', 'gtid_mode', " +
	"'group_replication_single_primary_mode', 'group_replication_group_name', " +
	"'character_set_client', 'character_set_connection', 'character_set_results')"

func readVariables(rows driver.Rows) (map[string]string, error) {
	vars := make(map[string]string)
	row := make([]driver.Value, 2)
	for {
		err := rows.Next(row)
		if err == io.EOF {
			return vars, rows.Close()
		}
		if err != nil {
			_ = rows.Close()
			return nil, err
		}
		name, _ := row[0].([]byte)
		value, _ := row[1].([]byte)
		vars[strings.ToLower(string(name))] = string(value)
	}
}

func factsOf(vars map[string]string) (*facts, error) {
	text, comment := vars["version"], vars["version_comment"]
	server := dialect.Server{Engine: dialect.MySQL, Product: "MySQL", Text: text}
	if comment != "" {
		server.Text += " (" + comment + ")"
	}
	oldest, hint := [3]int{8, 0, 1}, "MySQL 8.0.1 or later is needed"
	switch all := strings.ToLower(server.Text); {
	case strings.Contains(all, "mariadb"):
		server.Engine, server.Product = dialect.MariaDB, "MariaDB"
		oldest, hint = [3]int{10, 5, 0}, "MariaDB 10.5 or later is needed"
	case strings.Contains(all, "tidb"):
		server.Product, text = "TiDB", own(tidbVersion, text)
		oldest, hint = [3]int{3, 0, 8}, "TiDB 3.0.8 or later is needed"
	case strings.Contains(all, "vitess"), strings.Contains(all, "planetscale"), vitessComment.MatchString(comment):
		server.Product, text = "Vitess", own(vitessVersion, comment, text)
		oldest = [3]int{}
	}
	var err error
	if server.Version, err = backend.ParseVersion(text); err != nil {
		return nil, &dialect.OpenError{Engine: dialect.MySQL, Setting: "version",
			Problem: "the server does not say which version it is; is it a MySQL server?"}
	}
	if !server.Version.AtLeast(oldest[0], oldest[1], oldest[2]) {
		return nil, &dialect.OpenError{Engine: server.Engine, Setting: "version",
			Problem: fmt.Sprintf("the server is %s, which is too old: %s", server, hint)}
	}
	server.RollbackOnTimeout = isOn(vars["innodb_rollback_on_timeout"])
	server.CountsZero = !strings.Contains(vars["sql_mode"], "NO_AUTO_VALUE_ON_ZERO")
	f := &facts{server: server}
	wsrep, has := vars["wsrep_on"]
	f.galera = isOn(wsrep)
	single, grouped := vars["group_replication_single_primary_mode"]
	switch {
	case f.galera:
		f.server.LocalLocks = "a Galera cluster"
	case grouped && !isOn(single) && vars["group_replication_group_name"] != "":
		f.server.LocalLocks, f.server.SavepointsHide = "a group with several primaries", true
	}
	switch _, uuid := vars["server_uuid"]; {
	case has:
		f.identity = "SELECT " + mariadbNode + ", @@GLOBAL.wsrep_on, @@sql_mode"
	case server.Engine == dialect.MariaDB:
		f.identity = "SELECT " + mariadbNode + ", 0, @@sql_mode"
	case uuid && server.Product == "MySQL":
		f.identity = "SELECT @@server_uuid, 0, @@sql_mode"
	}
	f.group = strings.ToLower(vars["group_replication_group_name"])
	f.positions, f.silent = positionsOf(f, vars)
	f.maxPacket, _ = strconv.Atoi(vars["max_allowed_packet"])
	return f, nil
}

// What speaks the protocol has its own version beside that of MySQL, which it
// imitates:
//
//	TiDB    8.0.11-TiDB-v7.5.0, 5.7.25-TiDB-v6.5.0-serverless
//	Vitess  8.4.6-Vitess, and in version_comment: Version: 24.0.4 (Git revision …);
//	        before Vitess 15: 5.7.9-vitess-14.0.1. vtgate may be told to give any
//	        version (--mysql_server_version); the comment stays its own
var (
	tidbVersion   = regexp.MustCompile(`(?i)tidb-v?([0-9]+(?:\.[0-9]+)+)`)
	vitessComment = regexp.MustCompile(`^Version: [0-9].*\(Git revision .* branch .*\) built on `)
	vitessVersion = regexp.MustCompile(`(?i)(?:version: |vitess-)v?([0-9]+(?:\.[0-9]+)+)`)
)

// own finds the version in one of texts, or says that it is not known: what needs
// a version is then refused.
func own(pattern *regexp.Regexp, texts ...string) string {
	for _, text := range texts {
		if found := pattern.FindStringSubmatch(text); found != nil {
			return found[1]
		}
	}
	return "0.0.0"
}

// mariadbNode tells one MariaDB server from another.
const mariadbNode = "CONCAT_WS(':', @@hostname, @@port, @@server_id, @@datadir)"

func isOn(value string) bool { return strings.EqualFold(value, "ON") || value == "1" }
