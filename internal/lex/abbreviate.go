package lex

import "strings"

// Abbreviate keeps an error readable when its statement is long.
func Abbreviate(sql string) string {
	const limit = 200
	sql = strings.Join(strings.Fields(sql), " ")
	if len(sql) <= limit {
		return sql
	}
	cut := limit
	for cut > 0 && sql[cut]&0xC0 == 0x80 { // not inside a UTF-8 sequence
		cut--
	}
	return sql[:cut] + "…"
}
