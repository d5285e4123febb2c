package mysql

import (
	"regexp"
	"strings"

	godriver "github.com/go-sql-driver/mysql"

	"github.com/holdfast-go/holdfast/dialect"
)

// naming are the texts in which the servers name what was violated, in their last group
// (perror of MySQL 9.7; MariaDB's sql/share/errmsg-utf8.txt).
var naming = map[error][]*regexp.Regexp{
	dialect.ErrUniqueViolation: {
		ofKey,
		regexp.MustCompile("(?s)^Foreign key constraint for table '.*', record '.*' would lead to a duplicate entry in table '.*', key '([^']*)'$"),
	},
	dialect.ErrForeignKeyViolation: {
		regexp.MustCompile("CONSTRAINT `((?:[^`]|``)+)` FOREIGN KEY"),
	},
	dialect.ErrCheckViolation: {
		regexp.MustCompile(`^Check constraint '([^']+)' is violated\.$`),
		regexp.MustCompile("^CONSTRAINT `([^`]+)` failed for "),
	},
	dialect.ErrNotNullViolation: {
		regexp.MustCompile(`^Column '([^']+)' cannot be null$`),
		regexp.MustCompile(`^Field '([^']+)' doesn't have a default value$`),
		regexp.MustCompile(`^Column set to default value; NULL supplied to NOT NULL column '([^']+)' at row [0-9]+$`),
	},
}

// violated is the constraint or the column that refused names, which is of kind.
func (e *engine) violated(refused *godriver.MySQLError, kind error) (constraint string, columns []string) {
	_, text := withoutVitess(refused.Message)
	if signalled(refused) || !serversOwn(refused.Number, text) {
		return "", nil
	}
	var name string
	for _, form := range naming[kind] {
		if found := form.FindStringSubmatch(text); found != nil {
			name = found[len(found)-1]
		}
	}
	switch kind {
	case dialect.ErrUniqueViolation:
		if _, key, ok := strings.Cut(name, "."); ok && e.server.Engine != dialect.MariaDB { // 'table.key' since MySQL 8.0.19
			name = key
		}
	case dialect.ErrForeignKeyViolation:
		name = strings.ReplaceAll(name, "``", "`")
	case dialect.ErrNotNullViolation:
		if name != "" {
			columns = []string{name}
		}
		return "", columns
	}
	return name, nil
}
