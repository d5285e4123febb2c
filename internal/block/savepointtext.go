package block

import (
	"context"
	"slices"
	"strings"

	"github.com/holdfast-go/holdfast/atomic"
	"github.com/holdfast-go/holdfast/dialect"
	"github.com/holdfast-go/holdfast/internal/backend"
	"github.com/holdfast-go/holdfast/internal/lex"
)

// Libraries on database/sql nest by sending SAVEPOINT as a text. A block knows what
// that is: a savepoint set by hand (rule B24), with a name.

// namedPoint is a savepoint that was set by a text.
type namedPoint struct {
	name  string
	point *manualPoint
}

// savepointVerb is what a text does with a savepoint.
type savepointVerb uint8

const (
	setPoint savepointVerb = iota + 1
	releasePoint
	rollbackToPoint
)

// savepointText reads SAVEPOINT x, RELEASE [SAVEPOINT] x and ROLLBACK TO [SAVEPOINT]
// x. verb is 0 for any other text.
func (x *Executor) savepointText(text string) (verb savepointVerb, name string) {
	syntax := backend.Syntax(x.db.Server)
	l := syntax.Lexer(text)
	if first := l.Next(); first.Executable || !first.IsAny("SAVEPOINT", "RELEASE", "ROLLBACK") {
		return 0, ""
	}
	tokens := syntax.Tokens(text)
	for len(tokens) > 0 && tokens[len(tokens)-1].Kind == lex.Semicolon {
		tokens = tokens[:len(tokens)-1]
	}
	if slices.ContainsFunc(tokens, func(t lex.Token) bool { return t.Executable }) {
		return 0, ""
	}
	words, last := tokens[:len(tokens)-1], tokens[len(tokens)-1]
	switch {
	case is(words, "SAVEPOINT"):
		verb = setPoint
	case is(words, "RELEASE"), is(words, "RELEASE", "SAVEPOINT"):
		verb = releasePoint
	case is(words, "ROLLBACK", "TO"), is(words, "ROLLBACK", "TO", "SAVEPOINT"),
		is(words, "ROLLBACK", "WORK", "TO"), is(words, "ROLLBACK", "WORK", "TO", "SAVEPOINT"),
		is(words, "ROLLBACK", "TRANSACTION", "TO"), is(words, "ROLLBACK", "TRANSACTION", "TO", "SAVEPOINT"):
		verb = rollbackToPoint
	default:
		return 0, ""
	}
	switch last.Kind {
	case lex.Word:
		return verb, strings.ToLower(last.Text)
	case lex.Quoted:
		return verb, last.Name()
	}
	return 0, ""
}

func is(tokens []lex.Token, words ...string) bool {
	return slices.EqualFunc(tokens, words, lex.Token.Is)
}

// steer does what a text asks for in b. Nothing is sent before the next statement.
func (x *Executor) steer(ctx context.Context, b *block, verb savepointVerb, name string) error {
	t := b.tx
	if verb == setPoint {
		if err := x.db.Server.Require(dialect.Savepoint); err != nil {
			return err
		}
		p, err := b.Savepoint()
		if err != nil {
			return err
		}
		t.mu.Lock()
		defer t.mu.Unlock()
		t.named = append(t.named, namedPoint{name, &manualPoint{block: b, point: p}})
		return nil
	}
	t.mu.Lock()
	var p *manualPoint
	for _, each := range t.named {
		if each.name == name && each.point.block == b && each.point.point.Set() {
			p = each.point // the latest of that name
		}
	}
	t.mu.Unlock()
	if p == nil {
		if err := b.Usable(); err != nil {
			return err
		}
		return &atomic.BlockError{Block: b.Info(), Kind: atomic.ErrTransactionControl,
			Reason: "there is no savepoint " + name + " in this block", Err: atomic.ErrSavepointEnded}
	}
	if verb == releasePoint {
		return p.Release(ctx)
	}
	return p.Rollback(ctx)
}
