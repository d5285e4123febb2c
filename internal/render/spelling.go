package render

import (
	"github.com/holdfast-go/holdfast/dialect"
	"github.com/holdfast-go/holdfast/internal/lex"
)

// spelling is how one engine writes what this package has to say. A new engine
// is a new line in spellings.
type spelling struct {
	syntax       lex.Syntax
	numbered     bool   // $1 and not ?
	maxValues    int    // how many values one statement can bind
	casts        bool   // a value whose type nothing around it shows needs a CAST
	interpolates bool   // the driver sends values within the text, where only an INSERT is kept to maxValues
	toFloat      string // makes a floating-point number of an integer, and of what would be taken for a decimal
	toFloatEnd   string
	// toWhole makes a signed integer of 64 bits of a narrower one, of which some
	// calculate in its own width.
	toWhole, toWholeEnd string
	// A value beside a decimal number has to say that it is one: a text would be
	// taken for a floating-point number.
	decimals     bool
	shortFloats  bool // a FLOAT is shown with 6 digits
	textDecimals bool // decimal numbers are texts
	// Go\'s zero time, for which the driver would write 0000-00-00: that is another
	// day, which MySQL refuses by its default sql_mode.
	zeroTime   string
	glob       bool   // patterns are GLOB's, because LIKE folds case
	exact      string // follows a pattern to make LIKE tell cases apart
	now        string // the time of the statement, in UTC, as a time column holds it
	avg        string // AVG( … ) with a result that is a floating-point number
	avgEnd     string
	noLimit    string       // LIMIT without a limit, which OFFSET needs in front of it
	nullsLow   bool         // NULL sorts first without being told
	json       jsonEquality // how two JSON values are found equal
	overflows  bool         // integers that become too large turn into floating-point numbers, and columns keep any value
	sequential bool         // SET shows each assignment the work of those before it
	emptyRow   string       // INSERT without any column
	nested     bool         // a sub-select over the changed table needs a table of its own around it
	// A sub-select in an UPDATE cannot read the row that is changed: MariaDB
	// takes it for changed meanwhile (error 1020) under READ COMMITTED.
	uncorrelated bool
	rowValues    bool   // an index serves (a, b) > (1, 2)
	duplicateKey bool   // ON DUPLICATE KEY UPDATE, by whichever unique key
	aliases      bool   // HAVING names what is computed from each row, and does not find it otherwise
	boundless    string // goes in front of a recursive statement, which would end early without an error
}

// Limits on values: the PostgreSQL and MySQL protocols count them in 16 bits;
// SQLite's default SQLITE_MAX_VARIABLE_NUMBER is 32766 since 3.32.
var spellings = map[string]*spelling{
	dialect.MySQL:   &mysqlSpelling,
	dialect.MariaDB: &mariadbSpelling,
	dialect.Postgres: {
		syntax: lex.PostgresSyntax, numbered: true, maxValues: 65535, casts: true,
		rowValues: true, now: "statement_timestamp()", avg: "CAST(AVG(", avgEnd: ") AS double precision)",
		noLimit: "ALL", emptyRow: "DEFAULT VALUES",
		json: castsJSONB, toFloat: "CAST(", toFloatEnd: " AS double precision)", toWhole: "CAST(", toWholeEnd: " AS bigint)",
	},
	dialect.SQLite: {
		syntax: lex.SQLiteSyntax, maxValues: 32766, glob: true, rowValues: true,
		now: "strftime('%Y-%m-%d %H:%M:%f000+00:00', 'now')", avg: "AVG(", avgEnd: ")",
		noLimit: "-1", nullsLow: true, emptyRow: "DEFAULT VALUES",
		toFloat: "CAST(", toFloatEnd: " AS REAL)", overflows: true, json: byTree, textDecimals: true,
	},
}

var mysqlSpelling = spelling{
	syntax: lex.MySQLSyntax, maxValues: 65535, exact: " COLLATE utf8mb4_bin",
	now: "UTC_TIMESTAMP(6)", avg: "AVG(0e0 + ", avgEnd: ")",
	noLimit: "18446744073709551615", interpolates: true, aliases: true, nullsLow: true, sequential: true, duplicateKey: true, emptyRow: "() VALUES ()", nested: true,
	toFloat: "(0e0 + ", toFloatEnd: ")", toWhole: "CAST(", toWholeEnd: " AS SIGNED)", decimals: true, shortFloats: true, zeroTime: "0001-01-01 00:00:00",
}

var mariadbSpelling = func() spelling {
	s := mysqlSpelling
	s.uncorrelated, s.json = true, byFunction
	s.boundless = "SET STATEMENT max_recursive_iterations = 4294967295 FOR "
	return s
}()
