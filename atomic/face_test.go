package atomic_test

import (
	"context"
	"database/sql"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/holdfast-go/holdfast/atomic"
	"github.com/holdfast-go/holdfast/internal/seam"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var errAsked = errors.New("the test asked for it")

// machine writes down what the face asks of it. What becomes of that is told by
// the tests of internal/block.
type machine struct {
	options *seam.Options
	once    *seam.Once
	answer  *seam.Answer
	hook    *seam.Hook
	limit   *time.Duration
	refused string
	kept    bool
	err     error
	block   seam.Block
}

// database has a machine.
type database struct{ *machine }

func (d database) Executor() seam.Executor { return d.machine }

func (m *machine) Run(ctx context.Context, fn func(context.Context) error, o *seam.Options, _ seam.Site) (bool, error) {
	m.options = o
	if o.Err == nil {
		_ = fn(ctx)
	}
	return m.kept, m.err
}

func (m *machine) Once(ctx context.Context, fn func(context.Context) ([]byte, error), once *seam.Once, o *seam.Options, _ seam.Site) (*seam.Answer, error) {
	m.options, m.once = o, once
	if m.answer == nil && o.Err == nil {
		_, err := fn(ctx)
		return &seam.Answer{Kept: err == nil}, err
	}
	return m.answer, m.err
}

func (m *machine) PurgeOnce(context.Context, seam.Site) (int64, error) { return 7, m.err }

func (m *machine) Block(context.Context) seam.Block { return m.block }

func (m *machine) Complete(*seam.Options) {}

func (m *machine) Unsent(context.Context) bool { return false }

func (m *machine) Committed(context.Context) bool { return false }

func (m *machine) Worked(context.Context) bool { return false }

func (m *machine) Detach(ctx, _ context.Context) context.Context { return ctx }

func (m *machine) Register(_ context.Context, h *seam.Hook) error {
	m.hook = h
	return m.err
}

func (m *machine) AdvisoryLock(_ context.Context, _ string, limit *time.Duration, refused string) error {
	m.limit, m.refused = limit, refused
	return m.err
}

func (m *machine) Seen(ctx context.Context, token string) (context.Context, error) {
	return context.WithValue(ctx, m, token), m.err
}

func (m *machine) SeenToken(ctx context.Context) string {
	token, _ := ctx.Value(m).(string)
	return token
}

func (m *machine) Savepoint(context.Context) (seam.Point, error) { return nil, m.err }

func (m *machine) OpenSession(ctx context.Context, _ seam.Site) (seam.Session, context.Context, error) {
	return nil, ctx, m.err
}

func nothing(context.Context) error { return nil }

func TestDo_EachOptionArrives(t *testing.T) {
	second := time.Second
	for name, c := range map[string]struct {
		option atomic.Option
		want   seam.Options
	}{
		"Name":          {atomic.Name("n"), seam.Options{Name: "n"}},
		"Durable":       {atomic.Durable(), seam.Options{Durable: true}},
		"NoSavepoint":   {atomic.NoSavepoint(), seam.Options{NoSavepoint: true}},
		"ReadOnly":      {atomic.ReadOnly(), seam.Options{ReadOnly: true}},
		"Isolation":     {atomic.Isolation(sql.LevelSnapshot), seam.Options{Isolation: sql.LevelSnapshot}},
		"Deferrable":    {atomic.Deferrable(), seam.Options{Deferrable: true, ReadOnly: true}},
		"Timeout":       {atomic.Timeout(second), seam.Options{Timeout: second}},
		"IdleTimeout":   {atomic.IdleTimeout(second), seam.Options{Idle: second}},
		"LockTimeout":   {atomic.LockTimeout(second), seam.Options{LockWait: &second}},
		"no waiting":    {atomic.LockTimeout(0), seam.Options{LockWait: new(time.Duration)}},
		"ResolveCommit": {atomic.ResolveCommit(), seam.Options{Resolve: true}},
		"ExplainLocks":  {atomic.ExplainLocks(), seam.Options{Explain: true}},
		"Propagation":   {atomic.Propagation(atomic.Suspended), seam.Options{Propagation: uint8(atomic.Suspended)}},
		"Retry":         {atomic.Retry(3), seam.Options{Retry: &seam.Retry{Max: 3}}},
		"RetryPolicy": {atomic.RetryPolicy{Max: 1, Base: 2, Cap: 3, Locks: true, Connection: true},
			seam.Options{Retry: &seam.Retry{Max: 1, Base: 2, Cap: 3, Locks: true, Connection: true}}},
		"none of it": {atomic.RetryPolicy{}, seam.Options{Retry: &seam.Retry{}}},
	} {
		m := database{&machine{}}
		require.NoError(t, atomic.Do(t.Context(), m, nothing, c.option), name)
		require.Equal(t, &c.want, m.options, name)
		require.NoError(t, atomic.Wrap(m, nothing, c.option)(t.Context()), name)
		require.Equal(t, &c.want, m.options, name)
	}
}

func TestB18_OptionsWithoutSense(t *testing.T) {
	for text, opts := range map[string][]atomic.Option{
		"option 2 is nil":                         {atomic.Durable(), nil},
		"Timeout(0s): must be positive":           {atomic.Timeout(0)},
		"Timeout(-1ns): must be positive":         {atomic.Timeout(-1)},
		"IdleTimeout(0s): must be positive":       {atomic.IdleTimeout(0)},
		"LockTimeout(-1ns): must not be negative": {atomic.LockTimeout(-1)},
		"Propagation(6): no such mode":            {atomic.Propagation(atomic.Suspended + 1)},
	} {
		m := database{&machine{}}
		_ = atomic.Do(t.Context(), m, nothing, opts...)
		require.EqualError(t, m.options.Err, text)
	}
	for _, p := range []atomic.RetryPolicy{{Max: -1}, {Base: -1}, {Cap: -1}} {
		m := database{&machine{}}
		_ = atomic.Do(t.Context(), m, nothing, p)
		require.EqualError(t, m.options.Err, "RetryPolicy: Max, Base and Cap must not be negative")
	}
}

func TestValue_IsZeroUnlessItIsKept(t *testing.T) {
	seven := func(context.Context) (int, error) { return 7, nil }
	for _, m := range []*machine{{kept: true}, {kept: true, err: errAsked}, {kept: false}, {kept: false, err: errAsked}} {
		m := database{m}
		n, err := atomic.Value(t.Context(), m, seven)
		require.Equal(t, m.err, err)
		require.Equal(t, m.kept, n == 7)
	}
	m := database{&machine{}}
	_, _ = atomic.Value[int](t.Context(), m, nil)
	require.EqualError(t, m.options.Err, "there is no fn to run")
}

func TestB16_HooksAndTheirOptions(t *testing.T) {
	m := database{&machine{err: errAsked}}
	require.Equal(t, errAsked, atomic.OnCommit(t.Context(), m, nothing))
	require.False(t, m.hook.OnRollback || m.hook.Robust || m.hook.Refused)
	_ = atomic.OnRollback(t.Context(), m, nothing, atomic.Robust())
	require.True(t, m.hook.OnRollback && m.hook.Robust && !m.hook.Refused)
	_ = atomic.OnCommit(t.Context(), m, nothing, nil, atomic.Robust())
	require.True(t, !m.hook.OnRollback && m.hook.Robust && m.hook.Refused)
}

// waits is an option as orm.Wait is.
type waits time.Duration

func (w waits) WaitLimit() (time.Duration, error) {
	if w < 0 {
		return 0, errAsked
	}
	return time.Duration(w), nil
}

func TestAdvisoryLock_Options(t *testing.T) {
	m := database{&machine{}}
	require.NoError(t, atomic.AdvisoryLock(t.Context(), m, "a"))
	require.Nil(t, m.limit)
	require.NoError(t, atomic.AdvisoryLock(t.Context(), m, "a", waits(3), waits(3)))
	require.EqualValues(t, 3, *m.limit)
	require.Empty(t, m.refused)
	require.NoError(t, atomic.AdvisoryLock(t.Context(), m, "a", waits(3), waits(4)))
	require.Contains(t, m.refused, "contradict")
	require.NoError(t, atomic.AdvisoryLock(t.Context(), m, "a", nil))
	require.Contains(t, m.refused, "is nil")
	require.Equal(t, errAsked, atomic.AdvisoryLock(t.Context(), m, "a", waits(-1)))
}

func TestSavepointAndSession_CannotBeHad(t *testing.T) {
	m := database{&machine{err: errAsked}}
	p, err := atomic.Savepoint(t.Context(), m)
	require.Nil(t, p)
	require.Equal(t, errAsked, err)
	s, ctx, err := atomic.OpenSession(t.Context(), m)
	require.Nil(t, s)
	require.Nil(t, ctx)
	require.Equal(t, errAsked, err)
}

// block is the block of any ctx.
type block struct{ over, undo bool }

func (b *block) InProgress() bool { return !b.over }
func (b *block) SetRollback(undo bool) error {
	b.undo = undo
	return errAsked
}
func (b *block) NeedsRollback() bool { return b.undo }
func (b *block) Attempt() int        { return 2 }

func TestIn_AsksTheBlockOfCtx(t *testing.T) {
	m, ctx := database{&machine{}}, t.Context()
	require.False(t, atomic.In(ctx, m))
	require.False(t, atomic.NeedsRollback(ctx, m))
	require.Zero(t, atomic.Attempt(ctx, m))
	require.ErrorIs(t, atomic.SetRollback(ctx, m, true), atomic.ErrNotInBlock)
	b := &block{}
	m.block = b
	require.True(t, atomic.In(ctx, m))
	require.False(t, atomic.NeedsRollback(ctx, m))
	require.Equal(t, errAsked, atomic.SetRollback(ctx, m, true))
	require.True(t, atomic.NeedsRollback(ctx, m))
	require.Equal(t, 2, atomic.Attempt(ctx, m))
	b.over = true
	require.False(t, atomic.In(ctx, m))
}
