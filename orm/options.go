package orm

import (
	"database/sql"
	"fmt"
	"log/slog"
	"runtime"
	"time"

	"github.com/holdfast-go/holdfast/atomic"
	"github.com/holdfast-go/holdfast/dialect"
	"github.com/holdfast-go/holdfast/internal/backend"
	"github.com/holdfast-go/holdfast/internal/block"
)

// Option is a setting of [Open].
type Option func(*settings)

type settings struct {
	block.Settings
	pool       pool
	replicas   []dialect.Source
	wait       time.Duration
	cursorKeys [][]byte
	block      []atomic.Option // defaults of blocks
}

// WithAutocommit switches autocommit off or on; the default is on. When it is
// off, a statement outside a block needs a session ([DB.Session]) and is kept
// only by the session's Commit; without one it is atomic.ErrNoSession.
func WithAutocommit(on bool) Option {
	return func(s *settings) { s.ManualCommit = !on }
}

// WithBlock gives every outermost block of the database these options, unless its
// own say otherwise: WithBlock(atomic.Retry(3), atomic.Timeout(5*time.Second)). What
// is in force stands in atomic.BlockInfo (rule B18).
//
// A nested block lives in the limits of the outermost one and gets no defaults. A
// transaction of BeginTx (see [DB.SQL]) gets all but Retry and Timeout, for which it
// has its ctx, and one of a session without autocommit Isolation, LockTimeout and
// ExplainLocks alone, since its owner ends it. An operation that is a block of its
// own (rule S9) gets them where no other block is around it; its own Retry stays.
// atomic.NoDefaults keeps them from one block.
//
// Options that say what one block is (Name, Propagation, Durable, NoSavepoint,
// ReadOnly, Deferrable) have no place here, and nothing could take a ReadOnly back:
// Open then returns a *dialect.OpenError, as it does for an option that is itself
// wrong, for an isolation level that the server does not have and for a limit below a
// millisecond, such as a number without its unit. Of an option that is given twice the
// later one counts.
func WithBlock(opts ...atomic.Option) Option {
	return func(s *settings) { s.block = append(s.block, opts...) }
}

// defaults reads the options of WithBlock.
func (s *settings) defaults(db *backend.Database) error {
	o := atomic.Collect(s.block)
	refuse := func(problem string, err error) error {
		return &dialect.OpenError{Engine: db.Server.Engine, Setting: "WithBlock", Problem: problem, Err: err}
	}
	if o.Err != nil {
		return refuse(o.Err.Error(), nil)
	}
	if names := o.NoDefault(); names != "" {
		return refuse(names+" says what one block is, and is no default; give it to atomic.Do", nil)
	}
	if _, err := db.Engine.Begin(backend.TxOptions{Isolation: o.Isolation, Timeout: o.Timeout, Idle: o.Idle}); err != nil {
		return refuse("the server cannot begin such a block", err)
	}
	s.Block = *o
	return nil
}

// limits finds a number that was written without its unit (rule B19). 0 is what each
// option says of it.
func (s *settings) limits() error {
	o := atomic.Collect(s.block)
	lock := time.Duration(0)
	if o.LockWait != nil {
		lock = *o.LockWait
	}
	for _, l := range []struct {
		setting, option string
		is              time.Duration
	}{
		{"WithCommitTimeout", "WithCommitTimeout", s.CommitTimeout},
		{"ReplicaWait", "ReplicaWait", s.wait},
		{"WithBlock", "Timeout", o.Timeout}, {"WithBlock", "IdleTimeout", o.Idle}, {"WithBlock", "LockTimeout", lock},
	} {
		if l.is > 0 && l.is < time.Millisecond {
			return &dialect.OpenError{Setting: l.setting, Problem: fmt.Sprintf("%s(%v) is shorter than a millisecond; write a number with its unit: 2*time.Second", l.option, l.is)}
		}
	}
	return nil
}

