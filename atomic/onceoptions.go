package atomic

import (
	"encoding/json"
	"time"

	"github.com/holdfast-go/holdfast/internal/seam"
)

// onceOption is an option that only Once can honour: with Do it is ErrOption.
func onceOption(set func(o *seam.Options, once *seam.Once)) Option {
	return optionFunc(func(o *seam.Options) {
		set(o, onceOf(o))
	})
}

func onceOf(o *seam.Options) *seam.Once {
	if o.Once == nil {
		o.Once = &seam.Once{}
	}
	return o.Once
}

// OnceFor says what the key of Once stands for: what was asked. The same key with
// another is ErrOnceMismatch, and so is one with and one without. A []byte and a string
// are taken as they are, anything else as encoding/json writes it. Only its SHA-256
// is kept.
func OnceFor(request any) Option {
	return onceOption(func(o *seam.Options, once *seam.Once) {
		var text []byte
		switch r := request.(type) {
		case []byte:
			text = r
		case string:
			text = []byte(r)
		default:
			var err error
			if text, err = json.Marshal(request); err != nil {
				o.Reject("OnceFor(%T): %w", request, err)
			}
		}
		once.Fingerprint = digest(text)
	})
}

// Wait has Once wait for up to d while somebody else's block runs for the key; then
// it is ErrInProgress. Without it Once does not wait for a block of the same process,
// and as little as the server can for one of another: a second on MySQL and MariaDB,
// where limits are whole seconds, rounded up. On SQLite blocks that write wait for each other in any
// case, whatever their keys: for as long as the database says, or LockTimeout, or d if
// that is longer.
func Wait(d time.Duration) Option {
	return onceOption(func(o *seam.Options, once *seam.Once) {
		if d < 0 {
			o.Reject("Wait(%v): must not be negative", d)
		}
		once.Wait = d
	})
}

// KeepFor is how long Once keeps the result, by the server's clock and from the start of
// its block on; after that the key runs again (rule O6). Without it a result is kept for ever.
func KeepFor(d time.Duration) Option {
	return onceOption(func(o *seam.Options, once *seam.Once) {
		if d < time.Millisecond {
			o.Reject("KeepFor(%v): must be a millisecond at least", d)
		}
		once.Keep = d
	})
}

// KeepError has Once keep an error of fn that matches one of these (errors.Is) as its
// answer: what fn did is rolled back, and the same key again returns a *KeptError, which
// has the text of fn's error and matches the same of these. They are told apart by
// their own texts. Other errors are not kept: the key runs again.
func KeepError(these ...error) Option {
	return onceOption(func(o *seam.Options, once *seam.Once) {
		for _, err := range these {
			if err == nil {
				o.Reject("KeepError: an error is nil")
			}
		}
		once.Errors = append(once.Errors, these...)
	})
}

// ResultLimit is how many bytes of a result Once keeps. A larger one is ErrOnceResult,
// and the block is rolled back. The default is 1 MiB; what the server takes in one
// statement is another limit (dialect.ErrTooLarge).
func ResultLimit(bytes int) Option {
	return onceOption(func(o *seam.Options, once *seam.Once) {
		if bytes <= 0 {
			o.Reject("ResultLimit(%d): must be positive", bytes)
		}
		once.Limit = bytes
	})
}

// OnceEncoding is how Once writes a result, and reads it back into a pointer to T.
func OnceEncoding(encode func(result any) ([]byte, error), decode func(kept []byte, into any) error) Option {
	return onceOption(func(o *seam.Options, once *seam.Once) {
		if encode == nil || decode == nil {
			o.Reject("OnceEncoding: a function is nil")
		}
		once.Encode, once.Decode = encode, decode
	})
}

// ClaimLate has Once take the key together with fn's first statement, at no round trip of
// its own. fn then starts although the key may be taken, and learns of that by the error of
// its first statement: so it is for an fn that does nothing outside the database. An
// fn that has sent nothing takes the key at its end. Inside another block it has no effect,
// and while the key is in progress another who comes late waits as long as the server's
// limit on locks says, or LockTimeout, before Wait counts.
func ClaimLate() Option {
	return onceOption(func(_ *seam.Options, once *seam.Once) { once.Late = true })
}
