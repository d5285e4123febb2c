package atomic_test

import (
	"context"
	"encoding/json"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/atomic"
	"github.com/holdfast-go/holdfast/internal/seam"
)

// What could not be kept, or means nothing, is refused before fn runs, and said to be
// what it is.
func TestO01_WhatOnceRefuses(t *testing.T) {
	fn := func(context.Context) (int, error) { return 7, nil }
	for want, c := range map[string]struct {
		key  string
		fn   func(context.Context) (int, error)
		opts []atomic.Option
	}{
		"there is no fn to run":                     {"k", nil, nil},
		"the key of Once is empty":                  {"", fn, nil},
		"a ReadOnly or Deferrable block can keep":   {"k", fn, []atomic.Option{atomic.ReadOnly()}},
		"which this Propagation does not":           {"k", fn, []atomic.Option{atomic.Propagation(atomic.Never)}},
		"block, which this Propagation":             {"k", fn, []atomic.Option{atomic.Propagation(atomic.Suspended)}},
		"OnceFor(chan int)":                         {"k", fn, []atomic.Option{atomic.OnceFor(make(chan int))}},
		"Wait(-1ns): must not be negative":          {"k", fn, []atomic.Option{atomic.Wait(-1)}},
		"KeepFor(999.999µs): must be a millisecond": {"k", fn, []atomic.Option{atomic.KeepFor(time.Millisecond - 1)}},
		"KeepError: an error is nil":                {"k", fn, []atomic.Option{atomic.KeepError(errAsked, nil)}},
		"ResultLimit(0): must be positive":          {"k", fn, []atomic.Option{atomic.ResultLimit(0)}},
		"OnceEncoding: a function is nil":           {"k", fn, []atomic.Option{atomic.OnceEncoding(nil, json.Unmarshal)}},
		"a function is nil":                         {"k", fn, []atomic.Option{atomic.OnceEncoding(json.Marshal, nil)}},
		"LockTimeout(-1ns): must not be negative":   {"k", fn, []atomic.Option{atomic.LockTimeout(-1)}},
	} {
		m := &machine{}
		_, _ = atomic.Once(t.Context(), database{m}, c.key, c.fn, c.opts...)
		require.ErrorContains(t, m.options.Err, want)
	}
	for _, o := range []atomic.Option{
		atomic.Wait(0), atomic.KeepFor(time.Millisecond), atomic.ResultLimit(1), atomic.Propagation(atomic.Independent),
		atomic.OnceEncoding(json.Marshal, json.Unmarshal),
	} {
		m := &machine{}
		_, err := atomic.Once(t.Context(), database{m}, "k", fn, o)
		require.NoError(t, err)
		require.NoError(t, m.options.Err)
	}
}

// What was not kept is no value, and an error of fn comes back.
func TestO05_WhatIsNotKeptIsNoValue(t *testing.T) {
	m := &machine{answer: &seam.Answer{}, err: errAsked}
	fn := func(context.Context) (int, error) { return 7, nil }
	n, err := atomic.Once(t.Context(), database{m}, "k", fn)
	require.ErrorIs(t, err, errAsked)
	require.Zero(t, n)

	m = &machine{}
	n, err = atomic.Once(t.Context(), database{m}, "k", func(context.Context) (int, error) { return 7, errAsked })
	require.ErrorIs(t, err, errAsked)
	require.Zero(t, n)
	n, err = atomic.Once(t.Context(), database{&machine{}}, "k", fn)
	require.NoError(t, err)
	require.Equal(t, 7, n)
}

// A []byte is kept as it is, and as large as it may be; who has its own encoding has
// that for a []byte too.
func TestO04_BytesAreKeptAsTheyAre(t *testing.T) {
	raw := func(context.Context) ([]byte, error) { return []byte("four"), nil }
	got, err := atomic.Once(t.Context(), database{&machine{}}, "k", raw, atomic.ResultLimit(4))
	require.NoError(t, err)
	require.Equal(t, "four", string(got))
	_, err = atomic.Once(t.Context(), database{&machine{}}, "k", raw, atomic.ResultLimit(3))
	require.ErrorIs(t, err, atomic.ErrOnceResult)
	require.ErrorContains(t, err, "it has 4 bytes, and ResultLimit is 3")
	got, err = atomic.Once(t.Context(), database{&machine{}}, "k", raw, atomic.OnceEncoding(
		func(any) ([]byte, error) { return []byte("written"), nil },
		func(kept []byte, into any) error { *into.(*[]byte) = append(kept, "!"...); return nil }))
	require.NoError(t, err)
	require.Equal(t, "written!", string(got))

	large := func(n int) func(context.Context) ([]byte, error) {
		return func(context.Context) ([]byte, error) { return make([]byte, n), nil }
	}
	_, err = atomic.Once(t.Context(), database{&machine{}}, "k", large(1<<20))
	require.NoError(t, err, "1 MiB where no limit is given")
	_, err = atomic.Once(t.Context(), database{&machine{}}, "k", large(1<<20+1))
	require.ErrorIs(t, err, atomic.ErrOnceResult)
}

// The error of a decoder can be matched, though its text is not shown.
func TestO04_WhatADecoderSays(t *testing.T) {
	m := &machine{answer: &seam.Answer{Kept: true, Stored: true, Result: []byte("secret")}}
	refused := errors.New("no such card: secret")
	n, err := atomic.Once(t.Context(), database{m}, "k", func(context.Context) (int, error) { panic("it runs") },
		atomic.OnceEncoding(json.Marshal, func(_ []byte, into any) error { *into.(*int) = 3; return refused }))
	require.ErrorIs(t, err, refused)
	require.NotContains(t, err.Error(), "secret")
	require.Zero(t, n)
}

// With NoDefaults a block says so to the database.
func TestB18_NoDefaultsArrives(t *testing.T) {
	m := &machine{}
	require.NoError(t, atomic.Do(t.Context(), database{m}, func(context.Context) error { return nil }, atomic.NoDefaults()))
	require.True(t, m.options.NoDefaults)
}
