package exactjson

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestNumbersThatAFloatKeeps(t *testing.T) {
	for n, want := range map[string]bool{
		"1": true, "1.10": true, "0.1": true, "1e300": true, "-0": true, "9007199254740993": false, "1499366092322157987": false, "1499366092322158000": true,
		"1e400": false, "0.1234567890123456789": false, "100000000000000000000": true, "1e-400": false, "1e99999999999": false,
	} {
		_, ok := Float(json.Number(n))
		require.Equal(t, want, ok, n)
	}
}
