package orm

import (
	"errors"
	"fmt"
)

// OnReplica lets the query be answered by a replica ([WithReplicas]): it may show what
// was committed a while ago. With a ctx of atomic.Seen it shows at least what was
// committed with that ctx (rule R3). Without replicas, and where none can answer, it is
// answered by the writer.
//
// [Select] and a [query.Selection] go where the query goes from which they were made. What
// is made of several, such as a query.Union, may be answered by a replica if all of them
// may, and Join changes nothing.
//
// In a block, or a session, the query is a part of that like any other, and reads
// where the block does (rule R2). With SelectForUpdate it is [ErrLockOptions], and what
// writes refuses it.
func (q QuerySet[T]) OnReplica() QuerySet[T] {
	q.set.replica = true
	return q
}

var (
	errOnReplica     = errors.New("nothing is written or locked on a replica: leave OnReplica out")
	errLockOnReplica = fmt.Errorf("%w: %w", ErrLockOptions, errOnReplica)
)
