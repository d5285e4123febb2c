package tests

import (
	"context"
	"fmt"
	"io"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/uptrace/bun"

	"github.com/holdfast-go/holdfast/atomic"
	"github.com/holdfast-go/holdfast/dialect"
	"github.com/holdfast-go/holdfast/internal/backend"
	"github.com/holdfast-go/holdfast/internal/block"
	"github.com/holdfast-go/holdfast/internal/proxy"
	"github.com/holdfast-go/holdfast/models"
	"github.com/holdfast-go/holdfast/orm"
	"github.com/holdfast-go/holdfast/query"
	"github.com/holdfast-go/holdfast/tests/testdb"
)

// The tests of locks (section 4 of the design) lock rows of these. Project has
// an owner or none.
type Owner struct {
	models.AutoID
	Name string
}

type Project struct {
	bun.BaseModel `bun:"table:project"`
	models.AutoID
	Name    string
	OwnerID *int64
	Owner   *Owner `bun:"rel:belongs-to,join:owner_id=id"`
}

type Audio struct {
	bun.BaseModel `bun:"table:audio"`
	models.AutoID
	models.Timestamps
	ProjectID       int64
	UserID          int64
	Index           int
	Text            string
	Speed           float64
	Path            *string
	IsAudioRequired bool
	Project         *Project `bun:"rel:belongs-to,join:project_id=id"`
}

// studio is a database with audio rows 1 to 4 of the projects 1, 1, 2 and 2.
type studio struct {
	testdb.Database
	*orm.DB
	t     *testing.T
	proxy *proxy.Proxy // nil for SQLite
	wires *wires       // SQLite's network
}

// eachStudio runs a test on each engine, or on those given. What the library
// sends to a server goes through a proxy.
func eachStudio(t *testing.T, test func(t *testing.T, s *studio), engines ...testdb.Engine) {
	t.Helper()
	t.Parallel()
	testdb.Each(t, func(t *testing.T, at testdb.Database) { test(t, openStudio(t, at)) }, engines...)
}

func openStudio(t *testing.T, at testdb.Database, opts ...orm.Option) *studio {
	t.Helper()
	s := &studio{Database: at, t: t}
	from := testdb.Source(at.Engine, at.DSN)
	if at.Engine == testdb.SQLite {
		from = noting{from, s}
	} else {
		s.proxy = proxy.New(t, at.Addr)
		from = testdb.Source(at.Engine, at.Via(s.proxy.Addr()))
	}
	var err error
	s.DB, err = orm.Open(t.Context(), from, opts...)
	require.NoError(t, err)
	t.Cleanup(func() {
		unused(t, block.Of(s).Database().Pool)
		require.NoError(t, s.Close())
	})
	ctx := t.Context()
	require.NoError(t, orm.CreateTables(ctx, s.DB, (*Owner)(nil), (*Project)(nil), (*Audio)(nil)))
	projects := []*Project{{Name: "Radio"}, {Name: "Film"}}
	require.NoError(t, orm.Objects[Project](s.DB).BulkCreate(ctx, projects))
	for i, project := range projects {
		s.number("project", &project.ID, i+1)
	}
	for i := range 4 {
		row := &Audio{ProjectID: projects[i/2].ID, Index: i + 1, Text: fmt.Sprint("line ", i+1), IsAudioRequired: true}
		require.NoError(t, orm.Objects[Audio](s.DB).Create(ctx, row))
		s.number("audio", &row.ID, i+1)
	}
	return s
}

// number gives a new row this key. The nodes of a cluster leave gaps between theirs,
// so as not to be in each other's way.
func (s *studio) number(table string, id *int64, want int) {
	s.t.Helper()
	if *id == int64(want) {
		return
	}
	_, err := s.Admin.ExecContext(s.t.Context(), fmt.Sprintf("UPDATE %s SET id = %d WHERE id = %d", table, want, *id))
	require.NoError(s.t, err)
	*id = int64(want)
}

// noting is a source whose statements are noted.
type noting struct {
	dialect.Source
	studio *studio
}

