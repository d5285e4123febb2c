package atomic

import (
	"context"

	"github.com/holdfast-go/holdfast/internal/seam"
)

// Seen returns a ctx that remembers where what is committed with it stands in the
// database's history: with a ctx that is made from it, by blocks whose Do got it, by
// statements outside any block. A read with it that goes to a replica (ReadOnly, and
// OnReplica of package orm) then shows at least that much (rule R3): a replica that is
// behind is waited for, and else the writer answers. A web application calls it once
// for each request. A ctx that remembers already is returned as it is.
//
// What it costs: on MySQL and MariaDB the server says where a commit stands with its
// answer; on PostgreSQL the question travels behind COMMIT. Neither takes a round trip.
// A statement outside any block that is not a read of package orm takes one more on
// PostgreSQL. Where the server does not say it (MySQL without gtid_mode=ON, a pool of
// another driver), all reads with ctx go to the writer once something was committed. On
// SQLite there is nothing to remember. It panics if db is nil.
func Seen(ctx context.Context, db DB) context.Context {
	x := executor(db)
	if x == (nobody{}) {
		panic("holdfast: Seen: " + seam.NoDatabase)
	}
	with, _ := x.Seen(ctx, "")
	return with
}

// SeenToken returns what ctx remembers as a text, for another process to go on with
// (SeenFrom), by way of a cookie for example: at most 4096 letters, digits and
// characters of ".:-_". It is "" if nothing was committed, or ctx does not remember. It
// panics if db is nil.
func SeenToken(ctx context.Context, db DB) string { return executor(db).SeenToken(ctx) }

// SeenFrom is Seen with a ctx that remembers what token says as well. A text that is
// no token of such a database is ErrToken; "" is Seen. A token may come from anybody:
// one that is made up has a read wait in vain, for the limit of orm.ReplicaWait at
// most, and answered by the writer.
func SeenFrom(ctx context.Context, db DB, token string) (context.Context, error) {
	return executor(db).Seen(ctx, token)
}
