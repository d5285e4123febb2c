package migrations

import (
	"encoding/json"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"github.com/uptrace/bun"

	"github.com/holdfast-go/holdfast/internal/testserver"
	"github.com/holdfast-go/holdfast/models"
	"github.com/holdfast-go/holdfast/orm"
)

// everyField has a field for each line of the table in docs/migrations.md, in its order.
type everyField struct {
	bun.BaseModel `bun:"table:every_field"`
	models.AutoID
	Key      uuid.UUID
	Text     string
	Word     string `bun:"type:varchar(80)"`
	Whole    int
	Half     int32
	Quarter  int16
	Flag     bool
	Real     float64
	Bytes    []byte `bun:",notnull"`
	At       time.Time
	Day      models.Date
	Document json.RawMessage `bun:",notnull"`
	Price    string          `bun:"type:decimal(10,2)"`
}

var (
	columnTable = regexp.MustCompile(`(?s)<!-- columns -->\n\|.*?\n\|.*?\n(.*?)\n<!-- /columns -->`)
	collation   = map[testserver.Engine]*regexp.Regexp{
		testserver.MySQL:   regexp.MustCompile("`(CHARACTER SET utf8mb4 COLLATE \\w+)` on MySQL"),
		testserver.MariaDB: regexp.MustCompile("`(CHARACTER SET utf8mb4 COLLATE \\w+)` on MariaDB"),
	}
)

// A table whose columns are those of the page is the model's, and takes its rows.
func TestS26_TheColumnsOfThePage(t *testing.T) {
	page, err := os.ReadFile("../../docs/migrations.md")
	require.NoError(t, err)
	found := columnTable.FindSubmatch(page)
	require.NotNil(t, found, "the page has no table of columns")
	lines := strings.Split(string(found[1]), "\n")
	names := []string{"id", "key", "text", "word", "whole", "half", "quarter", "flag", "real", "bytes", "at", "day", "document", "price"}
	require.Len(t, lines, len(names))
	testserver.Each(t, func(t *testing.T, at testserver.Database) {
		ctx := t.Context()
		db, err := open(ctx, at.Engine, at.DSN)
		require.NoError(t, err)
		defer func() { require.NoError(t, db.Close()) }()
		quote, in, suffix := `"`, 2, ""
		switch at.Engine {
		case testserver.MySQL, testserver.MariaDB:
			quote, in = "`", 3
			of := collation[at.Engine].FindSubmatch(page)
			require.NotNil(t, of, "the page has no collation")
			suffix = " " + string(of[1])
		case testserver.SQLite:
			in = 4
		}
		var columns []string
		for i, line := range lines {
			column := quote + names[i] + quote + " " + strings.Trim(strings.Split(line, "|")[in], " `")
			if i > 0 && names[i] != "day" {
				column += " NOT NULL"
			}
			columns = append(columns, column)
		}
		_, err = db.Exec(ctx, "CREATE TABLE every_field ("+strings.Join(columns, ", ")+")"+suffix)
		require.NoError(t, err)
		require.NoError(t, orm.Check(ctx, db, (*everyField)(nil)))
		row := everyField{Key: uuid.New(), Text: "a", Word: "b", Whole: 1 << 40, Half: 1 << 20, Quarter: 1 << 10, Flag: true, Real: 1.5, Bytes: []byte{0, 1},
			At: time.Now().UTC().Truncate(time.Microsecond), Day: models.Date{Year: 2026, Month: time.May, Day: 1}, Document: json.RawMessage(`{"a": [1]}`), Price: "12.50"}
		require.NoError(t, orm.Objects[everyField](db).Create(ctx, &row))
		back, err := orm.Objects[everyField](db).Find(ctx, row.ID)
		require.NoError(t, err)
		require.JSONEq(t, string(row.Document), string(back.Document))
		back.Document = row.Document
		require.Equal(t, &row, back)
	})
}
