package dialect

import (
	"context"
	"io"
)

// Source says how to reach a database: orm.Open takes one. mysql.Open,
// postgres.Open and sqlite.Open return one, and so does From of each, for a pool
// that the application has opened itself.
//
// It is a seam inside the library, without promises: nobody else implements it.
type Source interface {
	// Connect opens the pool, asks the server who it is and checks that its
	// version is one that Holdfast supports. It returns an *OpenError, which
	// names the setting at fault and never holds a password.
	Connect(ctx context.Context) (io.Closer, error)
}
