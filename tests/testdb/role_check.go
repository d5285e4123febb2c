package testdb

import (
	"context"
	"encoding/binary"
	"encoding/hex"
)

// checker is the user as which HAProxy asks a node. It has no password, so that the
// protocol's packets are always the same, and no right but to see the group's members.
const checker = "watcher"

// letCheck makes the user that HAProxy asks as.
func (c *Machines) letCheck(ctx context.Context) error {
	writer, err := c.Writer(ctx)
	if err != nil {
		return err
	}
	switch c.flavour.engine() {
	case Postgres:
		if err := writer.Run(ctx, "", "CREATE ROLE "+checker+" LOGIN"); err != nil {
			return err
		}
		for _, node := range c.Nodes {
			const first = `sed -i '1i host postgres ` + checker + ` all trust' "$PGDATA/pg_hba.conf"`
			if _, err := node.run(ctx, "root", "sh", "-c", first); err != nil {
				return err
			}
			if err := node.Run(ctx, "", "SELECT pg_reload_conf()"); err != nil {
				return err
			}
		}
		return nil
	case MySQL:
		return writer.Run(ctx, "", "CREATE USER IF NOT EXISTS "+checker,
			"GRANT SELECT ON performance_schema.replication_group_members TO "+checker)
	default:
		return writer.Run(ctx, "", "CREATE USER IF NOT EXISTS "+checker)
	}
}

// What a node says that takes writes. A member of a group that sees no majority
// does not know yet that it will not.
const (
	primaryTakesWrites = "SELECT CASE WHEN pg_is_in_recovery() THEN 'NO' ELSE 'WRITER' END"
	memberTakesWrites  = "SELECT IF(@@read_only + @@super_read_only = 0 AND SUM(member_state = 'ONLINE') * 2 > COUNT(*), 'WRITER', 'NO') AS role" +
		" FROM performance_schema.replication_group_members"
	nodeTakesWrites = "SELECT IF(variable_value = 'ON', 'WRITER', 'NO') AS role" +
		" FROM information_schema.global_status WHERE variable_name = 'wsrep_ready'"
)

// roleCheck has HAProxy ask each node whether it takes writes.
func roleCheck(engine Engine) []string {
	if engine == Postgres {
		return postgresCheck()
	}
	plugin, question := "caching_sha2_password", memberTakesWrites
	if engine == MariaDB {
		plugin, question = "mysql_native_password", nodeTakesWrites
	}
	// https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_connection_phase_packets_protocol_handshake_response.html:
	// CLIENT_PROTOCOL_41, CLIENT_SECURE_CONNECTION and CLIENT_PLUGIN_AUTH, packets of
	// 16 MB, utf8mb4, the user, an empty password.
	login := "\x00\x82\x08\x00" + "\x00\x00\x00\x01" + "\x2d" + string(make([]byte, 23)) +
		checker + "\x00" + "\x00" + plugin + "\x00"
	send := func(number byte, text string) string {
		n := len(text)
		return "tcp-check send-binary " + hex.EncodeToString(append([]byte{byte(n), byte(n >> 8), 0, number}, text...))
	}
	return []string{
		"option tcp-check", "tcp-check connect",
		"tcp-check expect string " + plugin, send(1, login),
		"tcp-check expect binary 0000020000", send(0, "\x03"+question),
		"tcp-check expect string WRITER",
	}
}

// postgresCheck logs in, waits until the server is ready, and asks
// (https://www.postgresql.org/docs/current/protocol-message-formats.html).
func postgresCheck() []string {
	send := func(kind, text string) string {
		length := binary.BigEndian.AppendUint32(nil, uint32(4+len(text)))
		return "tcp-check send-binary " + hex.EncodeToString([]byte(kind+string(length)+text))
	}
	return []string{
		"option tcp-check", "tcp-check connect",
		send("", "\x00\x03\x00\x00user\x00"+checker+"\x00database\x00postgres\x00\x00"),
		"tcp-check expect binary 5a0000000549",
		send("Q", primaryTakesWrites+"\x00"),
		"tcp-check expect string WRITER",
	}
}
