// Package settings reads the command line of the example.
package settings

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/holdfast-go/holdfast/examples/internal/database"
	"github.com/holdfast-go/holdfast/examples/tts/internal/voice"
)

// Settings is what a run is asked to do. Those that [Parse] returns are valid.
type Settings struct {
	Database database.Database
	Locking  []Locking // a run for each
	Rows     int
	Edits    int
	Workers  int
	Writers  int
	Input    string // file of sentences; "" for those that come with the program
	Report   string // HTML file to write; "" for none
	Out      string // directory for the sounds; "" for a temporary one
	Voice    voice.Kind
}

// ErrUsage is returned for a command line that cannot be followed. The error says which option is wrong and what it may
// be, and holds no password.
var ErrUsage = errors.New("see -help")

const (
	maxRows   = 100_000
	maxEdits  = 1_000_000
	maxActors = 256
)

// Parse reads the arguments after the program's name. For -h and -help it writes the help to help and returns
// flag.ErrHelp; every other error is an [ErrUsage].
func Parse(args []string, help io.Writer) (Settings, error) {
	s := Settings{}
	flags := flag.NewFlagSet("tts", flag.ContinueOnError)
	flags.SetOutput(io.Discard) // the caller prints the error, once
	flags.Usage = func() {}
	var db, locking, voiceName string
	flags.StringVar(&db, "db", "sqlite", database.Option)
	flags.StringVar(&locking, "locking", string(SkipLocked), "`how` workers lock what they claim: skip-locked, nowait, wait or none; several, separated by commas, are run one after the other and compared")
	flags.IntVar(&s.Rows, "rows", 320, "`number` of audio rows")
	flags.IntVar(&s.Edits, "edits", 400, "`number` of edits that the writers make in all")
	flags.IntVar(&s.Workers, "workers", 4, "`number` of workers that render")
	flags.IntVar(&s.Writers, "writers", 4, "`number` of writers that edit")
	flags.StringVar(&s.Input, "input", "", "`file` of sentences, UTF-8, one a line (default: those that come with the program)")
	flags.StringVar(&s.Report, "report", "", "`file` to draw the run in, as one HTML page")
	flags.StringVar(&s.Out, "out", "", "`directory` to keep the WAV files in (default: a temporary one)")
	flags.StringVar(&voiceName, "voice", string(voice.Auto), "`voice` that speaks: espeak (espeak-ng must be installed), tones (built in), or auto, which takes espeak if it can")

	if err := flags.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			_, _ = io.WriteString(help, helpText(flags))
			return Settings{}, flag.ErrHelp
		}
		return Settings{}, fmt.Errorf("%w (%w)", err, ErrUsage)
	}
	given := make(map[string]bool)
	flags.Visit(func(f *flag.Flag) { given[f.Name] = true })
	if s.Writers == 0 && !given["edits"] {
		s.Edits = 0
	}

	var err error
	s.Voice = voice.Kind(voiceName)
	s.Database, err = database.Parse(db)
	if err == nil {
		s.Locking, err = parseLocking(locking)
	}
	if err == nil {
		err = s.check(flags.Args())
	}
	if err != nil {
		return Settings{}, fmt.Errorf("%w (%w)", err, ErrUsage)
	}
	return s, nil
}

func (s Settings) check(rest []string) error {
	if len(rest) > 0 {
		return fmt.Errorf("unexpected argument %q: every option starts with -", rest[0])
	}
	for _, number := range []struct {
		option          string
		value, min, max int
	}{
		{"-rows", s.Rows, 1, maxRows},
		{"-edits", s.Edits, 0, maxEdits},
		{"-workers", s.Workers, 1, maxActors},
		{"-writers", s.Writers, 0, maxActors},
	} {
		if number.value < number.min || number.value > number.max {
			return fmt.Errorf("%s %d: must be from %d to %d", number.option, number.value, number.min, number.max)
		}
	}
	if s.Writers == 0 && s.Edits > 0 {
		return fmt.Errorf("-edits %d with -writers 0: nobody is there to make them", s.Edits)
	}
	if !slices.Contains(voice.Kinds(), s.Voice) {
		return fmt.Errorf("-voice %q: must be espeak, tones or auto", s.Voice)
	}
	return s.checkFiles()
}

// checkFiles finds out at once what would otherwise go wrong at the end of the run.
func (s Settings) checkFiles() error {
	if s.Input != "" {
		if info, err := os.Stat(s.Input); err != nil {
			return fmt.Errorf("-input: %w", err)
		} else if info.IsDir() {
			return fmt.Errorf("-input %s: is a directory", s.Input)
		}
	}
	if s.Report != "" {
		if info, err := os.Stat(s.Report); err == nil && info.IsDir() {
			return fmt.Errorf("-report %s: is a directory; name the file, such as %s", s.Report, filepath.Join(s.Report, "report.html"))
		}
		if info, err := os.Stat(filepath.Dir(s.Report)); err != nil || !info.IsDir() {
			return fmt.Errorf("-report %s: there is no directory %s", s.Report, filepath.Dir(s.Report))
		}
	}
	if info, err := os.Stat(s.Out); s.Out != "" && err == nil && !info.IsDir() {
		return fmt.Errorf("-out %s: is a file; name a directory", s.Out)
	}
	return nil
}

func helpText(flags *flag.FlagSet) string {
	text := new(strings.Builder)
	text.WriteString(`Writers edit texts while workers render them to sound files. With locks every file
ends up speaking the text of its row; without them, some speak an old one.

  tts                                        with locks, on an embedded SQLite
  tts -locking skip-locked,none -report page.html
                                             with and without, drawn on one page
  tts -db postgres                           on PostgreSQL, in a container

`)
	flags.VisitAll(func(f *flag.Flag) {
		name, usage := flag.UnquoteUsage(f)
		if f.DefValue != "" {
			usage += " (default " + f.DefValue + ")"
		}
		fmt.Fprintf(text, "  -%s %s\n", f.Name, name)
		for _, line := range wrap(usage, 74) {
			fmt.Fprintf(text, "      %s\n", line)
		}
	})
	return text.String()
}

func wrap(text string, width int) (lines []string) {
	line := ""
	for _, word := range strings.Fields(text) {
		if line != "" && len(line)+1+len(word) > width {
			lines = append(lines, line)
			line = ""
		}
		line = strings.TrimPrefix(line+" "+word, " ")
	}
	return append(lines, line)
}
