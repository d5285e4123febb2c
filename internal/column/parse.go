package column

import (
	"strconv"
	"strings"

	"github.com/holdfast-go/holdfast/dialect"
)

// Parse reads a type as it stands in a column's declaration: "varchar(40)",
// "BIGINT UNSIGNED", "timestamp(3) with time zone". A name that the engine does
// not know, such as an enumeration of the application's own, is Unknown.
func Parse(engine, declared string) Type {
	d := split(declared)
	switch engine {
	case dialect.Postgres:
		return d.postgres()
	case dialect.SQLite:
		return d.sqlite()
	}
	return d.mysql()
}

// declaration is the text of a type in its parts.
type declaration struct {
	name    string // its words up to the parenthesis: "double precision"
	args    []int  // the numbers in the parenthesis
	members string // the texts in it: see [Type.Members]
	rest    string // " unsigned character set ascii ": what follows, or stands behind the name
	array   bool
}

func split(text string) declaration {
	text = strings.TrimSpace(text)
	var d declaration
	if head, inside, ok := strings.Cut(text, "("); ok {
		if list, rest, ok := members(inside); ok { // whose letters and parentheses are their own
			d.members, text = list, head+" "+rest
		}
	}
	text = strings.ToLower(text)
	if head, rest, ok := strings.Cut(text, "["); ok {
		d.array, text = true, head+" "+rest[strings.LastIndexByte(rest, ']')+1:]
	}
	head, args, parenthesis := strings.Cut(text, "(")
	if parenthesis {
		inside, behind, _ := strings.Cut(args, ")")
		for _, arg := range strings.Split(inside, ",") {
			if n, err := strconv.Atoi(strings.TrimSpace(arg)); err == nil {
				d.args = append(d.args, n)
			}
		}
		d.rest = behind
	}
	words := strings.Fields(strings.TrimPrefix(head, "pg_catalog."))
	n := len(words)
	for i, word := range words {
		if i > 0 && modifiers[word] {
			n = i
			break
		}
	}
	d.name = strings.Join(words[:n], " ")
	d.rest = " " + strings.Join(append(words[n:len(words):len(words)], strings.Fields(d.rest)...), " ") + " "
	return d
}

// modifiers are the words that end a type's name.
var modifiers = map[string]bool{
	"unsigned": true, "signed": true, "zerofill": true, "charset": true, "collate": true, "with": true, "without": true, "array": true,
	"not": true, "null": true, "default": true, "check": true, "unique": true, "primary": true, "references": true, "generated": true, "as": true,
	"constraint": true, "on": true, "comment": true, "auto_increment": true, "autoincrement": true, "ascii": true, "unicode": true, "byte": true,
}

func (d declaration) has(words string) bool { return strings.Contains(d.rest, " "+words+" ") }

func (d declaration) arg(i, otherwise int) int {
	if i < len(d.args) {
		return d.args[i]
	}
	return otherwise
}

func (d declaration) integer(bits int) Type {
	return Type{Kind: Integer, Name: d.name, Bits: bits, Unsigned: d.positive()}
}

// positive reports whether numbers below zero are refused.
func (d declaration) positive() bool { return d.has("unsigned") || d.has("zerofill") }

func (d declaration) float(bits int) Type {
	return Type{Kind: Float, Name: d.name, Bits: bits, Unsigned: d.positive()}
}

// rounded is a floating-point number that has decimal places where it is declared with two numbers.
func (d declaration) rounded(bits int) Type {
	t := d.float(bits)
	if len(d.args) == 2 {
		t.Precision, t.Scale = d.args[0], d.args[1]
	}
	return t
}

// listed is an ENUM or a SET.
func (d declaration) listed() Type {
	t := d.text(false, 0)
	t.Length, t.Members = 0, d.members
	return t
}

func (d declaration) decimal(precision, scale int) Type {
	t := Type{Kind: Decimal, Name: d.name, Precision: d.arg(0, precision), Scale: d.arg(1, scale), Unsigned: d.positive()}
	if len(d.args) == 1 {
		t.Scale = 0
	}
	return t
}

func (d declaration) text(fixed bool, length int) Type {
	t := Type{Kind: Text, Name: d.name, Fixed: fixed, Length: d.arg(0, length)}
	for _, mark := range [...]string{" character set ", " charset "} {
		if _, name, ok := strings.Cut(d.rest, mark); ok {
			t.Charset = strings.Trim(strings.Fields(name + " ?")[0], "`'\"=")
		}
	}
	if d.has("ascii") && t.Charset == "" {
		t.Charset = "latin1" // what the word has always meant
	}
	return t
}

func (d declaration) binary(fixed bool, length int) Type {
	return Type{Kind: Binary, Name: d.name, Fixed: fixed, Length: d.arg(0, length)}
}

func (d declaration) time(kind Kind, precision int, zoned bool) Type {
	t := Type{Kind: kind, Name: d.name, Precision: d.arg(0, precision), Zoned: zoned || d.has("with time zone")}
	if kind == Date {
		t.Precision = 0
	}
	return t
}

func (d declaration) plain(kind Kind) Type { return Type{Kind: kind, Name: d.name} }
