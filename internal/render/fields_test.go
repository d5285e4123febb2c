package render_test

import (
	"database/sql"
	"database/sql/driver"
	"encoding/json"
	"math"
	"net"
	"net/netip"
	"reflect"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/uptrace/bun"

	"github.com/holdfast-go/holdfast/dialect"
	"github.com/holdfast-go/holdfast/internal/ast"
	"github.com/holdfast-go/holdfast/internal/column"
	"github.com/holdfast-go/holdfast/internal/render"
	"github.com/holdfast-go/holdfast/query"
)

// money speaks to the driver by way of its pointer.
type money struct{ cents int64 }

func (m *money) Value() (driver.Value, error) { return m.cents, nil }

// tags speaks to the driver, and may be nil.
type tags map[string]bool

func (tags) Value() (driver.Value, error) { return "tagged", nil }

// twice is a Valuer that returns another.
type twice struct{}

func (twice) Value() (driver.Value, error) { return twice{}, nil }

// frail panics for its zero value.
type frail struct{ n *int }

func (f frail) Value() (driver.Value, error) { return int64(*f.n), nil }

type inner struct{ Depth *int }

// everything has a column of each kind.
type everything struct {
	ID       int64 `bun:",pk"`
	Time     time.Time
	Null     bun.NullTime
	Raw      json.RawMessage
	IP       net.IP
	Addr     netip.Addr
	Network  *net.IPNet
	Money    money
	MoneyPtr *money
	Tags     tags
	Frail    frail
	Name     sql.NullString
	Any      any
	Bytes    []byte
	Fixed    [2]byte
	JSON     string         `bun:"type:json"`
	JSONB    []byte         `bun:"type:jsonb"`
	JSONPtr  *string        `bun:"type:json"`
	Document map[string]int `bun:"type:jsonb"`
	Own      int            `bun:"type:xyz"`
	Zero     int            `bun:",nullzero"`
	List     []int64        `bun:",array"`
	Flag     bool
	Unsigned uint64
	Ratio    float32
	*inner
}

func TestFieldsAreBoundByTheirTypes(t *testing.T) {
	text := `{"a":1}`
	row := everything{
		Time: noon, Null: bun.NullTime{Time: noon}, Raw: json.RawMessage(`[1]`), IP: net.IPv4(1, 2, 3, 4), Addr: netip.MustParseAddr("::1"),
		Network: &net.IPNet{IP: net.IPv4(10, 0, 0, 0), Mask: net.CIDRMask(8, 32)}, Money: money{5}, MoneyPtr: &money{6}, Tags: tags{},
		Frail: frail{new(int)}, Name: sql.NullString{String: "x", Valid: true}, Any: 5, Bytes: []byte{1}, Fixed: [2]byte{1, 2},
		JSON: text, JSONB: []byte(text), JSONPtr: &text, Document: map[string]int{"a": 1}, Own: 3, Zero: 4, List: []int64{1},
		Flag: true, Unsigned: 1 << 63, Ratio: 0.5, inner: &inner{new(int)},
	}
	wire := noon.UTC().Truncate(time.Microsecond)
	full := []any{int64(0), wire, wire, "[1]", "1.2.3.4", "::1", "10.0.0.0/8", int64(5), int64(6), "tagged", int64(0), "x", "5",
		[]byte{1}, []byte{1, 2}, text, text, text, text, int64(3), int64(4), "[1]", true, uint64(1 << 63), 0.5, int64(0)}
	empty := []any{int64(0), time.Time{}, nil, nil, nil, nil, nil, int64(0), nil, nil, nil, nil, nil,
		nil, []byte{0, 0}, "0", nil, nil, nil, int64(0), nil, nil, false, int64(0), 0.0, nil}
	for _, s := range engines {
		m := modelOf[everything](t, s)
		for row, want := range map[*everything][]any{&row: full, {JSON: "0"}: empty} {
			for i, f := range m.Fields {
				if row.Frail.n == nil && f.Name == "frail" {
					continue // it panics
				}
				expected := want[i]
				if s.Engine == dialect.Postgres && f.Name == "list" && expected != nil {
					expected = []int64{1} // its driver takes slices
				}
				v, err := f.Value(reflect.ValueOf(row).Elem())
				if n, large := expected.(uint64); large && f.Column.Kind == column.Integer && !f.Column.Unsigned {
					require.ErrorContains(t, err, "is out of the range of the column", "%s %d", s.Engine, n)
					continue
				}
				require.NoError(t, err)
				require.Equal(t, expected, v, "%s %s", s.Engine, f)
			}
		}
	}
	m := modelOf[everything](t, engines[0])
	var nullable []string
	for _, f := range m.Fields {
		if f.Nullable {
			nullable = append(nullable, f.Name)
		}
	}
	require.Equal(t, []string{"null", "raw", "ip", "addr", "network", "money_ptr", "tags", "name", "any", "bytes", "jsonb", "json_ptr",
		"document", "zero", "list", "depth"}, nullable)
}

func TestModelsWithTagsThatAreNotSupported(t *testing.T) {
	models, err := render.NewModels(engines[0], schemaOf(engines[0].Engine))
	require.NoError(t, err)
	for want, model := range map[string]any{
		"msgpack, composite, hstore and multirange are not supported": struct {
			ID int64          `bun:",pk"`
			M  map[string]int `bun:",msgpack"`
		}{},
		"chan int cannot be stored": struct {
			ID int64 `bun:",pk"`
			C  chan int
		}{},
	} {
		for range 2 { // the second time from memory
			_, err := models.Of(reflect.TypeOf(model))
			require.ErrorContains(t, err, want)
		}
	}
}

