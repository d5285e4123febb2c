package clusters

import (
	"context"
	"fmt"
	"strings"

	"github.com/stretchr/testify/assert"

	"github.com/holdfast-go/holdfast/atomic"
)

// What the server says holds names, and the values of no statement.
func vitessMessages(b *bed) {
	ctx := b.t.Context()
	db := b.on(b.Nodes[0])
	b.arrange("CREATE TABLE said (id BIGINT PRIMARY KEY, word VARCHAR(10) UNIQUE, n INT NOT NULL, day DATE, CHECK (n < 1000000000))",
		"CREATE TABLE child (id BIGINT PRIMARY KEY, said BIGINT, FOREIGN KEY (said) REFERENCES said (id))",
		"INSERT INTO said VALUES (1, 's3cret', 1, NULL)")
	const number, word = 987654321, "s3cret"
	long := strings.Repeat(word, 10)
	for _, wrong := range []struct {
		text string
		args []any
	}{
		{"INSERT INTO said (id, word, n) VALUES (?, ?, 1)", []any{number, word}},
		{"INSERT INTO said (id, word, n) VALUES (?, ?, 1)", []any{number, long}},
		{"INSERT INTO said (id, word, n) VALUES (?, ?, NULL)", []any{number, "a"}},
		{"INSERT INTO said (id, word, n) VALUES (?, ?, ?)", []any{number, "a", word}},
		{"INSERT INTO said (id, word, n) VALUES (2, 'b', ?)", []any{number * 1000}},
		{"INSERT INTO said (id, word, n) VALUES (2, 'b', ?)", []any{number + 1000000000}},
		{"INSERT INTO said (id, word, n, day) VALUES (2, 'b', 1, ?)", []any{word}},
		{"INSERT INTO child VALUES (1, ?)", []any{number}},
		{"INSERT INTO missing VALUES (?, ?)", []any{number, word}},
		{"SELECT nonsense, ? FROM said WHERE id = ?", []any{word, number}},
		{"SELECT (SELECT id FROM said UNION SELECT ?)", []any{number}},
		{"SELEC ?, ?", []any{word, number}},
		{"SELECT ? FROM", []any{word}},
		{"SELECT no_such_function(?, ?)", []any{word, number}},
		{"UPDATE said SET n = n - ?, word = ? WHERE n - CAST(? AS UNSIGNED) > 0", []any{number, word, uint64(number)}},
		{"KILL ?", []any{number}},
		{"SET no_such_variable = ?", []any{word}},
		{"CALL no_such_procedure(?)", []any{word}},
	} {
		err := atomic.Do(ctx, db, func(ctx context.Context) error {
			_, err := db.Exec(ctx, wrong.text, wrong.args...)
			return err
		})
		if !assert.Error(b.t, err, wrong.text) {
			continue
		}
		b.t.Logf("%s: %v", wrong.text, err)
		for _, value := range []string{word, fmt.Sprint(number), "BindVars", "CallerID"} {
			assert.NotContains(b.t, err.Error(), value, wrong.text)
		}
	}
}
