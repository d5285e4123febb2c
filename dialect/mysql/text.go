package mysql

import "strings"

// way is how a statement travels.
type way uint8

const (
	// asText: in one text with its prefix, values interpolated by the driver.
	asText way = iota
	// judged: as text, once the server has found by PREPARE that it is a
	// single statement.
	judged
	// prepared: prepared and bound on the server.
	prepared
)

// wayOf looks at a caller's text before any value is in it.
func wayOf(query string, values int) way {
	if values > 0 && misread(query) {
		return prepared
	}
	if i := strings.IndexByte(query, ';'); i >= 0 && !blank(query[i+1:]) {
		return judged
	}
	if blank(query) {
		return judged // joined to a prefix it would vanish, and its error with it
	}
	return asText
}

// blank reports whether the server sees nothing in s. What is white space in
// Unicode alone is a syntax error there.
func blank(s string) bool { return strings.Trim(s, " \t\n\v\f\r") == "" }

// misread reports whether the driver could find other placeholders in query
// than the server does. Its scanner knows the session's NO_BACKSLASH_ESCAPES
// and no other mode, takes \t \n \r and space for the only characters that make
// a comment of --, lets /*/ close the comment that it opens, and takes
// executable comments for mere comments.
func misread(query string) bool {
	if strings.IndexByte(query, '\\') >= 0 && strings.IndexByte(query, '"') >= 0 {
		return true // under ANSI_QUOTES "a\" is a whole name
	}
	for rest := query; ; {
		i := strings.Index(rest, "/*")
		if i < 0 {
			break
		}
		rest = rest[i+2:]
		if rest != "" && (rest[0] == '/' || rest[0] == '!' || rest[0] == 'M') {
			return true
		}
	}
	for rest := query; ; {
		i := strings.Index(rest, "--")
		if i < 0 {
			return false
		}
		rest = rest[i+2:]
		if rest != "" && (rest[0] < ' ' || rest[0] == 0x7f) && rest[0] != '\t' && rest[0] != '\n' && rest[0] != '\r' {
			return true
		}
	}
}

// join puts the statements of prefix in front of query.
func join(prefix []string, query string) string {
	if len(prefix) == 0 {
		return query
	}
	n := len(query)
	for _, s := range prefix {
		n += len(s) + len("; ")
	}
	var b strings.Builder
	b.Grow(n)
	for _, s := range prefix {
		b.WriteString(s)
		b.WriteString("; ")
	}
	b.WriteString(query)
	return b.String()
}

// begins reports whether one of the control statements begins a transaction.
func begins(prefix []string) bool {
	for _, s := range prefix {
		if strings.HasPrefix(s, "BEGIN") || strings.HasPrefix(s, "START TRANSACTION") {
			return true
		}
	}
	return false
}
