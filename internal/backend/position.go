package backend

import (
	"context"
	"time"

	"github.com/holdfast-go/holdfast/dialect"
)

// Positions is an Engine whose server can tell where a commit stands in the history
// of its database, so that a replica can be asked for it (rules R1 to R8). A token
// names such a place. It may come from anybody.
type Positions interface {
	// Leaves says why this server leaves no tokens, or nil.
	Leaves() error
	// Check says what is wrong with a token, without quoting it, or nil.
	Check(token string) error
	// Join returns a token for both places.
	Join(token, later string) string
	// Suspect reports whether the writer, as far as it is known here, is another
	// server than the one that has given the token: it may not have what that had.
	Suspect(token string) bool
}

// PositionTeller is a Wire of such a server.
type PositionTeller interface {
	// Tell says whether the server is to tell where the next transaction, or statement
	// outside one, stands when it is committed. It returns what has to be sent in
	// front of it first.
	Tell(on bool) []string
	// Position is called when that has been committed, before anything else is sent.
	// "" means that nothing was written. What the server has not sent along costs a
	// round trip.
	Position(ctx context.Context) (token string, err error)
	// Renew is called outside a transaction. It returns token if the server has all
	// that it names, and else, or for "", a token for what the server has now.
	Renew(ctx context.Context, token string) (string, error)
}

// Standing is where a replica is in comparison with a token.
type Standing uint8

// The standings.
const (
	Behind    Standing = iota
	Reached            // what the token names is there to be read
	Elsewhere          // the token is of another history: there is nothing to wait for
)

// Follower is a Wire of a replica.
type Follower interface {
	// Reach waits within limit, outside a transaction, until the server has applied
	// what token names. What the connection has seen before costs no round trip.
	Reach(ctx context.Context, token string, limit time.Duration) (Standing, error)
}

// PositionsOf returns the engine's, or an error that matches dialect.ErrUnsupported.
func PositionsOf(server dialect.Server, e Engine) (Positions, error) {
	if err := server.Require(dialect.Replicas); err != nil {
		return nil, err
	}
	p, ok := e.(Positions)
	if !ok {
		return nil, &dialect.UnsupportedError{Server: server, Feature: dialect.Replicas.String()}
	}
	return p, p.Leaves()
}
