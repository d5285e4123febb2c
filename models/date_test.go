package models

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestDate(t *testing.T) {
	seoul := time.FixedZone("KST", 9*3600)
	d := DateOf(time.Date(1990, 5, 17, 0, 0, 0, 0, seoul))
	require.Equal(t, Date{1990, 5, 17}, d)
	require.Equal(t, "1990-05-17", d.String())
	require.Equal(t, time.Date(1990, 5, 17, 0, 0, 0, 0, seoul), d.In(seoul))
	require.Equal(t, Date{2024, 2, 29}, Date{2024, 3, 1}.AddDays(-1))
	require.Equal(t, -1, d.Compare(d.AddDays(1)))
	v, err := d.Value()
	require.NoError(t, err)
	require.Equal(t, "1990-05-17", v)
	v, err = Date{}.Value()
	require.NoError(t, err)
	require.Nil(t, v)
	for _, wrong := range []Date{{2026, 2, 30}, {0, 1, 1}, {10000, 1, 1}, {2026, 13, 1}, {2026, 1, 0}} {
		_, err = wrong.Value()
		require.Error(t, err)
		_, err = json.Marshal(wrong)
		require.Error(t, err)
	}
	for _, src := range []any{"1990-05-17", []byte("1990-05-17"), time.Date(1990, 5, 17, 0, 0, 0, 0, time.UTC)} {
		var read Date
		require.NoError(t, read.Scan(src))
		require.Equal(t, d, read)
	}
	read := d
	require.NoError(t, read.Scan(nil))
	require.True(t, read.IsZero())
	require.Error(t, read.Scan("1990-5-17"))
	require.Error(t, read.Scan(5))
	b, err := json.Marshal([]Date{d, {}})
	require.NoError(t, err)
	require.Equal(t, `["1990-05-17",null]`, string(b))
	var back []Date
	require.NoError(t, json.Unmarshal(b, &back))
	require.Equal(t, []Date{d, {}}, back)
	require.Error(t, json.Unmarshal([]byte(`["x"]`), &back))
	require.Error(t, json.Unmarshal([]byte(`[1]`), &back))
}
