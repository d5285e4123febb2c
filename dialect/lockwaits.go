package dialect

import "time"

// LockParty is one side of a wait for a lock, as the server describes it.
type LockParty struct {
	// ConnectionID is the server's number of the connection: MySQL's and
	// MariaDB's CONNECTION_ID, PostgreSQL's backend process id.
	ConnectionID int64
	// Age is for the waiting side how long its statement has been running, and
	// for the holding one how long its transaction has been open.
	Age time.Duration
	// Statement is what the connection runs, or ran last, with a ? for each
	// value. "" if the server does not tell.
	Statement string
	// Block is the name of its block (atomic.Name), or "". PostgreSQL shows it
	// as the application_name, so that a connection that is in no named block
	// has the name of its application there.
	Block string
}

// LockWait is one connection that waits for another one.
type LockWait struct {
	Waiting, Holding LockParty
	// Table is the one that the lock is on, "" if the server does not tell or
	// the lock is not on a table.
	Table string
	// Certain is true if the server names the holding side. MariaDB does not
	// know which of several transactions has a shared lock as long as they have
	// neither written a row nor locked one FOR UPDATE: each of them that has
	// locked rows then is the holding side of a LockWait that is not certain.
	Certain bool
}
