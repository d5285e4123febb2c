package seam

import "time"

// Once is what a caller wants of atomic.Once, which documents each.
type Once struct {
	ID          string // of the key: 64 hexadecimal digits
	Fingerprint string // likewise, or ""
	Wait        time.Duration
	Keep        time.Duration // 0: for ever
	Errors      []error       // those of fn that are kept
	Late        bool

	// The rest is package atomic's own business.
	Limit  int
	Encode func(any) ([]byte, error)
	Decode func([]byte, any) error
}

// Answer is what became of a key.
type Answer struct {
	// Kept is true if fn has run, and what it did is committed, or was before.
	Kept bool
	// Stored is true if fn has not run: Result, or Failure, is that of the run before.
	Stored  bool
	Result  []byte
	Failure string // the text of the error that was kept
	Kind    error  // the one of Errors that it was; nil: none of them
}
