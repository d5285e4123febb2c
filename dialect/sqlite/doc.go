// Package sqlite opens SQLite databases, a file or memory, with
// modernc.org/sqlite: no cgo, nothing to install.
//
//	db, err := orm.Open(ctx, sqlite.Open("app.db"))
//
// SQLite has one writer at a time and no row locks. A block that may write
// begins IMMEDIATE: it takes the write lock with its first statement and keeps
// it to its end. That is stronger than any row lock, so a locking read needs no
// clause, SKIP LOCKED has nothing to skip and a block can never fail half-way
// because somebody else wrote first (SQLITE_BUSY_SNAPSHOT, which a DEFERRED
// transaction meets when it first reads and then writes). The price is that
// blocks run one after the other: keep them short, and mark those that only read
// with ReadOnly, which run beside the writer on a snapshot of their own.
//
// Blocks and statements of one pool wait for the write lock in the order in
// which they came, and are woken when it is free. Between processes, and between
// pools, SQLite itself polls with pauses of up to 0.1 s.
//
// # Isolation
//
// Every transaction is serializable. A weaker level is asked for in vain but
// never refused: it allows what SQLite does not do, and demands nothing more.
//
// # Time
//
// SQLite has no type for time. A time.Time is stored as text in UTC with
// microseconds, "2006-01-02 15:04:05.000000+00:00", in columns of any type, so
// that times compare as they should, and comes back as a time.Time in UTC from
// columns declared TIMESTAMP, DATETIME or DATE (with whatever follows), and from
// expressions on them. So does any other expression's text that has exactly this form,
// but where package orm knows that a text is read: the rows of db.SQL() and db.Query do
// not say what they are scanned into, and database/sql puts the time into a string as
// RFC 3339. Finer parts of a second are cut off, as other engines do.
// CURRENT_TIMESTAMP gives text without microseconds, which does not compare with
// that: bind the time instead, or write
// strftime('%Y-%m-%d %H:%M:%f000+00:00', 'now'), as orm.CreateTables does for the tag
// default:current_timestamp. orm.Check finds a column whose default is another.
//
// # Memory
//
// ":memory:" is a database that all connections of the pool share and that ends
// with the pool. Its locks are on the whole database: while a block writes,
// readers wait for it. A file (in a temporary directory, say) has no such limit.
package sqlite
