package sqlite

import "strings"

// violated is what SQLite names in the message of a violation, which is of kind: an index or
// a check, or else columns with their table (sqlite3UniqueConstraint in insert.c,
// sqlite3HaltConstraint). Columns of whose names the table's cannot be told are left out.
func violated(kind error, message string) (constraint string, columns []string) {
	what, named, ok := strings.Cut(message, " constraint failed: ")
	if kind == nil || !ok {
		return "", nil
	}
	switch what {
	case "CHECK":
		return named, nil
	case "UNIQUE", "NOT NULL":
	default:
		return "", nil
	}
	if index, ok := strings.CutPrefix(named, "index '"); ok {
		return strings.ReplaceAll(strings.TrimSuffix(index, "'"), "''", "'"), nil
	}
	for qualified := range strings.SplitSeq(named, ", ") {
		_, column, ok := strings.Cut(qualified, ".")
		if !ok || strings.Contains(column, ".") {
			return "", nil
		}
		columns = append(columns, column)
	}
	return "", columns
}
