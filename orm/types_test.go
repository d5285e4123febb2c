package orm_test

import (
	"context"
	"encoding/json"
	"net"
	"net/netip"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/uptrace/bun"

	"github.com/holdfast-go/holdfast/dialect"
	"github.com/holdfast-go/holdfast/models"
	"github.com/holdfast-go/holdfast/orm"
	"github.com/holdfast-go/holdfast/query"
)

func TestS01_ValuesComeBackUnchanged(t *testing.T) {
	each(t, func(t *testing.T, ctx context.Context, db *orm.DB) {
		texts := []string{``, `'`, `\`, `\'; DROP TABLE owners; --`, `"`, "`", `?`, `$1`, `%s`, "a\nb\r\t\x1a", "한국어 🎧", " trailing "}
		if keepsNUL(db) {
			texts = append(texts, "nul\x00byte")
		}
		for _, text := range texts {
			o := &Owner{Name: text}
			require.NoError(t, orm.Objects[Owner](db).Create(ctx, o))
			got, err := orm.Objects[Owner](db).Filter(F("name").Eq(text)).Get(ctx)
			require.NoError(t, err, "%q", text)
			require.Equal(t, o, got)
			found, err := orm.Objects[Owner](db).Filter(F("id").Eq(o.ID), F("name").Like(`%`), F("name").Contains(text), F("name").StartsWith(text), F("name").EndsWith(text)).Exists(ctx)
			require.NoError(t, err)
			require.True(t, found, "%q", text)
		}
		if !keepsNUL(db) {
			require.ErrorAs(t, orm.Objects[Owner](db).Create(ctx, &Owner{Name: "nul\x00byte"}), new(*query.ValueError))
			_, err := orm.Objects[Owner](db).Filter(F("name").Eq("nul\x00byte")).Exists(ctx)
			require.Error(t, err)
		}
	})
}

// keepsNUL reports whether a text of the server may hold a NUL: PostgreSQL's cannot,
// and MariaDB before 10.11 takes two for equal that differ behind it.
func keepsNUL(db *orm.DB) bool {
	s := db.Server()
	return s.Engine != dialect.Postgres && (s.Engine != dialect.MariaDB || s.Version.AtLeast(10, 11, 0))
}

// SQLite's own patterns read a text up to its first NUL.
func TestS01_PatternsSeeTheWholeText(t *testing.T) {
	each(t, func(t *testing.T, ctx context.Context, db *orm.DB) {
		owners := orm.Objects[Owner](db)
		if !keepsNUL(db) {
			require.Error(t, owners.Create(ctx, &Owner{Name: "Ab\x00"}))
			return
		}
		for _, name := range []string{"Ab\x00cdE", "Ab", "x"} {
			require.NoError(t, owners.Create(ctx, &Owner{Name: name}))
		}
		for i, c := range []query.Cond{
			F("name").Contains("cd"), F("name").Contains("b\x00c"), F("name").IContains("CDe"), F("name").EndsWith("dE"), F("name").EndsWith("b\x00cdE"),
			F("name").StartsWith("Ab\x00"), F("name").Like("%cd%"), F("name").Like("%dE"), F("name").Like("Ab\x00cdE"), F("name").Like("Ab\x00%"),
			query.And(F("name").StartsWith("Ab"), F("name").Ne("Ab")), query.And(F("name").Like("A%"), query.Not(F("name").Like("Ab"))),
		} {
			n, err := owners.Filter(c).Count(ctx)
			require.NoError(t, err, i)
			require.EqualValues(t, 1, n, i)
			n, err = owners.Exclude(c).Count(ctx)
			require.NoError(t, err, i)
			require.EqualValues(t, 2, n, i)
		}
		n, err := owners.Filter(F("name").Like("A%d_")).Count(ctx)
		if db.Server().Engine == dialect.SQLite {
			require.ErrorContains(t, err, "a text holds a NUL, at which SQLite stops to compare it with a pattern")
		} else {
			require.NoError(t, err)
			require.EqualValues(t, 1, n)
		}
	})
}

type Everything struct {
	bun.BaseModel `bun:"table:everything"`
	models.AutoID
	Bool     bool
	I8       int8
	I16      int16
	I32      int32
	U8       uint8
	U32      uint32
	F32      float32
	F64      float64
	Str      string
	StrP     *string
	Bytes    []byte
	Time     time.Time
	TimeP    *time.Time
	NullTime bun.NullTime
	Zero     string         `bun:",nullzero"`
	Map      map[string]int `bun:",nullzero"`
	List     []string
	Struct   struct{ A, B int }
}

func TestTypesComeBackAsTheyWent(t *testing.T) {
	each(t, func(t *testing.T, ctx context.Context, db *orm.DB) {
		require.NoError(t, orm.CreateTables(ctx, db, (*Everything)(nil)))
		zone := time.FixedZone("KST", 9*3600)
		at := time.Date(2026, 3, 29, 2, 30, 0, 123456000, zone)
		str := "s"
		full := &Everything{
			Bool: true, I8: -128, I16: -32768, I32: -1 << 31, U8: 255, U32: 1<<32 - 1, F32: 0.1, F64: 0.1,
			Str: "x", StrP: &str, Bytes: []byte{0, 255, 39}, Time: at, TimeP: &at, NullTime: bun.NullTime{Time: at},
			Zero: "z", Map: map[string]int{"a": 1}, List: []string{"a", "b'"}, Struct: struct{ A, B int }{1, 2},
		}
		empty := &Everything{Time: start}
		require.NoError(t, orm.Objects[Everything](db).BulkCreate(ctx, []*Everything{full, empty}))
		got, err := orm.Objects[Everything](db).OrderBy("id").All(ctx)
		require.NoError(t, err)
		require.Len(t, got, 2)
		require.True(t, at.Equal(got[0].Time))
		require.Equal(t, time.UTC, got[0].Time.Location())
		full.Time, full.NullTime.Time = at.UTC(), at.UTC()
		utc := at.UTC()
		full.TimeP = &utc
		require.Equal(t, full, got[0])
		require.Equal(t, empty, got[1])

		_, err = db.Exec(ctx, "UPDATE everything SET str = NULL")
		require.ErrorIs(t, err, dialect.ErrNotNullViolation)
		for _, c := range []query.Cond{
			F("time").Eq(at), F("f64").Eq(0.1), F("bytes").Eq([]byte{0, 255, 39}), F("zero").Eq("z"), F("timep").Ge(at), F("u32").Gt(int64(1) << 31),
			F("null_time").IsNotNull(), F("strp").Eq(&str),
		} {
			n, err := orm.Objects[Everything](db).Filter(c).Count(ctx)
			require.NoError(t, err)
			require.EqualValues(t, 1, n, "%v", c)
		}
	})
}

// Papers holds JSON that the application has encoded itself, and a value that
// the library encodes.
type Papers struct {
	models.AutoID
	Text  string  `bun:"type:json"`
	TextP *string `bun:"type:json"`
	Bytes []byte  `bun:"type:json"`
	Any   any     `bun:"type:json"`
}

func TestJSONIsNotEncodedOnceMoreBySave(t *testing.T) {
	each(t, func(t *testing.T, ctx context.Context, db *orm.DB) {
		require.NoError(t, orm.CreateTables(ctx, db, (*Papers)(nil)))
		text := `[1, "a"]`
		for _, row := range []*Papers{
			{Text: `{"a": 1}`, TextP: &text, Bytes: []byte(`{"b": [true, null]}`), Any: map[string]any{"c": "d", "e": []any{1.5}}},
			{Text: `"x"`, Bytes: []byte(`{}`), Any: "a text"},
			{Text: `{}`},
		} {
			require.NoError(t, orm.Objects[Papers](db).Create(ctx, row))
			for range 3 {
				got, err := orm.Objects[Papers](db).Filter(F("id").Eq(row.ID)).Get(ctx)
				require.NoError(t, err)
				require.JSONEq(t, row.Text, got.Text)
				if row.TextP == nil {
					require.Nil(t, got.TextP)
				} else {
					require.JSONEq(t, *row.TextP, *got.TextP)
				}
				if row.Bytes == nil {
					require.Nil(t, got.Bytes)
				} else {
					require.JSONEq(t, string(row.Bytes), string(got.Bytes))
				}
				require.Equal(t, row.Any, got.Any)
				require.NoError(t, orm.Objects[Papers](db).Save(ctx, got))
			}
		}
	})
}

type Host struct {
	models.AutoID
	IP     net.IP
	Tagged net.IP `bun:"type:varchar(64)"`
	None   net.IP
	Net    net.IPNet
	Addr   netip.Addr
	AddrP  *netip.Addr
	Prefix netip.Prefix
}

func TestAddressesComeBackAsTheyWent(t *testing.T) {
	each(t, func(t *testing.T, ctx context.Context, db *orm.DB) {
		require.NoError(t, orm.CreateTables(ctx, db, (*Host)(nil)))
		_, network, err := net.ParseCIDR("10.1.0.0/16")
		require.NoError(t, err)
		addr := netip.MustParseAddr("fe80::1")
		host := &Host{
			IP: net.IPv4(1, 2, 3, 4), Tagged: net.ParseIP("2001:db8::1"), Net: *network,
			Addr: addr, AddrP: &addr, Prefix: netip.MustParsePrefix("10.0.0.0/8"),
		}
		require.NoError(t, orm.Objects[Host](db).Create(ctx, host))
		for range 2 {
			got, err := orm.Objects[Host](db).Filter(F("ip").Eq(host.IP), F("tagged").Eq(host.Tagged), F("addr").Eq(addr)).Get(ctx)
			require.NoError(t, err)
			require.True(t, host.IP.Equal(got.IP), "%v", got.IP)
			got.IP = host.IP // net.IP has two forms of one address
			require.Equal(t, host, got)
			require.NoError(t, orm.Objects[Host](db).Save(ctx, got))
		}
	})
}

type Fact struct {
	models.AutoID
	Guessed json.RawMessage
	Tagged  json.RawMessage `bun:"type:json"`
}

// SQLite makes numbers of what stands in a column that is declared JSON.
func TestNumbersInJSONStayAsTheyAre(t *testing.T) {
	each(t, func(t *testing.T, ctx context.Context, db *orm.DB) {
		require.NoError(t, orm.CreateTables(ctx, db, (*Fact)(nil)))
		for _, number := range []string{"12", "1.10", "12345678901234567890", `"12"`} {
			f := &Fact{Guessed: json.RawMessage(number), Tagged: json.RawMessage(number)}
			require.NoError(t, orm.Objects[Fact](db).Create(ctx, f))
			got, err := orm.Objects[Fact](db).Filter(F("id").Eq(f.ID)).Get(ctx)
			require.NoError(t, err)
			require.JSONEq(t, number, string(got.Guessed))
			require.JSONEq(t, number, string(got.Tagged))
			if db.Server().Engine == dialect.SQLite {
				require.Equal(t, f, got)
			}
		}
	})
}

func TestBytesAndTextBesideEachOther(t *testing.T) {
	each(t, func(t *testing.T, ctx context.Context, db *orm.DB) {
		require.NoError(t, orm.CreateTables(ctx, db, (*Everything)(nil)))
		all := orm.Objects[Everything](db)
		require.NoError(t, all.Create(ctx, &Everything{Str: "text", Bytes: []byte(`\x62`), Time: start}))
		holds := func(conds ...query.Cond) {
			t.Helper()
			for _, c := range conds {
				found, err := all.Filter(c).Exists(ctx)
				require.NoError(t, err)
				require.True(t, found)
			}
		}
		holds(F("str").Eq([]byte("text")), F("str").In([]byte("text")), F("bytes").Eq(`\x62`), F("bytes").In(`\x62`, "b"))
		_, err := all.Update(ctx, query.Set("str", []byte("new")), query.Set("bytes", "new"))
		require.NoError(t, err)
		holds(F("str").Eq("new"), F("bytes").Eq([]byte("new")), F("str").StartsWith("n"))
	})
}

// Plate has texts in columns whose types SQLite does not know.
type Plate struct {
	models.AutoID
	Number string `bun:"type:citext"`
	State  string `bun:"type:enum('1e3','007')"`
}

func TestS01_TextsThatReadAsNumbersStayTexts(t *testing.T) {
	each(t, func(t *testing.T, ctx context.Context, db *orm.DB) {
		if db.Server().Engine != dialect.SQLite {
			return // which alone makes a table of any types
		}
		require.NoError(t, orm.CreateTables(ctx, db, (*Plate)(nil)))
		p := &Plate{Number: "0042", State: "007"}
		require.NoError(t, orm.Objects[Plate](db).Create(ctx, p))
		got, err := orm.Objects[Plate](db).Filter(F("number").Eq("0042"), F("state").In("007")).Get(ctx)
		require.NoError(t, err)
		require.Equal(t, p, got)
	})
}