// Connect implements dialect.Source.
func (n noting) Connect(ctx context.Context) (io.Closer, error) {
	db, err := backend.Connect(ctx, n.Source)
	if err != nil {
		return nil, err
	}
	n.studio.wires = newWires(db.Engine)
	db.Engine = struct {
		*wires
		backend.AdvisoryLocker
	}{n.studio.wires, db.Engine.(backend.AdvisoryLocker)}
	return db, nil
}

func (s *studio) audio() orm.QuerySet[Audio] { return orm.Objects[Audio](s.DB).OrderBy("id") }

// row is the audio row with this id.
func (s *studio) row(id int) orm.QuerySet[Audio] { return s.audio().Filter(query.F("id").Eq(id)) }

// lockedBy locks rows in a block, and returns what was locked and the error of
// the block.
func lockedBy(ctx context.Context, s *studio, q orm.QuerySet[Audio], opts ...atomic.Option) (ids []int64, err error) {
	err = atomic.Do(ctx, s, func(ctx context.Context) error {
		rows, err := q.All(ctx)
		for _, row := range rows {
			ids = append(ids, row.ID)
		}
		return err
	}, opts...)
	return ids, err
}

// quiet requires that nothing reaches the server while f runs.
func (s *studio) quiet(what string, f func()) {
	s.t.Helper()
	if s.proxy == nil {
		s.wires.take()
		f()
		require.Empty(s.t, s.wires.take(), what)
		return
	}
	traffic := s.proxy.During(f)
	require.Zero(s.t, traffic, what)
}

// rival is another program's transaction in which the statements have run.
func (s *studio) rival(statements ...string) *rival {
	s.t.Helper()
	r := (&database{Database: s.Database, t: s.t}).rival()
	r.exec(statements...)
	return r
}

// end rolls the rival's transaction back.
func (r *rival) end() { r.t.Helper(); r.exec("ROLLBACK") }

// holdAudio is a rival's statement that locks one row of audio, or all of an
// SQLite database.
func holdAudio(id int) string { return fmt.Sprintf("UPDATE audio SET speed = 2 WHERE id = %d", id) }

func holdProject(id int) string {
	return fmt.Sprintf("UPDATE project SET name = 'theirs' WHERE id = %d", id)
}

// isLocked tries, as another program, to lock a row.
func (s *studio) isLocked(table string, id int) bool {
	s.t.Helper()
	conn, err := s.Admin.Conn(context.Background())
	require.NoError(s.t, err)
	defer func() { _ = conn.Close() }()
	try := func(statement string) error {
		_, err := conn.ExecContext(context.Background(), statement)
		return err
	}
	if s.Engine == testdb.SQLite {
		require.NoError(s.t, try("PRAGMA busy_timeout = 0"))
		err = try("BEGIN IMMEDIATE")
		if err == nil {
			require.NoError(s.t, try("ROLLBACK"))
		}
	} else {
		require.NoError(s.t, try("BEGIN"))
		err = try(fmt.Sprintf("SELECT id FROM %s WHERE id = %d FOR UPDATE NOWAIT", table, id))
		require.NoError(s.t, try("ROLLBACK"))
	}
	if err == nil {
		return false
	}
	require.ErrorIs(s.t, block.Of(s).Database().Engine.Classify(err), dialect.ErrLockNotAvailable)
	return true
}

// holding runs a block in a goroutine until end is called, which returns its
// error. It returns once fn has done its work in it.
func (s *studio) holding(fn func(ctx context.Context) error, opts ...atomic.Option) (end func() error) {
	s.t.Helper()
	ready, release, done := make(chan struct{}), make(chan struct{}), make(chan error, 1)
	go func() {
		done <- atomic.Do(s.t.Context(), s, func(ctx context.Context) error {
			if err := fn(ctx); err != nil {
				return err
			}
			close(ready)
			<-release
			return nil
		}, opts...)
	}()
	select {
	case <-ready:
	case err := <-done:
		require.FailNow(s.t, "the block ended", "%v", err)
	case <-time.After(patience):
		require.FailNow(s.t, "the block does not begin")
	}
	ended := false
	end = func() error {
		if ended {
			return nil
		}
		ended = true
		close(release)
		return soon(s.t, "the holding block ends", done)
	}
	s.t.Cleanup(func() { _ = end() })
	return end
}

// audioRow is a row of which only the key is known.
func audioRow(id int64) *Audio {
	row := &Audio{}
	row.ID = id
	return row
}
