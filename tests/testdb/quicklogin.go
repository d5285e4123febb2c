package testdb

import (
	"context"
	"crypto/hmac"
	"crypto/pbkdf2"
	"crypto/sha256"
	"database/sql"
	"encoding/base64"
	"fmt"

	"github.com/holdfast-go/holdfast/tests/images"
)

// quickLogin stores PostgreSQL's password so that its client hashes once and not 4096
// times, which the race detector makes 30 ms of: there are thousands of connections in
// a run of the tests. What is stored has the form of RFC 5803, which every version takes
// in place of the password.
func quickLogin(ctx context.Context, dsn string) error {
	const iterations, salt = 1, "holdfast's tests"
	salted, err := pbkdf2.Key(sha256.New, images.Password, []byte(salt), iterations, sha256.Size)
	if err != nil {
		return err
	}
	stored := sha256.Sum256(keyed(salted, "Client Key"))
	text := base64.StdEncoding.EncodeToString
	verifier := fmt.Sprintf("SCRAM-SHA-256$%d:%s$%s:%s", iterations, text([]byte(salt)), text(stored[:]), text(keyed(salted, "Server Key")))
	pool, err := sql.Open("pgx", dsn)
	if err != nil {
		return err
	}
	defer func() { _ = pool.Close() }()
	_, err = pool.ExecContext(ctx, "ALTER ROLE postgres PASSWORD '"+verifier+"'")
	return err
}

func keyed(key []byte, text string) []byte {
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(text))
	return mac.Sum(nil)
}
