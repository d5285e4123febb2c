package lex

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

// written lists the tokens of text with a letter for the kind of each.
func written(s Syntax, text string) string {
	var out []string
	for _, t := range s.Tokens(text) {
		mark := string("-wnl?;s"[t.Kind])
		if t.Executable {
			mark += "!"
		}
		out = append(out, mark+" "+t.Text)
	}
	return strings.Join(out, " | ")
}

func TestTokens(t *testing.T) {
	for _, tt := range []struct {
		name   string
		syntax Syntax
		text   string
		want   string
	}{
		{"empty", PostgresSyntax, " \t\r\n", ""},
		{"plain", PostgresSyntax, "SELECT a.b,1.5 FROM t;", "w SELECT | w a | s . | w b | s , | w 1 | s . | w 5 | w FROM | w t | ; ;"},
		{"letters beyond ASCII", MySQLSyntax, "SELECT 이름", "w SELECT | w 이름"},
		{"doubled quote", PostgresSyntax, `'it''s ?' ?`, `l 'it''s ?' | ? ?`},
		{"empty literal", PostgresSyntax, `'' ?`, `l '' | ? ?`},
		{"open literal", PostgresSyntax, `'abc ?`, `l 'abc ?`},

		{"backslash on MySQL", MySQLSyntax, `'it\'s ?' ?`, `l 'it\'s ?' | ? ?`},
		{"backslash in double quotes on MySQL", MySQLSyntax, `"it\"s ?" ?`, `n "it\"s ?" | ? ?`},
		{"no backslash in backticks", MySQLSyntax, "`a\\` ?", "n `a\\` | ? ?"},
		{"backslash at the end", MySQLSyntax, `'a\`, `l 'a\`},
		{"backslash on PostgreSQL", PostgresSyntax, `'\' ?`, `l '\' | ? ?`},
		{"backslash on SQLite", SQLiteSyntax, `'\' ?`, `l '\' | ? ?`},

		{"quoted names", SQLiteSyntax, "\"a?\" `b?` [c?] ?", "n \"a?\" | n `b?` | n [c?] | ? ?"},
		{"brackets are no quotes on PostgreSQL", PostgresSyntax, "a[?]", "w a | s [ | ? ? | s ]"},
		{"dash comment", PostgresSyntax, "a--?\nb", "w a | w b"},
		{"dash comment and carriage return", PostgresSyntax, "a--?\rb", "w a | w b"},
		{"dash comment and carriage return on SQLite", SQLiteSyntax, "a--?\rb", "w a"},
		{"dashes without a space on MySQL", MySQLSyntax, "5--?", "w 5 | s - | s - | ? ?"},
		{"dash comment on MySQL", MySQLSyntax, "a-- ?\nb--", "w a | w b"},
		{"hash comment", MySQLSyntax, "a # ?\nb", "w a | w b"},
		{"hash is an operator elsewhere", PostgresSyntax, "a # ?", "w a | s # | ? ?"},
		{"nested comment", PostgresSyntax, "a /* /* ? */ ? */ b", "w a | w b"},
		{"comments do not nest", MySQLSyntax, "a /* /* ? */ b", "w a | w b"},
		{"comments do not nest on SQLite", SQLiteSyntax, "a /* /* ? */ b", "w a | w b"},
		{"open comment", PostgresSyntax, "a /* b", "w a"},
		{"executable comment", MySQLSyntax, "/*!50001 a /* b */ c */ d", "w! a | w! c | w d"},
		{"executable comment of MariaDB", MySQLSyntax, "/*M!100100 a*/ d", "w! a | w d"},
		{"executable comment without version", MySQLSyntax, "/*! COMMIT */", "w! COMMIT"},
		{"no executable comment elsewhere", SQLiteSyntax, "/*! COMMIT */", ""},
		{"byte order mark", SQLiteSyntax, "\xef\xbb\xbfCOMMIT", "w COMMIT"},

		{"dollar quotes", PostgresSyntax, "$$a ? '$$ ?", "l $$a ? '$$ | ? ?"},
		{"tagged dollar quotes", PostgresSyntax, "$t$ $$ ? $t$ ?", "l $t$ $$ ? $t$ | ? ?"},
		{"open dollar quotes", PostgresSyntax, "$t$ ? $", "l $t$ ? $"},
		{"dollar in a name", PostgresSyntax, "a$b$ ?", "w a$b$ | ? ?"},
		{"numbered parameter", PostgresSyntax, "$1$2", "s $ | w 1$2"},
		{"dollar on SQLite", SQLiteSyntax, "$$ ? $$", "s $ | s $ | ? ? | s $ | s $"},
		{"escape string", PostgresSyntax, `E'it\'s ?' ?`, `l E'it\'s ?' | ? ?`},
		{"escape string that goes on", PostgresSyntax, "e'a' -- note\n'\\' ?' ?", "l e'a' -- note\n'\\' ?' | ? ?"},
		{"escape string that ends", PostgresSyntax, `E'a' '\' ?`, `l E'a' | l '\' | ? ?`},
		{"name that ends with e", PostgresSyntax, `type'\' ?`, `w type | l '\' | ? ?`},
	} {
		t.Run(tt.name, func(t *testing.T) { assert.Equal(t, tt.want, written(tt.syntax, tt.text)) })
	}
}

func TestRebind(t *testing.T) {
	number := func(sb *strings.Builder, n int) { fmt.Fprintf(sb, "$%d", n) }
	for text, want := range map[string]string{
		"SELECT 1":                             "SELECT 1",
		"a = ? AND b = ?":                      "a = $1 AND b = $2",
		"a = '?' AND b = ?":                    "a = '?' AND b = $1",
		"data ?? ? AND data ??| ?":             "data ? $1 AND data ?| $2",
		"data @?? ?":                           "data @? $1",
		"/* ? */ ? -- ?":                       "/* ? */ $1 -- ?",
		"???":                                  "?$1",
		"?::int":                               "$1::int",
		`SELECT "a?", $$?$$, E'\'?', ?`:        `SELECT "a?", $$?$$, E'\'?', $1`,
		"SELECT ?,?,?,?,?,?,?,?,?,?,?":         "SELECT $1,$2,$3,$4,$5,$6,$7,$8,$9,$10,$11",
		"SELECT 'only one in a literal, ? ??'": "SELECT 'only one in a literal, ? ??'",
	} {
		assert.Equal(t, want, PostgresSyntax.Rebind(text, number), text)
	}
}

func FuzzLexer(f *testing.F) {
	for _, s := range []string{
		"", "SELECT 1", `'\`, `E'a'` + "\n'b\\'", "$a$ $a", "/*! /* */ */ ?", "/* /* */", "--", "-", "[a", "`", "??", "\xef\xbb",
		"INSERT INTO t VALUES (?, 'a;b', \"c\")", "$1 $$ ; $$ ; ?", "/*M!1", "a/*!1b*/c*/",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		for _, s := range []Syntax{MySQLSyntax, PostgresSyntax, SQLiteSyntax} {
			end := 0
			for _, tok := range s.Tokens(text) {
				if tok.Pos < end || tok.Text == "" || text[tok.Pos:tok.Pos+len(tok.Text)] != tok.Text {
					t.Fatalf("token %+v of %q begins before %d", tok, text, end)
				}
				end = tok.Pos + len(tok.Text)
			}
			// A placeholder takes the place of itself: the text is as it was.
			same := s.Rebind(text, func(sb *strings.Builder, _ int) { sb.WriteByte('?') })
			if !strings.Contains(text, "??") && same != text {
				t.Fatalf("%q became %q", text, same)
			}
			// What is left after numbering has none, but for the doubled ones.
			bound := s.Rebind(text, func(sb *strings.Builder, _ int) { sb.WriteString(" 1 ") })
			for _, tok := range s.Tokens(bound) {
				if tok.Kind == Placeholder && !strings.Contains(text, "??") {
					t.Fatalf("%q became %q, with a placeholder", text, bound)
				}
			}
			s.Plain(text)
			s.Inspect(text, nil, func(ts Tokens) Verdict { return Verdict{Session: ts.At(0).Kind == End} })
		}
	})
}
