package column_test

import (
	"database/sql"
	"database/sql/driver"
	"errors"
	"math/big"
	"reflect"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgtype"
	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/internal/column"
)

// text is any text.
type text struct{ s string }

func (t text) Value() (driver.Value, error) { return t.s, nil }
func (t *text) Scan(src any) error {
	t.s, _ = src.(string)
	return nil
}

// version says of a number that it is another one.
type version struct{ text }

func (v version) Value() (driver.Value, error) { return v.s + ".0", nil }
func (v *version) Scan(src any) error {
	if s, ok := src.(string); !ok || strings.Trim(s, "0123456789.-") != "" {
		return errors.New("no version")
	}
	return v.text.Scan(src)
}

// written can be stored and not be read.
type written struct{}

func (written) Value() (driver.Value, error) { return "10.005", nil }

// panics has nothing in it that could be read.
type panics struct{ of *text }

func (p panics) Value() (driver.Value, error) { return p.of.Value() }
func (p *panics) Scan(src any) error          { return p.of.Scan(src) }

func TestDecimalsAreKnownByWhatTheyReadAndSay(t *testing.T) {
	for decimals, types := range map[bool][]reflect.Type{
		true: {reflect.TypeFor[big.Rat](), reflect.TypeFor[pgtype.Numeric]()},
		false: {
			reflect.TypeFor[text](), reflect.TypeFor[version](), reflect.TypeFor[written](), reflect.TypeFor[panics](), reflect.TypeFor[anything](),
			reflect.TypeFor[uuid.NullUUID](), reflect.TypeFor[pgtype.Text](), reflect.TypeFor[pgtype.Int8](), reflect.TypeFor[pgtype.Float8](),
			reflect.TypeFor[pgtype.Date](), reflect.TypeFor[pgtype.Interval](), reflect.TypeFor[sql.NullString](), reflect.TypeFor[string](),
			reflect.TypeFor[float64](), reflect.TypeFor[big.Int](), reflect.TypeFor[struct{}](),
		},
	} {
		for _, typ := range types {
			require.Equal(t, decimals, column.Decimals(typ), typ.String())
		}
	}
}
