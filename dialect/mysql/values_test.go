package mysql

import (
	"database/sql/driver"
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/holdfast-go/holdfast/internal/backend"
	"github.com/holdfast-go/holdfast/internal/testserver"
)

// TestS01: a value comes back as it was sent, or an error says that it cannot
// be stored; in every sql_mode, as text and prepared.
func TestS01_ValuesAreStoredUnchangedOrRefused(t *testing.T) {
	each(t, func(t *testing.T, db testserver.Database) {
		admin(t, db, "CREATE TABLE item (id INT AUTO_INCREMENT PRIMARY KEY, txt VARCHAR(200) CHARACTER SET utf8mb4, "+
			"bin VARBINARY(200), old VARCHAR(200) CHARACTER SET latin1)")
		values := []any{
			"", "plain", "nul\x00in\x00the middle", "\x00", "한국어 🎧", "q'\"\\%_`;?", "a\r\n\t\x1ab", "\\", "'",
			"bad\xff", "\xff\xfe", "cut\xc3", "\xf0\x9f\x98", "\xed\xa0\x80", "caf\xe9",
			[]byte{}, []byte("bad\xff\x00\\'\""), []byte{0, 1, 2, 255},
		}
		for _, mode := range modes {
			for _, binding := range []string{"true", "false"} {
				w := take(t, open(t, with(inMode(db.DSN, mode), "interpolateParams="+binding)))
				for _, value := range values {
					for _, column := range []string{"txt", "bin", "old"} {
						_, isBytes := value.([]byte)
						if isBytes && column == "old" {
							continue // bytes are not a text, and are kept as they are
						}
						res, err := w.Exec(t.Context(), []string{"BEGIN"}, "INSERT INTO item ("+column+") VALUES (?)", []any{value})
						if err == nil {
							id, err := res.LastInsertId()
							require.NoError(t, err)
							want := value
							if b, ok := value.([]byte); ok {
								want = string(b)
							}
							require.Equal(t, []string{want.(string)}, ask(t, w, "SELECT "+column+" FROM item WHERE id = ?", id),
								"mode %q, interpolation %s, column %s", mode, binding, column)
						}
						require.NoError(t, w.Rollback(t.Context(), nil))
						if column == "bin" && (isBytes || binding == "true") {
							require.NoError(t, err, "%q", value)
						}
					}
				}
			}
		}
	})
}

func TestWhatMySQLCannotHoldIsNotSent(t *testing.T) {
	each(t, func(t *testing.T, db testserver.Database) {
		w := take(t, open(t, db.DSN))
		for _, value := range []any{
			math.NaN(), math.Inf(1), math.Inf(-1), float32(math.Inf(1)),
			time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(0, 1, 1, 0, 0, 0, 0, time.UTC),
			time.Date(9999, 12, 31, 23, 59, 59, 0, time.FixedZone("", -3600)),
		} {
			err := refused(t, w, []string{"BEGIN"}, "SELECT ?", value)
			var unsent *backend.NotSentError
			require.ErrorAs(t, err, &unsent)
			require.False(t, unsent.Closed)
			require.ErrorContains(t, err, "argument 1")
			require.False(t, w.Used())
		}
	})
}

// TestS04: a time is the same instant on its way in and out, truncated to what
// the server keeps.
func TestS04_TimesAreInstants(t *testing.T) {
	each(t, func(t *testing.T, db testserver.Database) {
		admin(t, db, "CREATE TABLE item (d DATETIME(6), s TIMESTAMP(6) NULL)")
		for _, binding := range []string{"true", "false"} {
			w := take(t, open(t, with(db.DSN, "interpolateParams="+binding)))
			require.Equal(t, []string{"+00:00"}, ask(t, w, "SELECT @@SESSION.time_zone"))
			seoul := time.FixedZone("KST", 9*3600)
			for _, at := range []time.Time{
				time.Date(2024, 2, 29, 23, 59, 59, 999_999_999, seoul),
				time.Date(2024, 3, 31, 2, 30, 0, 0, time.UTC), // skipped by summer time in Europe
				time.Date(2037, 1, 1, 0, 0, 0, 1000, time.UTC),
			} {
				exec(t, w, []string{"BEGIN"}, "INSERT INTO item VALUES (?, ?)", at, at)
				rows, err := w.Query(t.Context(), nil, "SELECT d, s FROM item", nil)
				require.NoError(t, err)
				dest := make([]driver.Value, 2)
				require.NoError(t, rows.Next(dest))
				for _, got := range dest {
					require.IsType(t, time.Time{}, got)
					require.True(t, got.(time.Time).Equal(at.Truncate(time.Microsecond)), "%v %v", got, at)
				}
				require.NoError(t, rows.Close())
				require.NoError(t, w.Rollback(t.Context(), nil))
			}
		}
	})
}

// Any text and any bytes survive the way there and back, in every sql_mode.
func TestAnyValueSurvives(t *testing.T) {
	each(t, func(t *testing.T, db testserver.Database) {
		var wires []backend.Wire
		for _, mode := range modes {
			wires = append(wires, take(t, open(t, inMode(db.DSN, mode))))
		}
		rapid.Check(t, func(r *rapid.T) {
			text, raw := rapid.String().Draw(r, "text"), rapid.SliceOf(rapid.Byte()).Draw(r, "bytes")
			number := rapid.Int64().Draw(r, "number")
			for _, w := range wires {
				rows, err := w.Query(t.Context(), nil, "SELECT ? AS a, ? AS b, ? AS c", []any{text, raw, number})
				require.NoError(r, err)
				dest := make([]driver.Value, 3)
				require.NoError(r, rows.Next(dest))
				require.Equal(r, text, string(dest[0].([]byte)))
				require.Equal(r, string(raw), string(dest[1].([]byte)))
				require.Equal(r, number, dest[2])
				require.NoError(r, rows.Close())
			}
		})
	})
}

// A value that is larger than a packet goes in pieces, or is refused with the
// name of the setting; the connection is as good as before.
func TestALargeValue(t *testing.T) {
	each(t, func(t *testing.T, db testserver.Database) {
		small := open(t, with(db.DSN, "maxAllowedPacket=100000"))
		w := take(t, small)
		large := make([]byte, 90_000)
		exec(t, w, []string{"BEGIN"}, "DO LENGTH(?) + LENGTH(?)", large, large) // by PREPARE
		require.NoError(t, w.Commit(t.Context(), nil))

		huge := "DO '" + string(make([]byte, 200_000)) + "'"
		err := refused(t, w, []string{"BEGIN"}, huge)
		var unsent *backend.NotSentError
		require.ErrorAs(t, err, &unsent)
		require.False(t, unsent.Closed)
		require.ErrorContains(t, err, "max_allowed_packet")
		require.True(t, w.Idle())
		require.Equal(t, []string{"1"}, ask(t, w, "SELECT 1"))
	})
}
