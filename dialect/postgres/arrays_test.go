package postgres

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// settledArrays are arrays that the server writes in another way by each setting.
const settledArrays = `SELECT ARRAY[0.30000000000000004, 1e15, 1e14, 123456789012345, 1e300, 0.0001, 0.00001, '-0', 'Infinity', '-Infinity', 'NaN', NULL, 1234567]::float8[],
	ARRAY[0.1, 1e5, 1e6, 16777216, 123456, 1234567, 3.4e38, 0.0001, 0.00001, 'NaN', '-Infinity']::float4[],
	ARRAY['\x00ff', '\x', '\x5c785c', NULL]::bytea[],
	ARRAY['2026-01-02', '0001-01-01', '0044-03-15 BC', '0001-02-29 BC', '20000-01-01', 'infinity', '-infinity', NULL]::date[],
	ARRAY['2026-01-02 03:04:05', '2026-01-02 03:04:05.120000', '0044-03-15 12:00:00 BC', '9999-12-31 23:59:59.999999', 'infinity', NULL]::timestamp[],
	ARRAY['2026-01-02 03:04:05+02', '0001-01-01 00:00:00+00', '0044-03-15 12:00:00.5+00 BC', '-infinity']::timestamptz[],
	'{}'::float8[], '[2:3]={1,2}'::float8[], '[2:3][-1:1]={{1,2,3},{4,NULL,6}}'::float8[], ARRAY[ARRAY['a'::bytea], ARRAY['b'::bytea]], NULL::float8[]`

// Arrays are the same whatever the session is set to: as the server writes them by its
// defaults.
func TestS01_ArraysInEverySetting(t *testing.T) {
	t.Parallel()
	eachWay(t, func(t *testing.T, opts ...Option) {
		w := take(t, open(t, fresh(t).DSN, opts...))
		read := func(query string) []any {
			rows, err := w.Query(t.Context(), nil, query, nil)
			require.NoError(t, err)
			all, err := readAll(rows)
			require.NoError(t, err)
			require.Len(t, all, 1)
			list := make([]any, len(all[0]))
			for i, v := range all[0] {
				list[i] = v
			}
			return list
		}
		exec(t, w, `PREPARE as_text AS `+settledArrays)
		want := read(`EXECUTE as_text`) // which is read as text
		require.Equal(t, want, read(settledArrays))
		for _, set := range []string{"extra_float_digits = 0", "extra_float_digits = -5", "bytea_output = escape", "DateStyle = 'SQL, DMY'", "DateStyle = 'German'", "TimeZone = 'Asia/Kolkata'"} {
			exec(t, w, `SET `+set)
			require.Equal(t, want, read(settledArrays), set)
		}
	})
}
