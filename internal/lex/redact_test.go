package lex

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestS01_RedactLeavesNoValue(t *testing.T) {
	for _, tt := range []struct {
		syntax   Syntax
		in, want string
	}{
		{MySQLSyntax, "UPDATE `a` SET b = 'it''s \\n x', c=-1.5e3, d = \"q\" /* 7 */ WHERE t1.id2 IN (1, 0x2A,3)  # 8", "UPDATE `a` SET b = ?, c=-?, d = ? WHERE t1.id2 IN (?, ?,?)"},
		{MySQLSyntax, "SELECT a\n\tFROM b LIMIT ? /*block='x'*/", "SELECT a FROM b LIMIT ?"},
		{MySQLSyntax, "INSERT INTO t VALUES ('cut of", "INSERT INTO t VALUES (?"},
		{MySQLSyntax, "SELECT X'41', N'a', b'1', .5, 1.", "SELECT X?, N?, b?, .?, ?"},
		{PostgresSyntax, `SELECT "a" FROM t WHERE b = $1 AND c = 12.50 AND d = $$x 1$$ AND e = E'a\'1'`, `SELECT "a" FROM t WHERE b = $1 AND c = ? AND d = ? AND e = ?`},
		{PostgresSyntax, "", ""},
		// Whoever reads the backslash the other way sees a value in what follows.
		{MySQLSyntax, `UPDATE a SET b = 1, c = 'C:\', d = 'secret' WHERE e = 'x'`, "UPDATE a SET b = ?, c = ?…"},
		{MySQLSyntax, `UPDATE a SET c = 'it\'s secret', d = 1`, "UPDATE a SET c = ?…"},
		{MySQLSyntax, `UPDATE a SET c = "it\"s secret", d = 'x'`, "UPDATE a SET c = ?…"},
		{MySQLSyntax, `UPDATE a SET c = 'two\\', d = 'x'`, "UPDATE a SET c = ?, d = ?"},
		{PostgresSyntax, `UPDATE a SET c = 'it\'s secret' WHERE d = 'x'`, "UPDATE a SET c = ?…"},
		{PostgresSyntax, `UPDATE a SET c = 'it\ns' WHERE "d\" = 'x'`, `UPDATE a SET c = ? WHERE "d\" = ?`},
		{MySQLSyntax, "UPDATE a SET /*!80000 it's */ b = 'secret'", "UPDATE a SET…"},
		{SQLiteSyntax, `UPDATE a SET c = 'C:\', d = 'x'`, "UPDATE a SET c = ?, d = ?"},
		{PostgresSyntax, "<insufficient privilege>", "<insufficient privilege>"},
	} {
		require.Equal(t, tt.want, tt.syntax.Redact(tt.in))
	}
}