func TestValuesThatCannotBeBound(t *testing.T) {
	for _, c := range []struct {
		in   any
		want string
	}{
		{twice{}, "its Value returns render_test.twice"},
		{angry{}, "cannot be bound: its Value method returns an error"},
		{func() {}, "cannot be stored"},
		{map[string]any{"a": make(chan int)}, "cannot be written as JSON: it has a chan int in it"},
		{query.Set("a", 1), "is a part of a statement and not a value"},
		{sql.Named("n", query.F("a")), "is a part of a statement and not a value"},
	} {
		_, err := render.Bind(c.in)
		var ve *query.ValueError
		require.ErrorAs(t, err, &ve)
		require.ErrorContains(t, err, c.want)
	}
}

func TestAssignmentsToWholeNumbers(t *testing.T) {
	for _, s := range engines {
		st, err := update(t, s, []query.Assignment{query.Set("index", 3.0), query.Set("path", nil)})
		require.NoError(t, err)
		require.Equal(t, []any{int64(3), nil}, st.Args)
		for _, bad := range []float64{1.5, 1e300, math.NaN()} {
			_, err = update(t, s, []query.Assignment{query.Set("index", bad)})
			require.ErrorContains(t, err, "Audio.index: a value of type float64 is no whole number")
		}
	}
}

func TestAssignmentsThatAreRefused(t *testing.T) {
	for want, set := range map[string][]query.Assignment{
		"is assigned twice":                   {query.Set("index", 1), query.Set("index", 2)},
		"is in another table":                 {query.Set("project.name", "")},
		"is in another table, which an":       {query.Set("index", query.F("project.id"))},
		"an expression is empty":              {query.TypedColumn[Audio, int]{}.Set(1)},
		`Audio has no field "nothing"`:        {query.Set("nothing", 1)},
		"Update without an assignment":        nil,
		"Audio.text: a value of type int can": {query.Set("text", 1)},
	} {
		for _, s := range engines {
			_, err := update(t, s, set)
			require.ErrorContains(t, err, want, s.Engine)
		}
	}
	exchange := []query.Assignment{query.Set("index", query.F("user_id")), query.Set("user_id", query.F("index"))}
	for _, s := range engines {
		if _, err := update(t, s, exchange); s.Engine == dialect.MySQL || s.Engine == dialect.MariaDB {
			require.ErrorContains(t, err, "exchanging the values of columns")
		} else {
			require.NoError(t, err)
		}
	}
}

// A value that a row's field was asked for is bound as it is.
func TestAssignmentsOfARow(t *testing.T) {
	for _, s := range engines {
		u := &render.Update{Model: modelOf[Owner](t, s)}
		name, err := u.Model.Field("name")
		require.NoError(t, err)
		u.Set = []render.Assignment{{Field: name, Value: []byte("as it is"), Bound: true}, {Field: u.Model.PKs[0], Value: query.F("id").Add(1).Node()}}
		st, err := u.Render()
		require.NoError(t, err)
		require.Equal(t, []any{[]byte("as it is"), int64(1)}, st.Args)
	}
}

// Node has paths that come back to its own table.
type Node struct {
	ID       int64 `bun:",pk"`
	ParentID *int64
	Parent   *Node `bun:"rel:belongs-to,join:parent_id=id"`
}

type keyless struct {
	bun.BaseModel `bun:"table:keyless"`
	NodeID        int64
	Node          *Node `bun:"rel:belongs-to,join:node_id=id"`
}

func TestTablesThatAreJoinedToThemselves(t *testing.T) {
	parent := []query.Cond{query.F("parent.id").Eq(1)}
	onEach(t, map[string]string{
		dialect.Postgres: "DELETE FROM nodes WHERE EXISTS (SELECT 1 FROM (SELECT 1) AS matching LEFT JOIN nodes AS parent ON parent.id = nodes.parent_id WHERE parent.id = $1)",
		dialect.MySQL: "DELETE FROM nodes WHERE (nodes.id) IN (SELECT id FROM (SELECT nodes.id FROM nodes LEFT JOIN nodes AS parent " +
			"ON parent.id = nodes.parent_id WHERE parent.id = ?) AS matching)",
	}, func(t *testing.T, s dialect.Server) (render.Text, error) {
		return (&render.Delete{Model: modelOf[Node](t, s), Where: nodes(parent)}).Render()
	})
	_, err := (&render.Delete{Model: modelOf[keyless](t, engines[1]), Where: nodes([]query.Cond{query.F("node.id").Eq(1)})}).Render()
	require.ErrorContains(t, err, "Keyless has no primary key")

	deep := "parent"
	for range 20 {
		deep += ".parent"
	}
	_, _, err = modelOf[Node](t, engines[0]).Rows(&ast.Select{Related: []string{deep}})
	require.ErrorContains(t, err, "begins a path over more than 16 relations")
	st, _, err := modelOf[Node](t, engines[3]).Rows(&ast.Select{Related: []string{deep[:len("parent.")*12-1]}})
	require.NoError(t, err)
	require.Contains(t, st.SQL, `AS "t11"`, "a name that PostgreSQL would cut off")
}

func TestLongListsAndTypedColumnsInAnUpdate(t *testing.T) {
	var index = query.Column(func(a *Audio) *int { return &a.Index })
	onEach(t, map[string]string{
		dialect.Postgres: "UPDATE audio SET index = $1 WHERE (audio.index NOT IN ($2, audio.user_id) AND audio.index IN ($3))",
	}, func(t *testing.T, s dialect.Server) (render.Text, error) {
		return update(t, s, []query.Assignment{index.Set(1)}, query.And(query.F("index").NotIn(1, query.F("user_id")), index.In(2)))
	})
	require.ErrorContains(t, whereError(t, query.F("id").In(1, angry{})), "its Value method returns an error")
}
