package atomichttp

import (
	"fmt"
	"log/slog"
	"net/http"
	"slices"

	"github.com/holdfast-go/holdfast/atomic"
)

// Option is a setting of [Middleware]. One that makes no sense is answered with 500, and
// logged, by each request.
type Option func(*config)

type config struct {
	databases []database // the middleware's own first
	when      []when
	off       bool

	retry    *int
	safe     bool // GET and HEAD are read-only
	first    bool // RespondFirst
	commitOn func(status int) bool
	once     *idempotency
	most     int // bytes of a response
	spill    bool
	spillTo  string
	body     int64 // bytes of a request that are kept
	onError  func(http.ResponseWriter, *http.Request, error)
	logger   *slog.Logger
	misuse   error
	again    bool                 // a handler may run again, whoever has asked for it
	blocks   [][4][]atomic.Option // of each database: for a handler that runs once, for one that may run again, and each of them read-only
}

// database is one of those in which a request has a block.
type database struct {
	db   atomic.DB
	opts []atomic.Option
}

type when struct {
	match func(*http.Request) bool
	opts  []Option
}

const megabyte = 1 << 20

func newConfig(db atomic.DB, opts []Option) *config {
	c := &config{
		databases: []database{{db: db}}, commitOn: func(status int) bool { return status < 400 },
		most: megabyte, body: megabyte, onError: writeProblem,
	}
	c.apply(opts)
	return c
}

// noDatabase reports whether db is nil, or a nil *orm.DB.
func noDatabase(db atomic.DB) bool { return db == nil || db.Executor() == nil }

func (c *config) apply(opts []Option) {
	for _, o := range opts {
		if o == nil {
			c.reject("an option is nil")
			continue
		}
		o(c)
	}
	for _, d := range c.databases {
		if noDatabase(d.db) {
			c.reject("a database is nil")
		}
	}
	c.blocks = nil
	for i, d := range c.databases {
		again := slices.Clip(slices.Clone(d.opts))
		if i == 0 && c.retry != nil { // 0 too: nothing is retried then, whoever else asks for it
			again = slices.Clip(append(again, atomic.Retry(*c.retry)))
		}
		asked := atomic.Collect(again)
		if i > 0 && asked.Retry.Again() {
			c.reject("Retry in Also: the handler would run again while the blocks of the other databases go on")
		}
		if !noDatabase(d.db) {
			d.db.Executor().Complete(asked) // Retry may be a default of the database's
		}
		once := again
		if asked.Retry.Again() {
			once = slices.Clip(append(again, atomic.RetryPolicy{}))
		}
		if i == 0 {
			c.again = asked.Retry.Again()
		} else {
			again = once
		}
		c.blocks = append(c.blocks, [4][]atomic.Option{once, again, append(once, atomic.ReadOnly()), append(again, atomic.ReadOnly())})
	}
}

// of is the configuration for a request.
func (c *config) of(r *http.Request) *config {
	for _, w := range c.when {
		if !w.match(r) {
			continue
		}
		own := *c
		own.databases = slices.Clone(c.databases)
		own.applyMatching(c.when, r)
		own.when = nil
		return &own
	}
	return c
}

// applyMatching applies the options for a request, and those that they have in turn.
func (c *config) applyMatching(list []when, r *http.Request) {
	for _, w := range list {
		if w.match(r) {
			c.when = nil
			c.apply(w.opts)
			c.applyMatching(c.when, r)
		}
	}
}

func (c *config) reject(format string, args ...any) {
	if c.misuse == nil {
		c.misuse = fmt.Errorf("holdfast: atomichttp: "+format+": %w", append(args, atomic.ErrOption)...)
	}
}

// Block gives the block of a request options, such as atomic.Timeout. An
// atomic.RetryPolicy among them is what [Retry] is, with waits of its own.
func Block(opts ...atomic.Option) Option {
	return func(c *config) { c.databases[0].opts = append(slices.Clip(c.databases[0].opts), opts...) }
}

