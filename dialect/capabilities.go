package dialect

// product is a column of the table.
type product int

const (
	mysqlServer product = iota
	mariadbServer
	postgresServer
	sqliteLibrary
	// These speak the protocol of one of the above. Their versions are their own.
	cockroachDB
	yugabyteDB
	tiDB
	vitess
	productCount
)

const firstCompatible = int(cockroachDB)

// productNames are the values of Server.Product.
var productNames = [productCount]string{"MySQL", "MariaDB", "PostgreSQL", "SQLite", "CockroachDB", "YugabyteDB", "TiDB", "Vitess"}

// support is a cell of the table.
type support struct {
	has      bool
	since    Version // the first version that has it; zero: every version that Holdfast opens
	spelling string
	note     string
}

func always(spelling string) support { return support{has: true, spelling: spelling} }

func from(major, minor, patch int, spelling string) support {
	return support{has: true, since: Version{major, minor, patch}, spelling: spelling}
}

func no(why string) support { return support{note: why} }

// but adds a note.
func (s support) but(note string) support { s.note = note; return s }

// What is not listed is not supported. What a server accepts and then ignores
// is not supported either: a lock that is not taken is worse than an error.
//
// Sources: the manuals of MySQL ("Locking Reads", "Locking Functions"), MariaDB
// ("FOR UPDATE", "LOCK IN SHARE MODE", "WAIT and NOWAIT"), PostgreSQL ("SELECT",
// "Client Connection Defaults", "Recovery Information Functions") and SQLite; CockroachDB "FOR UPDATE and FOR
// SHARE" and cockroachdb/cockroach#13546; YugabyteDB "Explicit locking",
// yugabyte/yugabyte-db#11760, #29549; TiDB "SELECT", "Pessimistic Transaction
// Mode", pingcap/tidb#69720, #70995; Vitess v19 release notes, vitessio/vitess#13965.
// For queries: MySQL "WITH (Common Table Expressions)", "Window Functions", "Set
// Operations with UNION, INTERSECT, and EXCEPT"; MariaDB "WITH", "Window Functions",
// "INTERSECT", "DELETE"; SQLite "Release History"; TiDB "Features", "Set Operations".
var capabilities = [capabilityCount]struct {
	name string
	by   [productCount]support
}{
	ForUpdate: {"FOR UPDATE", [productCount]support{
		mysqlServer:    always("FOR UPDATE"),
		mariadbServer:  always("FOR UPDATE"),
		postgresServer: always("FOR UPDATE"),
		sqliteLibrary:  always("").but("the block begins IMMEDIATE: one writer, stronger than a row lock"),
		cockroachDB:    from(20, 1, 0, "FOR UPDATE"),
		yugabyteDB:     from(2, 8, 0, "FOR UPDATE"),
		tiDB:           from(3, 0, 8, "FOR UPDATE").but("in pessimistic mode, its default"),
		vitess:         always("FOR UPDATE"),
	}},
	ForShare: {"FOR SHARE", [productCount]support{
		mysqlServer:    from(8, 0, 1, "FOR SHARE"),
		mariadbServer:  always("LOCK IN SHARE MODE").but("`LOCK IN SHARE MODE`"),
		postgresServer: always("FOR SHARE"),
		sqliteLibrary:  always("").but("accepted: the block has the write lock"),
		cockroachDB:    no("under SERIALIZABLE, its default, it locks nothing"),
		yugabyteDB:     from(2, 8, 0, "FOR SHARE"),
		tiDB:           no("it has no shared locks"),
		vitess:         always("LOCK IN SHARE MODE").but("`LOCK IN SHARE MODE`"),
	}},
	NoKeyUpdate: {"FOR NO KEY UPDATE", [productCount]support{
		postgresServer: always("FOR NO KEY UPDATE"),
		cockroachDB:    from(20, 2, 0, "FOR NO KEY UPDATE").but("locks as FOR UPDATE does"),
		yugabyteDB:     from(2, 8, 0, "FOR NO KEY UPDATE"),
	}},
	KeyShare: {"FOR KEY SHARE", [productCount]support{
		postgresServer: always("FOR KEY SHARE"),
		cockroachDB:    no("under SERIALIZABLE, its default, it locks nothing"),
		yugabyteDB:     from(2, 8, 0, "FOR KEY SHARE"),
	}},
	NoWait: {"NOWAIT", [productCount]support{
		mysqlServer:    from(8, 0, 1, "NOWAIT"),
		mariadbServer:  from(10, 3, 0, "NOWAIT"),
		postgresServer: always("NOWAIT"),
		sqliteLibrary:  always("").but("no waiting at BEGIN"),
		cockroachDB:    from(20, 2, 0, "NOWAIT"),
		yugabyteDB:     from(2, 20, 0, "NOWAIT"),
		tiDB:           from(4, 0, 0, "NOWAIT"),
		vitess:         from(19, 0, 0, "NOWAIT"),
	}},
	SkipLocked: {"SKIP LOCKED", [productCount]support{
		mysqlServer:    from(8, 0, 1, "SKIP LOCKED"),
		mariadbServer:  from(10, 6, 0, "SKIP LOCKED"),
		postgresServer: always("SKIP LOCKED"),
		sqliteLibrary:  always("").but("holds trivially: nobody else can hold a lock"),
		cockroachDB:    from(22, 2, 0, "SKIP LOCKED"),
		yugabyteDB:     from(2, 14, 0, "SKIP LOCKED"),
		tiDB:           no("it is accepted there and then locks nothing"),
		vitess:         from(19, 0, 0, "SKIP LOCKED"),
	}},
	WaitClause: {"WAIT", [productCount]support{
		mariadbServer: from(10, 3, 0, "WAIT").but("`WAIT n`, in seconds"),
	}},
	WaitSetting: {"WAIT", [productCount]support{
		mysqlServer:    always("innodb_lock_wait_timeout").but("session `innodb_lock_wait_timeout` and `lock_wait_timeout`, in seconds, restored after"),
		mariadbServer:  always("innodb_lock_wait_timeout").but("session `innodb_lock_wait_timeout` and `lock_wait_timeout`, in seconds, restored after"),
		postgresServer: always("lock_timeout").but("`SET LOCAL lock_timeout`, in milliseconds, restored after"),
		sqliteLibrary:  always("busy_timeout").but("busy timeout, in milliseconds, at BEGIN"),
		cockroachDB:    from(22, 1, 0, "lock_timeout"),
		yugabyteDB:     no("row locks ignore lock_timeout there"),
		tiDB:           from(4, 0, 0, "innodb_lock_wait_timeout"),
		vitess:         always("innodb_lock_wait_timeout"),
	}},
	Of: {"OF", [productCount]support{
		mysqlServer:    from(8, 0, 1, "OF"),
		postgresServer: always("OF"),
		sqliteLibrary:  always("").but("accepted: the block has the write lock"),
		cockroachDB:    from(20, 1, 0, "OF"),
		yugabyteDB:     from(2, 8, 0, "OF"),
		tiDB:           from(5, 0, 0, "OF"),
	}},
	AdvisoryLock: {"advisory locks", [productCount]support{
		mysqlServer:    always("GET_LOCK").but("`GET_LOCK`, released with the block"),
		mariadbServer:  always("GET_LOCK").but("`GET_LOCK`, released with the block"),
		postgresServer: always("pg_advisory_xact_lock").but("`pg_advisory_xact_lock`"),
		sqliteLibrary:  always("").but("the write lock"),
		cockroachDB:    no("the functions are there and lock nothing"),
		yugabyteDB:     from(2025, 1, 0, "pg_advisory_xact_lock"),
		tiDB:           from(6, 1, 0, "GET_LOCK").but("waits a second at least"),
		vitess:         no("GET_LOCK is a session's of its own there, which can end before the block"),
	}},
	LockWaits: {"who waits for whom", [productCount]support{
		mysqlServer:    from(8, 0, 1, "performance_schema.data_lock_waits"),
		mariadbServer:  always("information_schema.innodb_lock_waits"),
		postgresServer: always("pg_blocking_pids"),
	}},
	Returning: {"INSERT … RETURNING", [productCount]support{
		mariadbServer:  from(10, 5, 0, "RETURNING"),
		postgresServer: always("RETURNING"),
		sqliteLibrary:  from(3, 35, 0, "RETURNING"),
		cockroachDB:    always("RETURNING"),
		yugabyteDB:     always("RETURNING"),
	}},
	UpdateReturning: {"UPDATE … RETURNING", [productCount]support{
		postgresServer: always("RETURNING"),
		sqliteLibrary:  from(3, 35, 0, "RETURNING"),
		cockroachDB:    always("RETURNING"),
		yugabyteDB:     always("RETURNING"),
	}},
	DeleteReturning: {"DELETE … RETURNING", [productCount]support{
		mariadbServer:  from(10, 0, 5, "RETURNING"),
		postgresServer: always("RETURNING"),
		sqliteLibrary:  from(3, 35, 0, "RETURNING"),
		cockroachDB:    always("RETURNING"),
		yugabyteDB:     always("RETURNING"),
	}},
	Deferrable: {"DEFERRABLE", [productCount]support{
		postgresServer: always("DEFERRABLE"),
		sqliteLibrary:  always("").but("holds trivially: a reader never fails"),
	}},
	TransactionTimeout: {"a limit on the whole transaction", [productCount]support{
		postgresServer: from(17, 0, 0, "transaction_timeout"),
		cockroachDB:    from(23, 1, 0, "transaction_timeout"),
	}},
	IdleTimeout: {"a limit on an idle transaction", [productCount]support{
		mariadbServer:  from(10, 3, 0, "idle_transaction_timeout"),
		postgresServer: always("idle_in_transaction_session_timeout"),
		cockroachDB:    from(20, 2, 0, "idle_in_transaction_session_timeout"),
		yugabyteDB:     always("idle_in_transaction_session_timeout"),
	}},
	CommitStatus: {"the fate of a transaction", [productCount]support{
		mysqlServer:    no(markerRow),
		mariadbServer:  no(markerRow),
		postgresServer: always("pg_xact_status").but("`pg_xact_status`"),
		sqliteLibrary:  no(markerRow),
		cockroachDB:    no("ResolveCommit is refused"),
		yugabyteDB:     no("ResolveCommit is refused"),
		tiDB:           no(markerRow),
		vitess:         no(markerRow + ", in transaction_mode SINGLE"),
	}},
	Savepoint: {"SAVEPOINT", [productCount]support{
		mysqlServer: always("SAVEPOINT"), mariadbServer: always("SAVEPOINT"), postgresServer: always("SAVEPOINT"), sqliteLibrary: always("SAVEPOINT"),
		cockroachDB: always("SAVEPOINT"), yugabyteDB: always("SAVEPOINT"), tiDB: from(6, 2, 0, "SAVEPOINT"), vitess: always("SAVEPOINT"),
	}},
	WholeCommit: {"COMMIT of all or nothing", [productCount]support{
		mysqlServer: always("COMMIT"), mariadbServer: always("COMMIT"), postgresServer: always("COMMIT"), sqliteLibrary: always("COMMIT"),
		cockroachDB: always("COMMIT"), yugabyteDB: always("COMMIT"), tiDB: always("COMMIT"),
		vitess: no("on one shard; over several each commits by itself, unless transaction_mode is TWOPC"),
	}},
	DDLInBlock: {"DDL in a block", [productCount]support{
		mysqlServer: no("it commits, and is refused"), mariadbServer: no("it commits, and is refused"),
		postgresServer: always("CREATE"), sqliteLibrary: always("CREATE"),
		tiDB: no("it commits, and is refused"), vitess: no("it commits, and is refused"),
	}},
	With: {"WITH RECURSIVE", [productCount]support{
		mysqlServer: from(8, 0, 1, "WITH"), mariadbServer: from(10, 2, 2, "WITH"), postgresServer: always("WITH"), sqliteLibrary: from(3, 8, 3, "WITH"),
		cockroachDB: from(20, 1, 0, "WITH"), yugabyteDB: always("WITH"), tiDB: from(5, 1, 0, "WITH"), vitess: from(21, 0, 0, "WITH"),
	}},
	Window: {"functions over a window", [productCount]support{
		mysqlServer: from(8, 0, 2, "OVER"), mariadbServer: from(10, 2, 0, "OVER"), postgresServer: always("OVER"), sqliteLibrary: from(3, 28, 0, "OVER"),
		cockroachDB: always("OVER"), yugabyteDB: always("OVER"), tiDB: from(3, 0, 0, "OVER"),
		vitess: no("on one shard only"),
	}},
	FrameGroups: {"frames of groups", [productCount]support{
		postgresServer: from(11, 0, 0, "GROUPS"), sqliteLibrary: from(3, 28, 0, "GROUPS"), cockroachDB: from(20, 2, 0, "GROUPS"), yugabyteDB: always("GROUPS"),
	}},
	Intersect: {"INTERSECT and EXCEPT", [productCount]support{
		mysqlServer: from(8, 0, 31, "INTERSECT"), mariadbServer: from(10, 3, 0, "INTERSECT"), postgresServer: always("INTERSECT"), sqliteLibrary: always("INTERSECT"),
		cockroachDB: always("INTERSECT"), yugabyteDB: always("INTERSECT"), tiDB: from(5, 0, 0, "INTERSECT"),
	}},
	JSONEquality: {"JSON = JSON", [productCount]support{
		mysqlServer:    always("CAST"),
		mariadbServer:  from(10, 7, 0, "JSON_EQUALS"),
		postgresServer: always("jsonb"),
		sqliteLibrary:  from(3, 38, 0, "json_tree"),
		cockroachDB:    always("jsonb"), yugabyteDB: always("jsonb"), tiDB: always("CAST"), vitess: always("CAST"),
	}},
	SeveralStatements: {"control statements in the text of another", [productCount]support{
		mysqlServer:   always(";"),
		mariadbServer: always(";").but("not in a Galera cluster, where the transaction can be aborted between two"),
		tiDB:          always(";"), vitess: always(";"),
	}},
	// JSON_UNQUOTE has the collation that texts have since MySQL 8.0.17; SQLite finds keys with
	// escapes, and has ->, since its JSON functions were written anew.
	JSONPaths: {"paths in JSON", [productCount]support{
		mysqlServer: from(8, 0, 17, "JSON_EXTRACT"), mariadbServer: from(10, 11, 0, "JSON_EXTRACT").but("all but keys that begin with `-`"),
		postgresServer: always("->"), sqliteLibrary: from(3, 45, 0, "->"),
	}},
	Replicas: {"reads of one's own writes on replicas", [productCount]support{
		mysqlServer:    always("WAIT_FOR_EXECUTED_GTID_SET").but("with `gtid_mode=ON`"),
		mariadbServer:  always("MASTER_GTID_WAIT").but("with its binary log, but not in a Galera cluster"),
		postgresServer: always("pg_last_wal_replay_lsn").but("physical standbys"),
		sqliteLibrary:  no("it has no replicas"),
	}},
}

const markerRow = "a row of the library's own is written with it instead"