// WithIsolation sets the isolation level of every block that does not choose
// one: it is WithBlock(atomic.Isolation(level)). The default is the server's: READ COMMITTED on
// PostgreSQL, REPEATABLE READ on MySQL and MariaDB; SQLite is serializable.
//
// Under REPEATABLE READ on MySQL a plain SELECT shows the rows as they were at
// the block's first statement, while a locking read shows and locks their
// newest versions: the two may differ within one block. What is read in order
// to be changed should be read with SelectForUpdate, or under
// sql.LevelReadCommitted.
func WithIsolation(level sql.IsolationLevel) Option {
	return WithBlock(atomic.Isolation(level))
}

// WithCommitTimeout limits a running COMMIT, which is not cancelled with the
// ctx of its block. The default is 30 s, also for 0. A COMMIT without an answer is
// atomic.ErrCommitUnknown.
func WithCommitTimeout(d time.Duration) Option {
	return func(s *settings) { s.CommitTimeout = d }
}

// WithLogger sets where that goes which cannot be returned, such as the error
// of a hook that runs on. The default is slog.Default().
func WithLogger(l *slog.Logger) Option {
	return func(s *settings) { s.Logger = l }
}

// WithReplicas adds servers that follow the one that is opened, to read from:
//
//	db, err := orm.Open(ctx, postgres.Open(primary),
//		orm.WithReplicas(postgres.Open(standby1), postgres.Open(standby2)))
//
// ReadOnly blocks (atomic.ReadOnly) and queries with [QuerySet.OnReplica] outside any
// block go to one of them, everything else to the writer (rule R1). They may be old;
// with a ctx of atomic.Seen they show at least what was committed with it (rule R3).
// Each is one server, and has a pool like the writer's. Which server writes is the
// source's to find (rule R7).
//
// A replica that cannot be reached is left out and looked at again, also when the
// database is opened (rule R5); the logger is told. Any other error of one is Open's.
// With a server, or a driver, that does not say where a commit stands Open returns
// dialect.ErrUnsupported: SQLite, MySQL without gtid_mode=ON, a node of a Galera
// cluster, a pool of From on MySQL and MariaDB.
func WithReplicas(sources ...dialect.Source) Option {
	return func(s *settings) { s.replicas = append(s.replicas, sources...) }
}

// ReplicaWait limits how long a read waits for a replica that does not show yet what
// its ctx has committed (atomic.Seen). Then the writer answers, and the replica is left
// out for a while. The default is 1 s; with 0 nothing is waited for.
func ReplicaWait(d time.Duration) Option { return func(s *settings) { s.wait = d } }

// MaxOpenConns is the most connections that are open at the same time; 0 means
// no limit. A block holds one from its first statement to its end.
func MaxOpenConns(n int) Option { return func(s *settings) { s.pool.open = &n } }

// MaxIdleConns is the most connections that are kept open without use.
func MaxIdleConns(n int) Option { return func(s *settings) { s.pool.idle = &n } }

// ConnMaxLifetime closes a connection that is older, when it is not in use; 0
// means never.
func ConnMaxLifetime(d time.Duration) Option { return func(s *settings) { s.pool.lifetime = &d } }

// ConnMaxIdleTime closes a connection that was not used for longer; 0 means
// never.
func ConnMaxIdleTime(d time.Duration) Option { return func(s *settings) { s.pool.idleTime = &d } }

// pool is the size of the pool; nil leaves a setting to its default.
type pool struct {
	open, idle         *int
	lifetime, idleTime *time.Duration
}

func (p pool) apply(db *backend.Database) {
	if !db.Borrowed && db.Server.Engine != dialect.SQLite { // SQLite's own package knows what its files need
		open := max(16, 4*runtime.GOMAXPROCS(0))
		if p.open == nil {
			p.open = &open
		}
		if p.idle == nil {
			half := (*p.open + 1) / 2
			if *p.open <= 0 { // no limit
				half = open / 2
			}
			p.idle = &half
		}
		if p.lifetime == nil {
			halfHour := 30 * time.Minute
			p.lifetime = &halfHour
		}
	}
	if p.open != nil {
		db.Pool.SetMaxOpenConns(*p.open)
	}
	if p.idle != nil {
		db.Pool.SetMaxIdleConns(*p.idle)
	}
	if p.lifetime != nil {
		db.Pool.SetConnMaxLifetime(*p.lifetime)
	}
	if p.idleTime != nil {
		db.Pool.SetConnMaxIdleTime(*p.idleTime)
	}
}
