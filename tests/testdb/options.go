package testdb

import (
	"os"
	"strings"
)

// Option says how a server that is started differs from the usual one.
type Option func(*options)

type options struct {
	flags   []string
	version string
	report  func(string)
	zone    string
}

// Flags are added to the server's command line: "--autocommit=0" for MySQL and
// MariaDB, "-c", "log_statement=all" for PostgreSQL.
func Flags(flags ...string) Option {
	return func(o *options) { o.flags = append(o.flags, flags...) }
}

// Version asks for a version other than the run's, as the tag of the stock
// image spells it: "13", "10.5". It is pulled, or built if Debian has it.
func Version(version string) Option {
	return func(o *options) { o.version = version }
}

// Zone is the time zone of the server's machine, in the form of POSIX: "EST5".
func Zone(tz string) Option { return func(o *options) { o.zone = tz } }

// Report is called with a sentence before a step that can take long: pulling
// or building an image.
func Report(report func(string)) Option {
	return func(o *options) { o.report = report }
}

func gather(engine Engine, opts []Option) options {
	o := options{
		report: func(string) {},
		flags:  strings.Fields(os.Getenv(engine.Variable("", "_FLAGS"))),
	}
	for _, opt := range opts {
		opt(&o)
	}
	return o
}
