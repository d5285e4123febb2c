package postgres

import (
	"database/sql/driver"
	"encoding/hex"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgtype"
)

// arrays decodes the arrays whose text is another by the settings of the session
// (extra_float_digits, which rounds, bytea_output, DateStyle, TimeZone): they are read in
// binary format, and become the text that the server writes by its defaults.
var arrays = map[uint32]func(*pgtype.Map, pgconn.FieldDescription) decoder{
	pgtype.Float8ArrayOID: arrayDecoder(func(v pgtype.Float8) (string, bool) { return floatText(v.Float64, 64), v.Valid }),
	pgtype.Float4ArrayOID: arrayDecoder(func(v pgtype.Float4) (string, bool) { return floatText(float64(v.Float32), 32), v.Valid }),
	pgtype.ByteaArrayOID:  arrayDecoder(func(v []byte) (string, bool) { return `"\\x` + hex.EncodeToString(v) + `"`, v != nil }),
	pgtype.DateArrayOID: arrayDecoder(func(v pgtype.Date) (string, bool) {
		return timeText(v.Time, v.InfinityModifier, time.DateOnly), v.Valid
	}),
	pgtype.TimestampArrayOID: arrayDecoder(func(v pgtype.Timestamp) (string, bool) {
		return timeText(v.Time, v.InfinityModifier, "2006-01-02 15:04:05.999999"), v.Valid
	}),
	pgtype.TimestamptzArrayOID: arrayDecoder(func(v pgtype.Timestamptz) (string, bool) {
		return timeText(v.Time.UTC(), v.InfinityModifier, "2006-01-02 15:04:05.999999-07"), v.Valid
	}),
}

func arrayDecoder[T any](text func(T) (text string, valid bool)) func(*pgtype.Map, pgconn.FieldDescription) decoder {
	return func(types *pgtype.Map, f pgconn.FieldDescription) decoder {
		return scanInto(types, f, func(a pgtype.Array[T]) (driver.Value, error) { return arrayText(a, text), nil })
	}
}

// arrayText is an array as PostgreSQL writes it (manual, "Arrays", Array Input and Output
// Syntax).
func arrayText[T any](a pgtype.Array[T], text func(T) (string, bool)) string {
	if len(a.Elements) == 0 {
		return "{}"
	}
	var b strings.Builder
	bounds, moved := "", false
	counts := make([]int, len(a.Dims)) // of the elements within a brace of each dimension
	n := 1
	for i := len(a.Dims) - 1; i >= 0; i-- {
		d := a.Dims[i]
		n *= int(d.Length)
		counts[i] = n
		moved = moved || d.LowerBound != 1
		bounds = "[" + strconv.Itoa(int(d.LowerBound)) + ":" + strconv.Itoa(int(d.LowerBound+d.Length-1)) + "]" + bounds
	}
	if moved {
		b.WriteString(bounds + "=")
	}
	for i, v := range a.Elements {
		if i > 0 {
			b.WriteByte(',')
		}
		for _, n := range counts {
			if i%n == 0 {
				b.WriteByte('{')
			}
		}
		if s, valid := text(v); valid {
			b.WriteString(s)
		} else {
			b.WriteString("NULL")
		}
		for _, n := range counts {
			if (i+1)%n == 0 {
				b.WriteByte('}')
			}
		}
	}
	return b.String()
}

// floatText is the shortest text that is read as f again, with an exponent where the server
// writes one.
func floatText(f float64, bits int) string {
	switch {
	case math.IsInf(f, 1):
		return "Infinity"
	case math.IsInf(f, -1):
		return "-Infinity"
	}
	s := strconv.FormatFloat(f, 'e', -1, bits)
	most := 15
	if bits == 32 {
		most = 6
	}
	_, digits, _ := strings.Cut(s, "e")
	if exponent, err := strconv.Atoi(digits); err == nil && exponent >= -4 && exponent < most {
		return strconv.FormatFloat(f, 'f', -1, bits)
	}
	return s // NaN too
}

// timeText is a time, or a day, in the style ISO.
func timeText(t time.Time, infinite pgtype.InfinityModifier, layout string) string {
	if infinite != pgtype.Finite {
		return infinite.String()
	}
	s := t.Format(layout)
	if y := t.Year(); y <= 0 { // the year 0 is 1 BC
		s = fmt.Sprintf("%04d", 1-y) + t.Format(strings.TrimPrefix(layout, "2006")) + " BC"
	}
	if strings.Contains(s, " ") {
		s = `"` + s + `"`
	}
	return s
}
