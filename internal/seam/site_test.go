package seam_test

import (
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/holdfast-go/holdfast/internal/seam"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// do is where the library would be.
func do() seam.Site { return seam.Here() }

func TestSite_IsTheCallersPlace(t *testing.T) {
	_, file, before, _ := runtime.Caller(0)
	site := do()
	got, line := site.Position()
	require.Equal(t, file, got)
	require.Equal(t, before+1, line)
}

func TestSite_Unknown(t *testing.T) {
	var site seam.Site
	file, line := site.Position()
	require.Empty(t, file)
	require.Zero(t, line)
}
