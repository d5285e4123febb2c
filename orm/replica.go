package orm

import "errors"

// OnReplica lets the query be answered by a replica ([WithReplicas]): it may show what
// was committed a while ago. With a ctx of atomic.Seen it shows at least what was
// committed with that ctx (rule R3). Without replicas, and where none can answer, it is
// answered by the writer.
//
// In a block, or a session, the query is a part of that like any other, and reads
// where the block does (rule R2). With SelectForUpdate it is [ErrLockOptions], and what
// writes refuses it.
func (q QuerySet[T]) OnReplica() QuerySet[T] {
	q.replica = true
	return q
}

var errOnReplica = errors.New("nothing is written or locked on a replica: leave OnReplica out")
