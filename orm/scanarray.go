package orm

import (
	"database/sql/driver"
	"encoding/hex"
	"reflect"
	"strings"

	"github.com/uptrace/bun/schema"

	"github.com/holdfast-go/holdfast/dialect"
	"github.com/holdfast-go/holdfast/internal/column"
	"github.com/holdfast-go/holdfast/internal/render"
)

// elements reports whether values of t are lists of what PostgreSQL's arrays hold, and do not
// read themselves.
func elements(t reflect.Type) bool {
	return (t.Kind() == reflect.Slice || t.Kind() == reflect.Array) && t.Elem().Kind() != reflect.Uint8 && !reflect.PointerTo(t).Implements(sqlScanner)
}

// arrayField reads a column of arrays, whatever tells that it is one: the tag array, type:text[],
// or a query that puts it out. An element is read as a column of its type is.
func arrayField(f *render.Field) scanner {
	of := f.Element()
	if of == nil {
		elem := f.IndirectType.Elem()
		return arrayScanner(f.StructField.Type, scannerOf(elem, schema.Scanner(elem)))
	}
	scan := fieldScanner(of)
	if of.Column.Kind == column.Binary {
		scan = fromHex(scan)
	}
	return arrayScanner(f.StructField.Type, scan)
}

// typeOf is the name of the type of a column of a result, where it may be one of arrays: on
// PostgreSQL. It is a number if the driver does not know the type, such as an enumeration.
func typeOf(engine string, rows driver.Rows, i int) string {
	if named, ok := rows.(driver.RowsColumnTypeDatabaseTypeName); ok && engine == dialect.Postgres {
		return named.ColumnTypeDatabaseTypeName(i)
	}
	return ""
}

// arrayOr reads a column of the type typ into a t, of whose tags nothing is known: into a list
// as an array, if it is one, and else by scan. No JSON that fits into a list begins with a
// brace, and the type of JSON is known.
func arrayOr(typ string, t reflect.Type, scan scanner) scanner {
	list := t
	if t.Kind() == reflect.Pointer {
		list = t.Elem()
	}
	if typ == "" || !elements(list) {
		return scan
	}
	element := scannerOf(list.Elem(), schema.Scanner(list.Elem()))
	if typ == "_BYTEA" {
		element = fromHex(element)
	}
	all := arrayScanner(t, element)
	switch {
	case typ[0] == '_':
		return all
	case typ[0] >= '0' && typ[0] <= '9':
		return func(dst reflect.Value, src driver.Value) error {
			if text, ok := src.(string); ok && strings.HasPrefix(text, "{") {
				return all(dst, src)
			}
			return scan(dst, src)
		}
	}
	return scan
}

// arrayScanner reads an array into a t, which is a list or points to one, by what reads an
// element. bun takes an element that begins with ( or [ for a range, which it joins with those
// after it, and NULL for an empty one.
func arrayScanner(t reflect.Type, scan scanner) scanner {
	list := t
	if t.Kind() == reflect.Pointer {
		list = t.Elem()
	}
	all := func(dst reflect.Value, src driver.Value) error {
		var text string
		switch v := src.(type) {
		case string:
			text = v
		case []byte:
			text = string(v)
		case nil:
			dst.SetZero()
			return nil
		default:
			return errType
		}
		values, ok := cutArray(text)
		if !ok {
			return errType
		}
		made := reflect.New(list).Elem()
		if list.Kind() == reflect.Slice {
			made.Set(reflect.MakeSlice(list, len(values), len(values)))
		} else if list.Len() != len(values) {
			return errTooLarge
		}
		for i, v := range values {
			if err := scan(made.Index(i), v); err != nil {
				return err
			}
		}
		dst.Set(made)
		return nil
	}
	if t.Kind() == reflect.Pointer {
		return pointerTo(all)
	}
	return all
}

// fromHex gives a scanner the bytes that PostgreSQL writes as text, by the setting
// bytea_output's default.
func fromHex(scan scanner) scanner {
	return func(dst reflect.Value, src driver.Value) error {
		if text, ok := src.(string); ok {
			digits, isHex := strings.CutPrefix(text, `\x`)
			b, err := hex.DecodeString(digits)
			if err != nil || !isHex {
				return errType
			}
			src = b
		}
		return scan(dst, src)
	}
}

// cutArray is the elements of an array of one dimension as PostgreSQL writes it (manual,
// "Arrays", Array Input and Output Syntax): texts, and nil for NULL.
func cutArray(text string) (values []driver.Value, ok bool) {
	if strings.HasPrefix(text, "[") { // [2:4]={…} begins elsewhere than at 1
		_, text, _ = strings.Cut(text, "=")
	}
	text, ok = strings.CutPrefix(text, "{")
	if !ok {
		return nil, false
	}
	if text == "}" {
		return nil, true
	}
	for {
		var v driver.Value
		if v, text, ok = cutElement(text); !ok || text == "" {
			return nil, false
		}
		values = append(values, v)
		if text == "}" {
			return values, true
		}
		if text[0] != ',' {
			return nil, false
		}
		text = text[1:]
	}
}

// cutElement cuts the first element off.
func cutElement(text string) (v driver.Value, rest string, ok bool) {
	quoted, ok := strings.CutPrefix(text, `"`)
	if !ok {
		end := strings.IndexAny(text, ",}")
		if end <= 0 || text[0] == '{' {
			return nil, "", false
		}
		if v = text[:end]; text[:end] == "NULL" {
			v = nil
		}
		return v, text[end:], true
	}
	var b strings.Builder
	for i := 0; i < len(quoted); i++ {
		switch quoted[i] {
		case '"':
			return b.String(), quoted[i+1:], true
		case '\\':
			if i++; i == len(quoted) {
				return nil, "", false
			}
		}
		b.WriteByte(quoted[i])
	}
	return nil, "", false
}
