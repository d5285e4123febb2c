package atomic

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"reflect"

	"github.com/holdfast-go/holdfast/internal/exactjson"
	"github.com/holdfast-go/holdfast/internal/seam"
)

// Once runs fn in a block for a key, unless that was done before: then it returns the
// result of that time, and fn does not run. Whoever is not sure that his work was done,
// after ErrCommitUnknown, a lost connection, a crash, calls it again with the same key
// until it answers, and the work is done once. On PostgreSQL with a synchronous standby
// a result that is there already is ErrCommitUnknown as well until that has it (rule O1).
//
//	receipt, err := atomic.Once(ctx, db, "order:"+id, func(ctx context.Context) (Receipt, error) {
//		return pay(ctx, order)
//	}, atomic.OnceFor(order), atomic.Wait(5*time.Second), atomic.Retry(3))
//
// The key is a row of the table holdfast_once (models.Once, or the text OnceTable of
// the engine's package), which the block writes first and completes with the result
// last, in its own transaction. So they are committed together, or neither is: nothing
// is left of a block that was rolled back, or of a process that died.
//
// What fn does outside the database happens once for each time that it runs, which may
// be several: until it is committed.
//
// All of Do's options are Once's, but for ReadOnly, Deferrable and the propagations
// Never and Suspended, which are ErrOption, and its errors are those of Do. Inside
// another block it is nested, or joins; it is then part of that, and what it keeps is
// rolled back with it (rule O5). With Rollback or SetRollback nothing is kept, and the zero value
// and nil are returned.
//
// While somebody else's block runs for the key, Once is ErrInProgress, or waits for
// its end (Wait). T is encoded with encoding/json unless OnceEncoding says otherwise;
// everybody, the first included, gets what was decoded again; a number in an any is a float64
// if that is the same number, and else a json.Number. A []byte is kept as it is.
//
// It costs one round trip before fn (rule O7), and its result travels with COMMIT. With ClaimLate
// the former travels as well. A result that is there already costs three. Inside
// another block storing the result costs one.
func Once[T any](ctx context.Context, db DB, key string, fn func(ctx context.Context) (T, error), opts ...Option) (T, error) {
	var value, zero T
	o := collect(opts)
	once := onceOf(o)
	o.Once = nil
	once.ID = digest([]byte(key))
	refuseOnce(o, key, fn == nil)
	answer, err := executor(db).Once(ctx, func(ctx context.Context) ([]byte, error) {
		result, err := fn(ctx)
		if err != nil {
			return nil, err
		}
		kept, err := encode(once, result)
		if err == nil {
			value, err = decode[T](once, kept)
		}
		return kept, err
	}, once, o, seam.Here())
	switch {
	case answer == nil || !answer.Kept && !answer.Stored:
		return zero, err
	case !answer.Stored:
		return value, err
	case !answer.Kept:
		return zero, &KeptError{Kind: answer.Kind, Text: answer.Failure}
	}
	value, err = decode[T](once, answer.Result)
	if err != nil {
		return zero, err
	}
	return value, nil
}

// refuseOnce refuses options under which nothing could be kept.
func refuseOnce(o *seam.Options, key string, noFn bool) {
	switch mode := PropagationMode(o.Propagation); {
	case noFn:
		o.Reject("there is no fn to run")
	case key == "":
		o.Reject("the key of Once is empty")
	case o.ReadOnly:
		o.Reject("a ReadOnly or Deferrable block can keep no result")
	case mode == Never || mode == Suspended:
		o.Reject("Once runs fn in a block, which this Propagation does not")
	}
}

func digest(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

const resultLimit = 1 << 20

func encode[T any](once *seam.Once, result T) (kept []byte, err error) {
	if raw, ok := any(result).([]byte); ok && once.Encode == nil {
		kept = raw
	} else if once.Encode != nil {
		kept, err = once.Encode(result)
	} else {
		kept, err = json.Marshal(result)
	}
	limit := once.Limit
	if limit == 0 {
		limit = resultLimit
	}
	switch {
	case err != nil:
		return nil, &BlockError{Kind: ErrOnceResult, Reason: fmt.Sprintf("a %T cannot be encoded", result), Err: err}
	case len(kept) > limit:
		return nil, &BlockError{Kind: ErrOnceResult, Reason: fmt.Sprintf("it has %d bytes, and ResultLimit is %d", len(kept), limit)}
	}
	return kept, nil
}

func decode[T any](once *seam.Once, kept []byte) (result T, err error) {
	if raw, ok := any(&result).(*[]byte); ok && once.Decode == nil {
		*raw = kept
	} else if once.Decode != nil {
		err = once.Decode(kept, &result)
	} else {
		v := reflect.ValueOf(&result).Elem()
		err = exactjson.Decoder(v.Type())(v, kept)
	}
	if err != nil {
		var zero T
		return zero, &BlockError{Kind: ErrOnceResult, Reason: fmt.Sprintf("what is kept is no %T", result), Err: &undecodable{err}}
	}
	return result, nil
}

// undecodable hides the text of a decoder, which may quote values.
type undecodable struct{ err error }

func (e *undecodable) Error() string { return fmt.Sprintf("%T", e.err) }
func (e *undecodable) Unwrap() error { return e.err }

// KeptError is what Once returns in place of an error that it has kept (KeepError).
type KeptError struct {
	Kind error  // the error of KeepError that it matched; nil if KeepError has it no more
	Text string // of the error that fn returned
}

// Error is the text of the error that fn returned.
func (e *KeptError) Error() string { return e.Text }

// Unwrap returns Kind.
func (e *KeptError) Unwrap() error { return e.Kind }

// PurgeOnce deletes what Once has kept for longer than KeepFor said, and returns how
// many keys that were. It does so in small blocks of its own, so that nobody waits
// for it for long; inside a block it is ErrDurable. Several may do it at once. Without it
// expired rows stay in the table, and do no harm: their keys run again.
func PurgeOnce(ctx context.Context, db DB) (int64, error) {
	return executor(db).PurgeOnce(ctx, seam.Here())
}
