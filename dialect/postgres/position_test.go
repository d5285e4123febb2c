package postgres

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/internal/backend"
)

func TestR04_TokensOfPostgreSQL(t *testing.T) {
	p, err := parseHere("7713213311216947805 2 1/3445AA0 8192 16777216")
	require.NoError(t, err)
	assert.Equal(t, "pg-7713213311216947805-2-4349778592", p.String())
	q, err := parsePosition(p.String())
	require.NoError(t, err)
	assert.Equal(t, p, q)
	for _, token := range []string{"", "pg-", "pg-1-2", "pg-1-2-3-4", "pg-x-1-1", "pg-1-4294967296-1", "pg-1-1-18446744073709551616", " pg-1-1-1", "pg-1-1-1\n"} {
		_, err := parsePosition(token)
		assert.Error(t, err, token)
	}
	for _, answer := range []string{"", "1 2", "1 x 0/0", "1 2 0", "1 2 0/100000000"} {
		_, err := parseHere(answer)
		assert.Error(t, err, answer)
	}
}

// The place of the next record may be behind headers that come first.
func TestR03_ThePlaceBehindAFullPage(t *testing.T) {
	const block, segment = 8192, 16 << 20
	for place, want := range map[uint64]uint64{
		segment + 100:        segment + 100,
		segment + 40:         segment,
		segment + 24:         segment + 24, // never: the header is longer there
		segment + block + 24: segment + block,
		segment + block + 40: segment + block + 40, // a record's end
		segment + block:      segment + block,
	} {
		assert.Equal(t, want, beforeHeader(place, block, segment), "%x", place)
	}
}

func TestR06_HistoriesOfPostgreSQL(t *testing.T) {
	e := &engine{}
	at := position{"1", 2, 100}
	for q, want := range map[position]bool{
		{"1", 2, 100}: true, {"1", 2, 99}: true, {"1", 1, 100}: true,
		{"1", 2, 101}: false, {"1", 3, 50}: false, {"2", 2, 50}: false,
	} {
		assert.Equal(t, want, at.contains(q), q)
	}
	for _, c := range []struct{ token, later, want string }{
		{"pg-1-1-5", "pg-1-1-9", "pg-1-1-9"},
		{"pg-1-1-9", "pg-1-1-5", "pg-1-1-9"},
		{"pg-1-2-5", "pg-1-1-9", "pg-1-2-5"},
		{"pg-1-1-9", "pg-1-2-5", "pg-1-2-5"},
		{"pg-1-1-9", "pg-2-1-5", "pg-2-1-5"},
		{"nonsense", "pg-2-1-5", "pg-2-1-5"},
	} {
		assert.Equal(t, c.want, e.Join(c.token, c.later), c)
	}
}

// A writer answers with the token only if its log has come that far, in the history that
// it writes; else with one for where it is, whatever it was told along with a COMMIT before.
func TestR05_AWriterWithoutTheToken(t *testing.T) {
	t.Parallel()
	eachWay(t, func(t *testing.T, opts ...Option) {
		w := take(t, open(t, fresh(t, items).DSN, opts...)).(backend.PositionTeller)
		renew := func(token string) (string, position) {
			got, err := w.Renew(t.Context(), token)
			require.NoError(t, err)
			p, err := parsePosition(got)
			require.NoError(t, err)
			return got, p
		}
		first, at := renew("")
		got, _ := renew(first)
		require.Equal(t, first, got)

		token := func(cluster string, timeline uint32, lsn uint64) string {
			return position{cluster, timeline, lsn}.String()
		}
		for name, token := range map[string]string{
			"made up":         token(at.cluster, at.timeline, at.lsn+1<<40),
			"another server":  token("1", at.timeline, at.lsn),
			"of before":       token(at.cluster, at.timeline-1, at.lsn),
			"of a later time": token(at.cluster, at.timeline+1, at.lsn),
			"nonsense":        "mysql-1",
		} {
			got, p := renew(token)
			require.NotEqual(t, token, got, name)
			require.True(t, p.contains(at) && p.lsn < at.lsn+1<<40, fmt.Sprint(name, ": ", got))
		}

		_ = w.Tell(true)
		execAfter(t, w.(backend.Wire), begin, `INSERT INTO item VALUES (1, 'a')`)
		require.NoError(t, w.(backend.Wire).Commit(t.Context(), nil)) // its answer is left lying
		_ = execAfter(t, w.(backend.Wire), nil, `INSERT INTO item SELECT n, 'a' FROM generate_series(2, 9) n`)
		written := one(t, w.(backend.Wire), `SELECT (pg_current_wal_insert_lsn() - '0/0')::bigint - 100`).(int64)
		_, p := renew("")
		require.Greater(t, p.lsn, uint64(written))
	})
}
