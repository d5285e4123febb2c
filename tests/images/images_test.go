package images

import (
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestFind(t *testing.T) {
	newest, err := Find("postgres", "")
	require.NoError(t, err)
	assert.Equal(t, "postgres 18", newest.String())
	old, err := Find("mariadb", "10.5")
	require.NoError(t, err)
	assert.Equal(t, "bullseye", old.suite)
	_, err = Find("postgres", "14")
	assert.EqualError(t, err, "postgres 14 cannot be built from Debian packages, which have 18, 17, 15, 13")
	_, err = Find("oracle", "")
	assert.ErrorContains(t, err, `"oracle"`)
}

func TestTagFollowsTheRecipe(t *testing.T) {
	tags := map[string]bool{}
	for _, image := range catalog {
		tag := image.Tag()
		assert.Regexp(t, `^holdfast-test/`+image.Engine+`:`+image.Version+`-debian-[a-z]+-[0-9a-f]{12}$`, tag)
		tags[tag] = true
	}
	assert.Len(t, tags, len(catalog))
	changed := catalog[0]
	changed.packages += ",another"
	assert.NotEqual(t, catalog[0].Tag(), changed.Tag())
}

func TestPickMirror(t *testing.T) {
	const other = "stable main https://download.example.com/linux/debian-like/\n"
	for name, c := range map[string]struct{ targets, want string }{
		"usual":           {"bookworm-security main http://a.example/debian-security/\nbookworm main http://a.example/debian/\n", "http://a.example/debian/"},
		"others before":   {other + "bookworm main http://a.example/debian/\n", "http://a.example/debian/"},
		"non-free before": {"bookworm non-free http://b.example/debian/\nbookworm main http://a.example/debian/\n", "http://a.example/debian/"},
		"a list":          {"bookworm main mirror+file:/etc/apt/mirrors/debian.list\n", "mirror+file:/etc/apt/mirrors/debian.list"},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := pickMirror(c.targets)
			require.NoError(t, err)
			assert.Equal(t, c.want, got)
		})
	}
	_, err := pickMirror("bookworm-security main http://a.example/debian-security/\n\n")
	assert.ErrorContains(t, err, "HOLDFAST_DEBIAN_MIRROR")
}

func TestProgram(t *testing.T) {
	if runtime.GOOS == "linux" {
		t.Setenv("XDG_CACHE_HOME", t.TempDir())
	}
	dir, err := kept()
	require.NoError(t, err)
	program := Program{Package: "example.invalid/tool/cmd/tool", Version: "v1.2.3"}
	assert.Equal(t, "tool", program.Name())
	file := filepath.Join(dir, "tool-v1.2.3-amd64")
	t.Setenv("GOPROXY", "off")
	said := 0
	_, err = program.Ensure(t.Context(), "amd64", func(string) { said++ })
	require.ErrorContains(t, err, "example.invalid/tool")
	assert.Equal(t, 1, said)
	assert.NoFileExists(t, file)

	require.NoError(t, os.WriteFile(file, nil, 0o755))
	t.Cleanup(func() { _ = os.Remove(file) })
	got, err := program.Ensure(t.Context(), "amd64", func(string) { said++ })
	require.NoError(t, err)
	assert.Equal(t, file, got)
	assert.Equal(t, 1, said, "it is there")
}
