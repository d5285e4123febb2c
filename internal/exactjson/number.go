package exactjson

import (
	"encoding/json"
	"math/big"
	"strconv"
	"strings"
)

// digits is how many of them every float64 keeps.
const digits = 15

// Float is the floating-point number that is written as JSON as the same
// number as n; ok is false if there is none.
func Float(n json.Number) (f float64, ok bool) {
	f, err := strconv.ParseFloat(string(n), 64)
	if err != nil {
		return 0, false
	}
	if len(n) <= digits && !strings.ContainsAny(string(n), "eE") { // so many digits it always keeps
		return f, true
	}
	a, ok := Rational(string(n))
	if !ok {
		return 0, false
	}
	b, ok := Rational(strconv.FormatFloat(f, 'g', -1, 64))
	return f, ok && a.Cmp(b) == 0
}

// Rational is the number that a text is. It refuses exponents that would take all memory.
func Rational(s string) (*big.Rat, bool) {
	if i := strings.IndexAny(s, "eE"); i >= 0 {
		if e, err := strconv.Atoi(s[i+1:]); err != nil || e > 400 || e < -400 {
			return nil, false
		}
	}
	return new(big.Rat).SetString(s)
}
