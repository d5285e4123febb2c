package sqlite

import (
	"context"
	"crypto/rand"
	"database/sql/driver"
	"io"

	"github.com/holdfast-go/holdfast/internal/backend"
)

// resolver finds out the fate of a transaction whose COMMIT ended with an I/O
// error: a row that it wrote is in the file or not. Every other COMMIT has an
// answer.
type resolver struct{}

// CommitsTable creates the table that ResolveCommit writes its marks to: one
// row for each transaction that asked for it. Rows older than anybody waits for
// an outcome can be deleted. It is created when it is first needed.
const CommitsTable = "CREATE TABLE IF NOT EXISTS holdfast_commits " +
	"(id TEXT PRIMARY KEY, committed_at TEXT NOT NULL) WITHOUT ROWID"

// Prepare implements backend.Resolver.
func (resolver) Prepare(_ context.Context, w backend.Wire, before []string) (token string, prefix []string, err error) {
	if own, ok := w.(*wire); ok && own.reading {
		return "", before, nil
	}
	token = rand.Text() // letters and digits, which may stand in the text
	return token, append(before,
		CommitsTable,
		"INSERT INTO holdfast_commits VALUES ('"+token+"', strftime('%Y-%m-%d %H:%M:%f000+00:00', 'now'))",
	), nil
}

// Outcome implements backend.Resolver.
func (resolver) Outcome(ctx context.Context, w backend.Wire, token string) (bool, error) {
	there, err := exists(ctx, w, "SELECT 1 FROM sqlite_master WHERE name = 'holdfast_commits'")
	if err != nil || !there {
		return false, err // without the table no such transaction has committed
	}
	return exists(ctx, w, "SELECT 1 FROM holdfast_commits WHERE id = ?", token)
}

func exists(ctx context.Context, w backend.Wire, query string, args ...any) (bool, error) {
	rows, err := w.Query(ctx, nil, query, args)
	if err != nil {
		return false, err
	}
	err = rows.Next(make([]driver.Value, 1))
	if closeErr := rows.Close(); err == nil && closeErr != nil {
		return false, closeErr
	}
	if err == io.EOF {
		return false, nil
	}
	return err == nil, err
}
