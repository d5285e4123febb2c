package settings_test

import (
	"flag"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/examples/internal/database"
	"github.com/holdfast-go/holdfast/examples/tts/internal/settings"
	"github.com/holdfast-go/holdfast/examples/tts/internal/voice"
	"github.com/holdfast-go/holdfast/tests/testdb"
)

func parse(args ...string) (settings.Settings, error) { return settings.Parse(args, io.Discard) }

func TestDefaults(t *testing.T) {
	got, err := parse()
	require.NoError(t, err)
	assert.Equal(t, settings.Settings{
		Database: database.Database{Engine: testdb.SQLite},
		Locking:  []settings.Locking{settings.SkipLocked},
		Rows:     320, Edits: 400, Workers: 4, Writers: 4, Voice: voice.Auto,
	}, got)
	assert.False(t, got.Database.Container())
}

func TestEveryOption(t *testing.T) {
	dir := t.TempDir()
	input := filepath.Join(dir, "input.txt")
	require.NoError(t, os.WriteFile(input, nil, 0o600))
	got, err := parse("-db=mariadb", "-locking=none, nowait,wait", "-rows=9", "-edits=8", "-workers=7", "-writers=6",
		"-input", input, "-report", filepath.Join(dir, "r.html"), "-out", filepath.Join(dir, "new"), "-voice=tones")
	require.NoError(t, err)
	assert.Equal(t, settings.Settings{
		Database: database.Database{Engine: testdb.MariaDB},
		Locking:  []settings.Locking{settings.None, settings.NoWait, settings.Wait},
		Rows:     9, Edits: 8, Workers: 7, Writers: 6,
		Input: input, Report: filepath.Join(dir, "r.html"), Out: filepath.Join(dir, "new"), Voice: voice.Tones,
	}, got)
	assert.True(t, got.Database.Container())
}

func TestNoWritersMakeNoEdits(t *testing.T) {
	got, err := parse("-writers=0")
	require.NoError(t, err)
	assert.Zero(t, got.Edits)
}

func TestRefused(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	require.NoError(t, os.WriteFile(file, nil, 0o600))
	for _, test := range []struct{ args, says string }{
		{"-rows=0", "-rows 0: must be from 1 to 100000"},
		{"-rows=many", `invalid value "many" for flag -rows`},
		{"-workers=0", "-workers 0: must be from 1"},
		{"-writers=-1", "-writers -1: must be from 0"},
		{"-edits=-5", "-edits -5"},
		{"-writers=0 -edits=3", "-edits 3 with -writers 0: nobody"},
		{"-locking=skip", `-locking "skip": must be skip-locked, nowait, wait or none`},
		{"-locking=none,none", "none comes twice"},
		{"-voice=opera", `-voice "opera": must be espeak, tones or auto`},
		{"-colour", "not defined: -colour"},
		{"sqlite", `unexpected argument "sqlite"`},
		{"-input=" + dir, "is a directory"},
		{"-input=" + dir + "/no", "no such file"},
		{"-report=" + dir, "name the file, such as " + dir + "/report.html"},
		{"-report=" + dir + "/no/r.html", "there is no directory " + dir + "/no"},
		{"-out=" + file, "is a file; name a directory"},
		{"-db=oracle", `-db "oracle": must be sqlite, mysql`},
		{"-db=oracle://host/x", "-db oracle://…: must be"},
		{"-db=mysql://", "names no host"},
		{"-db=mysql://me@host:3306", "names no database on host:3306"},
		{"-db=mysql://me@host/x?parseTime=perhaps", "after the question mark: invalid bool value: perhaps"},
	} {
		_, err := parse(strings.Fields(test.args)...)
		assert.ErrorIs(t, err, settings.ErrUsage, test.args)
		assert.ErrorContains(t, err, test.says, test.args)
	}
}

func TestErrorsHoldNoPassword(t *testing.T) {
	for _, db := range []string{
		"root:hunter2@tcp(host)/studio",
		"mysql://root:hunter2@/studio",
		"mysql://root:hunter2@host",
		"mysql://root:hunter2%zz@host/studio",
		"mysql://root:hunter2/x@host/studio",
		"mysql://root:hunter2@host/studio?timeout=soon",
		"postgres://root:hunter2@host:port/studio",
		"postgres://root:hunter2 @host",
		"oracle://root:hunter2@host/studio",
	} {
		_, err := parse("-db", db)
		require.Error(t, err, db)
		assert.NotContains(t, err.Error(), "hunter2", db)
	}
}

func TestHelp(t *testing.T) {
	var help strings.Builder
	_, err := settings.Parse([]string{"-help"}, &help)
	require.ErrorIs(t, err, flag.ErrHelp)
	for _, option := range []string{"db", "locking", "rows", "edits", "workers", "writers", "input", "report", "out", "voice"} {
		assert.Contains(t, help.String(), "\n  -"+option+" ")
	}
	for line := range strings.Lines(help.String()) {
		assert.LessOrEqual(t, len([]rune(line)), 85, line)
	}
}
