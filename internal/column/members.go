package column

import (
	"slices"
	"strings"
)

// List is the members of an ENUM or a SET, in the order in which they are declared.
func (t Type) List() []string {
	if t.Members == "" {
		return nil
	}
	return strings.Split(strings.TrimSuffix(t.Members, "\x00"), "\x00")
}

// Member reports whether an ENUM or a SET, which has only one of them then, holds a text as it
// is: MySQL takes "3" for its third member where there is none of that name.
func (t Type) Member(text string) bool {
	for rest := t.Members; rest != ""; {
		var member string
		if member, rest, _ = strings.Cut(rest, "\x00"); member == text {
			return true
		}
	}
	return false
}

// InOrder reports whether a text is one that a SET returns: members with commas between them,
// each once, in the order in which they are declared.
func (t Type) InOrder(text string) bool {
	return text == "" || among(strings.Split(text, ","), t.List())
}

// among reports whether all of some are in list, in its order.
func among(some, list []string) bool {
	for _, one := range some {
		i := slices.Index(list, one)
		if i < 0 {
			return false
		}
		list = list[i+1:]
	}
	return true
}

// Includes reports whether an ENUM or a SET holds whatever another one does. One whose
// members are not known is taken for one that holds everything.
func (t Type) Includes(other Type) bool {
	switch {
	case t.Members == "":
		return true
	case t.Name != other.Name || other.Members == "":
		return false
	case t.Name == "set":
		return among(other.List(), t.List())
	}
	return !slices.ContainsFunc(other.List(), func(member string) bool { return !t.Member(member) })
}

// members reads the list of an ENUM or a SET behind its parenthesis, and returns what stands
// behind the list. Blanks at the end of a member are none for the server.
func members(text string) (list, rest string, ok bool) {
	var all strings.Builder
	for {
		member, rest, ok := quoted(strings.TrimLeft(text, blanks))
		if !ok {
			return "", "", false
		}
		all.WriteString(strings.TrimRight(member, " ") + "\x00")
		rest = strings.TrimLeft(rest, blanks)
		switch {
		case strings.HasPrefix(rest, ","):
			text = rest[1:]
		case strings.HasPrefix(rest, ")"):
			return all.String(), rest[1:], true
		default:
			return "", "", false
		}
	}
}

const blanks = " \t\n\r"

// quoted reads a text between single quotes. One within is written twice, and behind a backslash
// a character is another, or itself.
func quoted(text string) (inside, rest string, ok bool) {
	if !strings.HasPrefix(text, "'") {
		return "", "", false
	}
	var b strings.Builder
	for i := 1; i < len(text); i++ {
		switch {
		case text[i] == '\\' && i+1 < len(text):
			i++
			b.WriteByte(escaped(text[i]))
		case text[i] != '\'':
			b.WriteByte(text[i])
		case i+1 < len(text) && text[i+1] == '\'':
			i++
			b.WriteByte('\'')
		default:
			return b.String(), text[i+1:], true
		}
	}
	return "", "", false
}

// escaped is what a character behind a backslash stands for (MySQL's manual, "String Literals").
func escaped(c byte) byte {
	switch c {
	case '0':
		return 0
	case 'b':
		return '\b'
	case 'n':
		return '\n'
	case 'r':
		return '\r'
	case 't':
		return '\t'
	case 'Z':
		return 0x1a
	}
	return c
}
