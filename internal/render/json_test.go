package render

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestNumbersWithoutAnExponent(t *testing.T) {
	for in, want := range map[string]string{
		`1.5e-7`: `0.00000015`, `1E3`: `1000`, `{"a e1":[1e21,-2.50E+2,true,false,"1e3\\\"2e2"]}`: `{"a e1":[1000000000000000000000,-250,true,false,"1e3\\\"2e2"]}`,
		`"e`: `"e`, `1e999`: `1e999`, `0e0`: `0`, `null`: `null`, `"\\`: `"\\`,
	} {
		require.Equal(t, want, plainNumbers(in), in)
	}
}

func TestNumbersThatMySQLKeeps(t *testing.T) {
	require.True(t, exactNumbers(`[18446744073709551615, -9223372036854775808, "x", 1.5]`))
	require.False(t, exactNumbers(`{"a": [18446744073709551617]}`))
	require.True(t, escapes(`"\u0000"`, "u0000"))
	require.False(t, escapes(`"\\u0000"`, "u0000"))
}

func TestNumerals(t *testing.T) {
	for in, want := range map[string]string{
		"1.50": "1.5", "-0": "0", "-0.00": "0", "+1": "1", ".5": "0.5", "5.": "5", "007": "7", "1e2": "100", "1.25e1": "12.5", "1e-3": "0.001", "-0.10": "-0.1",
	} {
		n, ok := parse(in)
		require.True(t, ok, in)
		require.Equal(t, want, string(n), in)
	}
	for _, in := range []string{"", " 1", "1 ", "abc", "NaN", "0x10", "1_0", "--1", "1e", "Infinity"} {
		_, ok := parse(in)
		require.False(t, ok, in)
	}
	for in, want := range map[any]string{int64(-5): "-5", uint64(1 << 63): "9223372036854775808", 0.1: "0.1", 1e21: "1000000000000000000000"} {
		n, ok := read(in)
		require.True(t, ok)
		require.Equal(t, want, string(n))
	}
	require.Equal(t, "1.50", numeral("1.5").fixed(2))
	require.Equal(t, "1.00", numeral("1").fixed(2))
	require.Equal(t, "1", numeral("1").fixed(0))
}

func TestTextsOfJSONArePlain(t *testing.T) {
	for in, want := range map[string]string{
		`{"a":1}`: `{"a":1}`, `"\u003ca\u003E\/"`: `"<a>/"`, `"\ud83c\udfa7"`: `"🎧"`, `"\n\u000a\u0001\u001F\\\""`: `"\n\n\u0001\u001f\\\""`, `"\ud83c"`: `"\ud83c"`,
		`"\ud83c\u0041"`: `"\ud83cA"`, `"\\u003c"`: `"\\u003c"`, `"\u0022\u005c"`: `"\"\\"`, `"\u2028\u007f"`: "\"\u2028\u007f\"",
	} {
		require.Equal(t, want, plainTexts(in))
	}
}
