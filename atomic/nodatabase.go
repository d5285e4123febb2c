package atomic

import (
	"context"
	"time"

	"github.com/holdfast-go/holdfast/internal/seam"
)

// executor is what runs the blocks of db, and nobody where there is no database.
func executor(db DB) seam.Executor {
	if db != nil {
		if x := db.Executor(); x != nil {
			return x
		}
	}
	return nobody{}
}

// nobody refuses whatever has an error to say so with, and panics elsewhere.
type nobody struct{ seam.Executor }

func (nobody) refuse(name string, from seam.Site) error {
	info := BlockInfo{Name: name, Depth: 1}
	info.File, info.Line = from.Position()
	return &BlockError{Block: info, Kind: ErrOption, Reason: seam.NoDatabase}
}

func (n nobody) Run(_ context.Context, _ func(context.Context) error, o *seam.Options, from seam.Site) (bool, error) {
	return false, n.refuse(o.Name, from)
}

func (n nobody) Once(_ context.Context, _ func(context.Context) ([]byte, error), _ *seam.Once, o *seam.Options, from seam.Site) (*seam.Answer, error) {
	return nil, n.refuse(o.Name, from)
}

func (n nobody) PurgeOnce(_ context.Context, from seam.Site) (int64, error) {
	return 0, n.refuse("", from)
}

func (nobody) Register(context.Context, *seam.Hook) error {
	return &BlockError{Kind: ErrOption, Reason: seam.NoDatabase}
}

func (nobody) Savepoint(context.Context) (seam.Point, error) {
	return nil, &BlockError{Kind: ErrOption, Reason: seam.NoDatabase}
}

func (nobody) AdvisoryLock(context.Context, string, *time.Duration, string) error {
	return &BlockError{Kind: ErrOption, Reason: seam.NoDatabase}
}

func (nobody) OpenSession(context.Context, seam.Site) (seam.Session, context.Context, error) {
	return nil, nil, &BlockError{Kind: ErrOption, Reason: seam.NoDatabase}
}

func (nobody) Seen(ctx context.Context, _ string) (context.Context, error) {
	return ctx, &BlockError{Kind: ErrOption, Reason: seam.NoDatabase}
}

func (nobody) SeenToken(context.Context) string { panic("holdfast: SeenToken: " + seam.NoDatabase) }

func (nobody) Block(context.Context) seam.Block { return noBlock{} }

// noBlock is asked by functions whose answer could only be wrong.
type noBlock struct{}

func (noBlock) SetRollback(bool) error { return &BlockError{Kind: ErrOption, Reason: seam.NoDatabase} }
func (noBlock) InProgress() bool       { panic("holdfast: In: " + seam.NoDatabase) }
func (noBlock) NeedsRollback() bool    { panic("holdfast: NeedsRollback: " + seam.NoDatabase) }
func (noBlock) Attempt() int           { panic("holdfast: Attempt: " + seam.NoDatabase) }
