package atomic_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/atomic"
	"github.com/holdfast-go/holdfast/internal/seam"
)

func TestO01_WhatOnceAsksFor(t *testing.T) {
	m := &machine{}
	run := func(key string, opts ...atomic.Option) (int, error) {
		return atomic.Once(t.Context(), database{m}, key, func(context.Context) (int, error) { return 7, nil }, opts...)
	}
	n, err := run("a", atomic.OnceFor("b"), atomic.Wait(time.Second), atomic.KeepFor(time.Minute), atomic.KeepError(errAsked), atomic.ClaimLate(), atomic.Name("n"))
	require.NoError(t, err)
	require.Equal(t, 7, n)
	first := *m.once
	require.Equal(t, "ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb", first.ID, "SHA-256 of the key")
	require.Equal(t, "3e23e8160039594a33894f6564e1b1348bbd7a0088d42c4acb73eeaed59c009d", first.Fingerprint)
	require.Equal(t, time.Second, first.Wait)
	require.Equal(t, time.Minute, first.Keep)
	require.Equal(t, []error{errAsked}, first.Errors)
	require.True(t, first.Late)
	require.Equal(t, &seam.Options{Name: "n"}, m.options, "the rest is the block's")

	for _, request := range []any{[]byte("b"), "b"} {
		_, err = run("a", atomic.OnceFor(request))
		require.NoError(t, err)
		require.Equal(t, first.Fingerprint, m.once.Fingerprint)
	}
	_, err = run("a", atomic.OnceFor(map[string]int{"b": 1, "a": 2}))
	require.NoError(t, err)
	other := m.once.Fingerprint
	_, err = run("a", atomic.OnceFor(map[string]int{"a": 2, "b": 1}))
	require.NoError(t, err)
	require.Equal(t, other, m.once.Fingerprint)
	_, err = run("")
	require.NoError(t, err)
	require.Error(t, m.options.Err)
}

func TestO04_WhatIsStoredComesBack(t *testing.T) {
	m := &machine{answer: &seam.Answer{Kept: true, Stored: true, Result: []byte(`"text"`)}}
	never := func(context.Context) (string, error) { panic("it runs") }
	text, err := atomic.Once(t.Context(), database{m}, "k", never)
	require.NoError(t, err)
	require.Equal(t, "text", text)
	decoded := func(kept []byte, into any) error {
		*into.(*string) = "<" + string(kept) + ">"
		return nil
	}
	text, err = atomic.Once(t.Context(), database{m}, "k", never, atomic.OnceEncoding(func(any) ([]byte, error) { return nil, nil }, decoded))
	require.NoError(t, err)
	require.Equal(t, `<"text">`, text)
	_, err = atomic.Once(t.Context(), database{m}, "k", func(context.Context) (int, error) { panic("it runs") })
	require.ErrorIs(t, err, atomic.ErrOnceResult)
	require.NotContains(t, err.Error(), "text", "values have no place in an error")

	m.answer = &seam.Answer{Stored: true, Failure: "card 1234 declined", Kind: errAsked}
	_, err = atomic.Once(t.Context(), database{m}, "k", never)
	var kept *atomic.KeptError
	require.ErrorAs(t, err, &kept)
	require.ErrorIs(t, err, errAsked)
	require.EqualError(t, err, "card 1234 declined")
}

func TestO04_WhatCannotBeWritten(t *testing.T) {
	m := &machine{}
	_, err := atomic.Once(t.Context(), database{m}, "k", func(context.Context) (string, error) { return "four", nil }, atomic.ResultLimit(5))
	require.ErrorIs(t, err, atomic.ErrOnceResult)
	refused := errors.New("refused")
	_, err = atomic.Once(t.Context(), database{m}, "k", func(context.Context) (string, error) { return "four", nil },
		atomic.OnceEncoding(func(any) ([]byte, error) { return nil, refused }, func([]byte, any) error { return nil }))
	require.ErrorIs(t, err, refused)
	n, err := atomic.PurgeOnce(t.Context(), database{m})
	require.NoError(t, err)
	require.Equal(t, int64(7), n)
}
