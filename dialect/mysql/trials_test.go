package mysql

import (
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/internal/testserver"
)

// trial is one statement of TestEquality.
type trial struct {
	query string
	args  []any
	exec  bool // its result is looked at, not its rows
	fails bool
}

func (t trial) name() string {
	name := strings.Join(strings.Fields(t.query), " ")
	return name[:min(len(name), 60)]
}

var columnTypes = []string{
	"TINYINT", "TINYINT UNSIGNED", "BOOL", "SMALLINT", "SMALLINT UNSIGNED", "MEDIUMINT", "MEDIUMINT UNSIGNED", "INT", "INT UNSIGNED",
	"INT(6) UNSIGNED ZEROFILL", "BIGINT", "BIGINT UNSIGNED", "FLOAT", "DOUBLE", "DECIMAL(20,4)", "BIT(10)", "DATE", "DATETIME", "DATETIME(6)",
	"TIMESTAMP(3) NULL", "TIME", "TIME(6)", "YEAR", "CHAR(5)", "VARCHAR(20)", "BINARY(5)", "VARBINARY(20)", "TINYTEXT", "TEXT", "MEDIUMTEXT",
	"LONGTEXT", "TINYBLOB", "BLOB", "MEDIUMBLOB", "LONGBLOB", "ENUM('a','b')", "SET('a','b')", "JSON", "POINT",
	"VARCHAR(20) CHARACTER SET latin1",
}

// literals are a value and an extreme one for each column type.
var literals = [][2]string{
	{"1", "-128"}, {"1", "255"}, {"1", "0"}, {"1", "-32768"}, {"1", "65535"}, {"1", "-8388608"}, {"1", "16777215"}, {"1", "-2147483648"}, {"1", "4294967295"},
	{"42", "999999"}, {"1", "-9223372036854775808"}, {"1", "18446744073709551615"}, {"1.5", "-3.4e38"}, {"1.5", "1.7976931348623157e308"}, {"1.5", "-9999999999999999.9999"},
	{"b'1'", "b'1111111111'"}, {"'2020-02-29'", "'9999-12-31'"}, {"'2020-02-29 12:00:00'", "'1000-01-01 00:00:00'"}, {"'2020-02-29 12:00:00.000001'", "'9999-12-31 23:59:59.999999'"},
	{"'2020-02-29 12:00:00.5'", "'1970-01-02 00:00:00'"}, {"'01:02:03'", "'-838:59:59'"}, {"'01:02:03.000004'", "'838:59:58.999999'"}, {"2020", "1901"}, {"'ab'", "''"}, {"'ünïcödé'", "''"},
	{"'ab'", "''"}, {"X'00FF27'", "''"}, {"'t'", "''"}, {"'한국어'", "''"}, {"'t'", "''"}, {"'t'", "''"}, {"X'00'", "''"}, {"X'FFFE'", "''"}, {"X'00'", "''"}, {"X'00'", "''"}, {"'a'", "'b'"}, {"'a'", "'a,b'"},
	{`'{"a": [1, null]}'`, `'null'`}, {"ST_GeomFromText('POINT(1 2)')", "ST_GeomFromText('POINT(0 0)')"}, {"'é'", "''"},
}

// reset puts the tables of the trials back as they were.
func reset(t *testing.T, db testserver.Database) {
	t.Helper()
	var exists int
	require.NoError(t, db.Admin.QueryRow(
		"SELECT COUNT(*) FROM information_schema.tables WHERE table_schema = DATABASE() AND table_name = 'every'").Scan(&exists))
	if exists == 0 {
		var columns, values, extremes []string
		for i, typ := range columnTypes {
			columns = append(columns, fmt.Sprintf("c%d %s", i, typ))
			values = append(values, literals[i][0])
			extremes = append(extremes, literals[i][1])
		}
		admin(t, db,
			"CREATE TABLE every (id INT PRIMARY KEY, "+strings.Join(columns, ", ")+")",
			"INSERT INTO every VALUES (1, "+strings.Join(values, ", ")+")",
			"INSERT INTO every VALUES (2, "+strings.Join(extremes, ", ")+")",
			"INSERT INTO every (id) VALUES (3)",
			"CREATE TABLE parent (id INT PRIMARY KEY)",
			"INSERT INTO parent VALUES (1), (2)",
			"CREATE TABLE counted (id INT AUTO_INCREMENT PRIMARY KEY, name VARCHAR(5) NOT NULL, n INT, parent INT, UNIQUE KEY name_once (name), "+
				"CONSTRAINT positive CHECK (n > 0), CONSTRAINT has_parent FOREIGN KEY (parent) REFERENCES parent (id))",
			"CREATE PROCEDURE two_results() BEGIN SELECT 1 AS a; SELECT 'x' AS b, 2 AS c; END",
			"CREATE PROCEDURE fails_late() BEGIN SELECT 1 AS a; SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'late'; END",
		)
	}
	admin(t, db, "TRUNCATE TABLE counted",
		"INSERT INTO counted (name, n, parent) VALUES ('one', 1, 1), ('two', 2, NULL), ('three', 3, 2)")
}

