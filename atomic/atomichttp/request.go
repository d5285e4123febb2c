package atomichttp

import (
	"bytes"
	"errors"
	"io"
	"net/http"
)

// kept is a request's body that can be read again.
type kept struct {
	bytes []byte
	real  io.ReadCloser
}

func (k *kept) again() io.ReadCloser {
	return struct {
		io.Reader
		io.Closer
	}{bytes.NewReader(k.bytes), k.real}
}

// repeatable reports whether the request's body can be read once more: it is kept, or there
// is none. Its announced length does not tell: that is 0 as well where nobody knows it.
func (x *exchange) repeatable() bool {
	return x.body != nil || x.request.Body == nil || x.request.Body == http.NoBody
}

// prepare reads what has to be known before the handler runs.
func (x *exchange) prepare() (err error) {
	if x.config.once != nil {
		if x.key, err = x.config.once.keyOf(x.request); err != nil {
			return err
		}
	}
	if x.key == "" && !x.config.again || x.request.Body == nil || x.request.Body == http.NoBody {
		return nil
	}
	all, err := io.ReadAll(io.LimitReader(x.request.Body, x.config.body+1))
	switch {
	case err != nil && !errors.Is(err, http.ErrBodyReadAfterClose): // who has closed it in front has read what he wanted
		return &requestError{err}
	case int64(len(all)) <= x.config.body:
		x.body = &kept{all, x.request.Body}
	case x.key != "":
		return ErrBodyTooLarge
	default: // it is not retried
		own := *x.request
		own.Body = struct {
			io.Reader
			io.Closer
		}{io.MultiReader(bytes.NewReader(all), x.request.Body), x.request.Body}
		x.request = &own
	}
	return nil
}

// requestError is a request that could not be read to its end.
type requestError struct{ err error }

func (e *requestError) Error() string {
	return "holdfast: atomichttp: the request's body could not be read: " + e.err.Error()
}
func (e *requestError) Unwrap() error { return e.err }
