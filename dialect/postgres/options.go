package postgres

import "github.com/jackc/pgx/v5"

// Option changes how [Open] and [From] set up connections.
type Option func(*settings)

type settings struct {
	cache *int // prepared statements kept on each connection; nil: what the DSN says
	alone bool // control statements take a round trip of their own

	refused error // what is wrong with an option
}

// defaultCache is the number of statements that a connection keeps, unless
// something else is asked for.
const defaultCache = 512

// StatementCache sets how many prepared statements each connection keeps: 512
// unless the DSN has statement_cache_capacity. They cost memory on the server.
// A number below 1 is the same as [WithoutStatementCache].
func StatementCache(n int) Option {
	return func(s *settings) { s.cache = &n }
}

// WithoutStatementCache keeps connections from having prepared statements, for
// a pooler that hands the server's connections around between round trips
// (PgBouncer in transaction mode). The text of each statement then travels
// again and the server parses it again. Round trips stay the same: a
// connection still remembers the types of a statement's parameters, which it
// asks for the first time that it sees the statement.
//
// A DSN with default_query_exec_mode other than cache_statement means the same.
func WithoutStatementCache() Option { return StatementCache(0) }

// OneByOne sends each control statement of a block (BEGIN, SAVEPOINT, …) in a round
// trip of its own and in the simple protocol, instead of in front of the next
// statement. It is for poolers that read what passes through them and lose count
// of a pipeline, as pgpool-II does: a block hangs there when BEGIN travels with a
// statement that is described. [Open] and [From] ask whether they are connected to
// pgpool-II (SHOW POOL_VERSION) and do so by themselves.
func OneByOne() Option {
	return func(s *settings) { s.alone = true }
}

// cacheOf says how many statements a connection remembers, and whether it keeps
// them prepared on the server.
func (s settings) cacheOf(c *pgx.ConnConfig) (limit int, named bool) {
	n := c.StatementCacheCapacity
	if c.DefaultQueryExecMode != pgx.QueryExecModeCacheStatement {
		n = 0
	}
	if s.cache != nil {
		n = *s.cache
	}
	if n < 1 {
		return defaultCache, false
	}
	return n, true
}