func equalTrials(engine testserver.Engine) []trial {
	var all []trial
	for i := range columnTypes {
		all = append(all, trial{query: fmt.Sprintf("SELECT c%d FROM every ORDER BY id", i)})
	}
	date := time.Date(2020, 2, 29, 12, 0, 0, 1000, time.UTC)
	rows := []trial{
		{query: "SELECT * FROM every WHERE id = ?", args: []any{1}},
		{query: "SELECT * FROM every WHERE 1 = 0"},
		{query: "SELECT 1"},
		{query: "SELECT 1 WHERE 1 = 0"},
		{query: "SELECT NULL, '', 0, 1.5, 1e3, TRUE, X'00', DATE'2020-02-29', TIME'01:02:03.5', -1"},
		{query: "SELECT ?, ?, ?, ?, ?", args: []any{nil, int64(-5), uint64(math.MaxUint64), 1.5, true}},
		{query: "SELECT ?, ?, ?", args: []any{"a'b\"c\\d\x00e;f", []byte{0, 255, '\'', '\\'}, date}},
		{query: "SELECT ?, ?", args: []any{json.RawMessage(`{"a":1}`), time.Time{}}},
		{query: "SELECT COUNT(*), SUM(n), AVG(n), MAX(name), GROUP_CONCAT(name ORDER BY id) FROM counted"},
		{query: "SELECT 18446744073709551615, CAST(1 AS UNSIGNED), 9223372036854775807"},
		{query: "SELECT id, name FROM counted ORDER BY id FOR UPDATE"},
		{query: "SELECT c.name, p.id FROM counted c LEFT JOIN parent p ON p.id = c.parent ORDER BY c.id"},
		{query: "WITH RECURSIVE n AS (SELECT 1 AS i UNION ALL SELECT i + 1 FROM n WHERE i < 50) SELECT i FROM n"},
		{query: "SELECT 1; "},
		{query: "SELECT ';', ?", args: []any{1}},
		{query: "SELECT 'a;b'"},
		{query: "SELECT \"x\", '\\\\', id FROM counted WHERE id = ?", args: []any{1}},
		{query: "SELECT /* a comment ? */ 1 -- ? and another\n, ?", args: []any{2}},
		{query: "/* leading */ SELECT 1 # trailing"},
		{query: "-- nothing but a comment"},
		{query: "SHOW COLUMNS FROM counted"},
		{query: "SHOW WARNINGS"},
		{query: "EXPLAIN SELECT id FROM counted WHERE id = 1"},
		{query: "CALL two_results()"},
		{query: "CALL fails_late()", fails: true},
		{query: "UPDATE counted SET n = n + 1"}, // rows of a statement without any
		{query: "SELECT REPEAT('x', 100000), ?", args: []any{strings.Repeat("y", 300000)}},
		{query: "VALUES ROW(1, 'a'), ROW(2, 'b')", fails: engine == testserver.MariaDB},
	}
	execs := []trial{
		{query: "INSERT INTO counted (name, n) VALUES (?, ?)", args: []any{"four", 4}},
		{query: "INSERT INTO counted (name, n) VALUES (?, ?), (?, ?)", args: []any{"four", 4, "five", 5}},
		{query: "INSERT INTO counted (id, name) VALUES (77, 'four')"},
		{query: "INSERT INTO counted (name) SELECT 'four'"},
		{query: "INSERT IGNORE INTO counted (name) VALUES ('one')"},
		{query: "INSERT INTO counted (name, n) VALUES ('one', 9) ON DUPLICATE KEY UPDATE n = n + 1"},
		{query: "REPLACE INTO counted (id, name, n) VALUES (1, 'uno', 1)"},
		{query: "UPDATE counted SET n = n + 1 WHERE id > 1"},
		{query: "UPDATE counted SET n = n WHERE id = ?", args: []any{1}}, // S7: a row that matches counts
		{query: "UPDATE counted SET n = 5 WHERE id = 99"},
		{query: "DELETE FROM counted WHERE id < 3"},
		{query: "DELETE FROM counted WHERE 1 = 0"},
		{query: "SELECT * FROM counted"},
		{query: "SET @hf_equality = 1"},
		{query: "DO SLEEP(0)"},
		{query: "CALL two_results()"},
		{query: "CREATE TEMPORARY TABLE IF NOT EXISTS scratch (id INT)"},

		{query: "INSERT INTO counted (name) VALUES ('one')", fails: true},                         // duplicate key
		{query: "INSERT INTO counted (id, name) VALUES (1, 'four')", fails: true},                 // duplicate primary key
		{query: "INSERT INTO counted (name, n) VALUES ('four', -1)", fails: true},                 // CHECK
		{query: "INSERT INTO counted (name, parent) VALUES ('four', 99)", fails: true},            // foreign key
		{query: "DELETE FROM parent WHERE id = 1", fails: true},                                   // foreign key, the other way
		{query: "INSERT INTO counted (name) VALUES (NULL)", fails: true},                          // NOT NULL
		{query: "INSERT INTO counted (n) VALUES (1)", fails: true},                                // no default
		{query: "INSERT INTO counted (name) VALUES ('too long')", fails: true},                    // strict mode
		{query: "INSERT INTO counted (name, n) VALUES ('a', 'one')", fails: true},                 // strict mode
		{query: "INSERT INTO counted (name, n) VALUES ('a', 99999999999)", fails: true},           // out of range
		{query: "INSERT INTO every (id, c16) VALUES (9, '2020-13-01')", fails: true},              // no such date
		{query: "INSERT INTO every (id, c24) VALUES (?, ?)", args: []any{9, "\xff"}, fails: true}, // no UTF-8
		{query: "INSERT INTO nowhere VALUES (1)", fails: true},
		{query: "UPDATE counted SET nothing = 1", fails: true},
		{query: "UPDATE counted SET n = 1 WHERE", fails: true},
		{query: "BOGUS", fails: true},
		{query: "", fails: true},
		{query: " \n", fails: true},
		{query: "SELECT NO_SUCH_FUNCTION()", fails: true},
		{query: "SELECT (SELECT id FROM counted)", fails: true},
		{query: "CALL no_such_procedure()", fails: true},
		{query: "CALL fails_late()", fails: true},
		{query: "INSERT INTO counted (name) VALUES (?)", fails: true},                        // a value is missing
		{query: "INSERT INTO counted (name) VALUES (?)", args: []any{"a", "b"}, fails: true}, // one too many
		{query: "INSERT INTO counted (name) VALUES ('a;'), (?)", args: []any{"b", 1}, fails: true},
		{query: "INSERT INTO every (id, c17) VALUES (?, ?)", args: []any{9, date}},
		{query: "INSERT INTO every (id, c37) VALUES (?, ?)", args: []any{9, json.RawMessage(`[1]`)}},
		{query: "INSERT INTO every (id, c37) VALUES (?, ?)", args: []any{9, `{"a"`}, fails: true},
	}
	if engine == testserver.MariaDB {
		rows = append(rows,
			trial{query: "INSERT INTO counted (name, n) VALUES (?, 4), (?, 5) RETURNING id, name, n", args: []any{"four", "five"}},
			trial{query: "DELETE FROM counted WHERE id = 2 RETURNING *"},
			trial{query: "INSERT INTO counted (name) VALUES ('one') RETURNING id", fails: true},
			trial{query: "SELECT CAST('::1' AS INET6), INET6_ATON('::1')"},
		)
	}
	for _, e := range execs {
		e.exec = true
		rows = append(rows, e)
	}
	return append(all, rows...)
}