// Also gives a request a block of another database as well. What Also names is committed
// first, the last one named before the others, and the middleware's own database at
// the end: where one of them fails, those before it are committed already, and nobody
// can take that back. The client then gets 500 with the problem type
// [ProblemPartlyCommitted], and nothing is retried; a database in which nothing can have been
// written and no hook has run does not count. Where it is not known whether one is committed
// he gets 503 with [ProblemCommitUnknown], and nothing is retried either. A Retry in opts is refused, and one
// that is a default of db does not count: the handler would run again while the other
// blocks go on. [Idempotent] keeps its keys in the middleware's own database: who asks
// again after one of the two has done twice what the others have committed, unless
// that is an atomic.Once there.
func Also(db atomic.DB, opts ...atomic.Option) Option {
	return func(c *config) { c.databases = append(c.databases, database{db, opts}) }
}

// When has options for requests that match: those of a route, for instance. They are
// added to the middleware's own; of two that set the same the later counts. A When among
// them is for those of the requests that match it too.
func When(match func(*http.Request) bool, opts ...Option) Option {
	return func(c *config) {
		if match == nil {
			c.reject("When without a match")
			return
		}
		c.when = append(c.when, when{match, opts})
	}
}

// Off has the handler run without a block, as if there were no middleware: an option of
// [When].
func Off() Option { return func(c *config) { c.off = true } }

// Retry runs the handler again, up to n more times, where atomic.Retry does: after a
// deadlock or a serialization failure (rule W5). What it had written is gone by then, and
// it reads the request's body anew: that is kept for the purpose, up to KeepBody. A
// larger one is read as it comes, and such a request not retried. What is changed in place in the
// request (URL, headers, forms, path values) is as it was before, and so is what chi keeps in its
// ctx, by which it would route it to another handler. What else the handler, or middleware in front of it,
// changes through a pointer in ctx is there for the next attempt.
//
// It is the same where Retry is asked for by [Block] or is a default of the database
// (orm.WithBlock). Of those the default counts least and this one most: Retry(0) has
// nothing retried in spite of the others.
func Retry(n int) Option {
	return func(c *config) {
		if n < 0 {
			c.reject("Retry(%d) is negative", n)
		}
		c.retry = &n
	}
}

// KeepBody is how many bytes of a request's body Retry and Idempotent keep in memory. The
// default is 1 MiB.
func KeepBody(bytes int64) Option {
	return func(c *config) {
		if bytes < 0 {
			c.reject("KeepBody(%d) is negative", bytes)
		}
		c.body = bytes
	}
}

// ReadOnlyForSafeMethods makes the block of a GET, HEAD, OPTIONS or TRACE read-only (rule W4).
func ReadOnlyForSafeMethods() Option { return func(c *config) { c.safe = true } }

// CommitOn says after which status the block is committed (rule W2): the default is
// below 400. atomic.SetRollback wins.
func CommitOn(commits func(status int) bool) Option {
	return func(c *config) {
		if commits == nil {
			c.reject("CommitOn without a function")
			return
		}
		c.commitOn = commits
	}
}

// MaxResponse is how many bytes of a response's body are held in memory until the block
// is committed (rule W1). The default is 1 MiB. A larger one goes to a file (Spill), or
// else the block is rolled back, and the client gets 500.
func MaxResponse(bytes int) Option {
	return func(c *config) {
		if bytes < 0 {
			c.reject("MaxResponse(%d) is negative", bytes)
		}
		c.most = bytes
	}
}

// Spill has a response that is larger than MaxResponse wait in a temporary file in this
// directory, "" for that of os.TempDir. The file is removed with the request.
func Spill(dir string) Option { return func(c *config) { c.spill, c.spillTo = true, dir } }

// RespondFirst has the response leave as soon as the block is committed, before the hooks
// that atomic.OnCommit has registered, which would otherwise delay it (rule W10). It gets a
// Content-Length, or its end would come after them. With
// Also those of the middleware's own database alone come after it.
func RespondFirst() Option { return func(c *config) { c.first = true } }

// ErrorHandler answers in place of the handler where a block could not be committed, or
// a response not be held (rule W6). The default is [ProblemOf] and [Problem.Write].
func ErrorHandler(answer func(w http.ResponseWriter, r *http.Request, err error)) Option {
	return func(c *config) {
		if answer == nil {
			c.reject("ErrorHandler without a function")
			return
		}
		c.onError = answer
	}
}

// Logger gets what a client is not told. The default is slog.Default().
func Logger(l *slog.Logger) Option { return func(c *config) { c.logger = l } }

func (c *config) log() *slog.Logger {
	if c.logger != nil {
		return c.logger
	}
	return slog.Default()
}
