package clusters

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/atomic"
	"github.com/holdfast-go/holdfast/internal/proxy"
	"github.com/holdfast-go/holdfast/orm"
	"github.com/holdfast-go/holdfast/tests/testdb"
)

// A COMMIT gets lost, and the server crashes before anything of the transaction has
// reached its log on disk. It recovers, and gives the transaction's number to somebody
// else. A killed session is enough: the server then ends all others and recovers, and
// was not even started anew.
func TestB12_ResolveCommitAfterACrash(t *testing.T) {
	t.Parallel()
	b := newBed(t, testdb.Cluster(t, testdb.PostgresPair))
	ctx := t.Context()
	primary := b.Nodes[0]
	crashes := map[string]func(session string){
		"a session is killed": func(session string) {
			// Its own connection ends with all others.
			_ = primary.Run(ctx, b.name, "COPY (SELECT) TO PROGRAM 'kill -KILL "+session+"'")
		},
		"the server is killed": func(string) {
			require.NoError(t, primary.Kill(ctx))
			require.NoError(t, primary.Start(ctx))
		},
	}
	for _, marks := range []string{"with marks", "without marks"} {
		marked := marks == "with marks"
		if !marked {
			b.withoutMarks()
		}
		for name, crash := range crashes {
			t.Run(name+" "+marks, func(t *testing.T) {
				again := false
				for tries := 0; !again; tries++ {
					// The server's background may have written the number down in time.
					require.Less(t, tries, 5, "no number was given twice")
					var err error
					again, err = commitLostInACrash(b, crash)
					require.Error(t, err, "the transaction is not there")
					require.Equal(t, !marked, isUnknown(err), "%v", err)
					if marked {
						require.Equal(t, 1, b.number(primary, "SELECT count(*) FROM holdfast_commits WHERE committed_at IS NULL"), "it was asked for")
						require.NoError(t, primary.Run(ctx, b.name, "DELETE FROM holdfast_commits"))
					}
				}
			})
		}
	}
}

// commitLostInACrash returns whether somebody else's row has the number now, and what
// Do made of it.
func commitLostInACrash(b *bed, crash func(session string)) (again bool, err error) {
	primary, ctx := b.Nodes[0], b.t.Context()
	line := proxy.New(b.t, primary.Addr)
	db := b.open(strings.Replace(primary.DSN(b.name), primary.Addr, line.Addr(), 1), orm.WithCommitTimeout(30*time.Second))
	require.NoError(b.t, block(db, []string{"DELETE FROM t"}))
	var number, session string
	lost := line.On("COMMIT\x00", proxy.Strand) // and not the name of the table of marks
	done := going(func() error {
		return atomic.Do(context.WithoutCancel(ctx), db, func(ctx context.Context) error {
			if _, err := db.Exec(ctx, "INSERT INTO t VALUES (1, 1)"); err != nil {
				return err
			}
			line.Refuse(true) // no question before others have written
			return db.QueryRow(ctx, "SELECT pg_current_xact_id()::text, pg_backend_pid()::text").Scan(&number, &session)
		}, atomic.ResolveCommit())
	})
	<-lost.Hit()
	crash(session)
	require.Eventually(b.t, func() bool {
		return primary.Run(ctx, b.name, "DO $$ BEGIN FOR n IN 100..150 LOOP INSERT INTO t VALUES (n, n); COMMIT; END LOOP; END $$") == nil
	}, 30*time.Second, 50*time.Millisecond, "it recovers")
	lost.Release()
	line.Refuse(false)
	err = <-done
	require.Zero(b.t, b.number(primary, "SELECT count(*) FROM t WHERE id = 1"))
	require.NoError(b.t, db.Close())
	return b.number(primary, "SELECT count(*) FROM t WHERE xmin::text = '"+number+"'") == 1, err
}
