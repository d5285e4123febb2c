package house

import (
	"context"
	"slices"
	"sync"

	"github.com/holdfast-go/holdfast/atomic"
)

// Mail is a message to a visitor.
type Mail struct{ To, Subject string }

// Mailer sends mails.
type Mailer interface {
	Send(ctx context.Context, m Mail) error
}

// mailTicket sends the ticket when the block is committed, and never if it is rolled back:
// nobody gets a ticket for a seat that is not his.
//
// It does not promise that the mail is sent. A process that dies after COMMIT and before its
// hooks has sold the seat and sends nothing, and neither does one whose COMMIT was not
// answered (atomic.ErrCommitUnknown). Where a mail must not be lost, write it as a row of a
// table in this block, the outbox, and have a worker take the rows with
// SelectForUpdate(orm.SkipLocked) and delete them when they are sent: each mail is then sent at
// least once. OnCommit is then what wakes the worker.
//
// Robust: the seat is paid for, whatever becomes of the mail. The error is logged, and Pay
// returns none.
func (h *House) mailTicket(ctx context.Context, to string, seat *Seat) error {
	m := Mail{To: to, Subject: "Your ticket for seat " + seat.Name()}
	return atomic.OnCommit(ctx, h.DB, func(ctx context.Context) error { return h.Mailer.Send(ctx, m) }, atomic.Robust())
}

// Postbox stands for a mail server: it shows what it was given last.
type Postbox struct {
	mu    sync.Mutex
	mails []Mail // the newest first
	sent  int
}

const shown = 5

// Send implements [Mailer].
func (p *Postbox) Send(_ context.Context, m Mail) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.sent++
	p.mails = slices.Insert(p.mails, 0, m)
	p.mails = p.mails[:min(len(p.mails), shown)]
	return nil
}

// Newest returns the newest mails, and how many there were in all.
func (p *Postbox) Newest() (mails []Mail, sent int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.mails), p.sent
}
