package house

import (
	"context"
	"database/sql"
	"time"

	"github.com/holdfast-go/holdfast/atomic"
	"github.com/holdfast-go/holdfast/orm"
)

// Settings are what [orm.Open] is to be given for a [House].
//
// Every block is tried again after a deadlock, and reads what is committed at the time:
// under REPEATABLE READ, MySQL's default, a plain SELECT may show less than the row that
// a lock shows (rule S8).
func Settings() []orm.Option {
	return []orm.Option{orm.WithIsolation(sql.LevelReadCommitted), orm.WithBlock(atomic.Retry(3))}
}

// House is the theatre. Each method is a block, or a part of the block that ctx carries:
// who calls it need not know.
type House struct {
	DB      *orm.DB
	Mailer  Mailer
	HoldFor time.Duration // how long a seat waits for its payment
	Changed func()        // is called when something about the seats was committed
}

// changed has Changed called after COMMIT: who looks at once must not find what was
// before.
func (h *House) changed(ctx context.Context) error {
	return atomic.OnCommit(ctx, h.DB, func(context.Context) error {
		h.Changed()
		return nil
	})
}

// Empty has nobody hold or own a seat. Seats come first, as everywhere: who locks in the
// same order cannot wait in a circle.
func (h *House) Empty(ctx context.Context) error {
	return atomic.Do(ctx, h.DB, func(ctx context.Context) error {
		if _, err := orm.Objects[Seat](h.DB).Update(ctx, nobodys()...); err != nil {
			return err
		}
		if _, err := orm.Objects[Payment](h.DB).Delete(ctx); err != nil {
			return err
		}
		if _, err := orm.Objects[Booking](h.DB).Delete(ctx); err != nil {
			return err
		}
		return h.changed(ctx)
	}, atomic.Name("empty"))
}
