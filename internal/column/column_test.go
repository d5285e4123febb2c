package column_test

import (
	"database/sql"
	"database/sql/driver"
	"encoding/json"
	"math"
	"net/netip"
	"reflect"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/dialect"
	"github.com/holdfast-go/holdfast/internal/column"
)

func TestTypesAreReadFromTheirDeclarations(t *testing.T) {
	my, pg, lite := []string{dialect.MySQL, dialect.MariaDB}, []string{dialect.Postgres}, []string{dialect.SQLite}
	all := []string{dialect.MySQL, dialect.MariaDB, dialect.Postgres, dialect.SQLite}
	for _, c := range []struct {
		engines  []string
		declared string
		want     column.Type
	}{
		{all, "bigint", column.Type{Kind: column.Integer, Name: "bigint", Bits: 64}},
		{all, " SMALLINT ", column.Type{Kind: column.Integer, Name: "smallint", Bits: 16}},
		{my, "BIGINT(20) UNSIGNED", column.Type{Kind: column.Integer, Name: "bigint", Bits: 64, Unsigned: true}},
		{my, "int unsigned", column.Type{Kind: column.Integer, Name: "int", Bits: 32, Unsigned: true}},
		{my, "mediumint", column.Type{Kind: column.Integer, Name: "mediumint", Bits: 24}},
		{lite, "integer", column.Type{Kind: column.Integer, Name: "integer", Bits: 64}},
		{lite, "UNSIGNED BIG INT", column.Type{Kind: column.Integer, Name: "unsigned big int", Bits: 64, Unsigned: true}},
		{pg, "bigserial", column.Type{Kind: column.Integer, Name: "bigserial", Bits: 64}},
		{pg, "pg_catalog.int4", column.Type{Kind: column.Integer, Name: "int4", Bits: 32}},
		{all, "decimal(10,2)", column.Type{Kind: column.Decimal, Name: "decimal", Precision: 10, Scale: 2}},
		{all, "numeric(7)", column.Type{Kind: column.Decimal, Name: "numeric", Precision: 7}},
		{my, "decimal", column.Type{Kind: column.Decimal, Name: "decimal", Precision: 10}},
		{pg, "numeric", column.Type{Kind: column.Decimal, Name: "numeric"}},
		{my, "float", column.Type{Kind: column.Float, Name: "float", Bits: 32}},
		{my, "float(53)", column.Type{Kind: column.Float, Name: "float", Bits: 64}},
		{pg, "real", column.Type{Kind: column.Float, Name: "real", Bits: 32}},
		{pg, "double  precision", column.Type{Kind: column.Float, Name: "double precision", Bits: 64}},
		{all, "varchar(40)", column.Type{Kind: column.Text, Name: "varchar", Length: 40}},
		{my, "varchar(40) CHARACTER SET latin1 COLLATE latin1_bin", column.Type{Kind: column.Text, Name: "varchar", Length: 40, Charset: "latin1"}},
		{my, "text character set ascii", column.Type{Kind: column.Text, Name: "text", Charset: "ascii"}},
		{my, "char(3) charset utf8mb3", column.Type{Kind: column.Text, Name: "char", Length: 3, Fixed: true, Charset: "utf8mb3"}},
		{my, "ENUM('a','b')", column.Type{Kind: column.Text, Name: "enum", Members: "a\x00b\x00"}},
		{my, "enum( 'It''s' ,'a,b') character set latin1", column.Type{Kind: column.Text, Name: "enum", Charset: "latin1", Members: "It's\x00a,b\x00"}},
		{lite, "SET('x(1)','y[2]','z ', '', 'q\\\\r\\'')", column.Type{Kind: column.Text, Name: "set", Members: "x(1)\x00y[2]\x00z\x00\x00q\\r'\x00"}},
		{my, "enum('a' 'b')", column.Type{Kind: column.Text, Name: "enum"}},
		{my, "enum('a", column.Type{Kind: column.Text, Name: "enum"}},
		{my, "double(10,2)", column.Type{Kind: column.Float, Name: "double", Bits: 64, Precision: 10, Scale: 2}},
		{all[:2], "FLOAT(7, 3) UNSIGNED", column.Type{Kind: column.Float, Name: "float", Bits: 32, Unsigned: true, Precision: 7, Scale: 3}},
		{lite, "double precision(8,1)", column.Type{Kind: column.Float, Name: "double precision", Bits: 64, Precision: 8, Scale: 1}},
		{my, "year(4)", column.Type{Kind: column.Integer, Name: "year", Bits: 16, Unsigned: true}},
		{my, "decimal(10,2) unsigned", column.Type{Kind: column.Decimal, Name: "decimal", Precision: 10, Scale: 2, Unsigned: true}},
		{pg, "character varying(5)", column.Type{Kind: column.Text, Name: "character varying", Length: 5}},
		{pg, "citext", column.Type{Kind: column.Text, Name: "citext"}},
		{lite, "NVARCHAR(5)", column.Type{Kind: column.Text, Name: "nvarchar", Length: 5}},
		{lite, "fancytext", column.Type{Kind: column.Text, Name: "fancytext"}},
		{my, "varbinary(16)", column.Type{Kind: column.Binary, Name: "varbinary", Length: 16}},
		{pg, "bytea", column.Type{Kind: column.Binary, Name: "bytea"}},
		{all, "boolean", column.Type{Kind: column.Boolean, Name: "boolean"}},
		{my, "tinyint(1)", column.Type{Kind: column.Integer, Name: "tinyint", Bits: 8}},
		{all, "date", column.Type{Kind: column.Date, Name: "date"}},
		{my, "datetime(3)", column.Type{Kind: column.Timestamp, Name: "datetime", Precision: 3}},
		{my, "timestamp", column.Type{Kind: column.Timestamp, Name: "timestamp", Zoned: true}},
		{pg, "timestamp(3) with time zone", column.Type{Kind: column.Timestamp, Name: "timestamp", Precision: 3, Zoned: true}},
		{pg, "timestamp without time zone", column.Type{Kind: column.Timestamp, Name: "timestamp", Precision: 6}},
		{pg, "time", column.Type{Kind: column.TimeOfDay, Name: "time", Precision: 6}},
		{all, "jsonb", column.Type{Kind: column.JSON, Name: "jsonb"}},
		{all, "uuid", column.Type{Kind: column.UUID, Name: "uuid"}},
		{pg, "integer[]", column.Type{Kind: column.Array, Name: "integer", Elem: &column.Type{Kind: column.Integer, Name: "integer", Bits: 32}}},
		{pg, "varchar(3) ARRAY[4]", column.Type{Kind: column.Array, Name: "varchar", Elem: &column.Type{Kind: column.Text, Name: "varchar", Length: 3}}},
		{pg, "numeric(10,2)[][]", column.Type{Kind: column.Array, Name: "numeric", Elem: &column.Type{Kind: column.Decimal, Name: "numeric", Precision: 10, Scale: 2}}},
		{pg, "timestamp(0) with time zone[]", column.Type{Kind: column.Array, Name: "timestamp", Elem: &column.Type{Kind: column.Timestamp, Name: "timestamp", Zoned: true}}},
		{pg, "mood[]", column.Type{Kind: column.Array, Name: "mood", Elem: &column.Type{Kind: column.Unknown, Name: "mood"}}},
		{pg, "inet", column.Type{Kind: column.Address, Name: "inet"}},
		{pg, "interval", column.Type{Kind: column.Other, Name: "interval", Precision: 6}},
		{pg, "mood", column.Type{Kind: column.Unknown, Name: "mood"}},
	} {
		for _, engine := range c.engines {
			require.Equal(t, c.want, column.Parse(engine, c.declared), "%s %q", engine, c.declared)
		}
	}
}

func TestAffinitiesDecideWhereNoNameIsKnown(t *testing.T) {
	for declared, kind := range map[string]column.Kind{
		"big int": column.Integer, "clob_of_mine": column.Text, "blobby": column.Binary, "floating": column.Float, "string": column.Unknown, "": column.Unknown,
	} {
		require.Equal(t, kind, column.Parse(dialect.SQLite, declared).Kind, declared)
	}
}

type status int

func (status) Value() (driver.Value, error) { return "open", nil }

type anything struct{}

func (anything) Value() (driver.Value, error) { return nil, nil }

func TestGoTypesHaveTheirColumns(t *testing.T) {
	for _, c := range []struct {
		t    reflect.Type
		kind column.Kind
	}{
		{reflect.TypeFor[int8](), column.Integer}, {reflect.TypeFor[*uint32](), column.Integer}, {reflect.TypeFor[float32](), column.Float},
		{reflect.TypeFor[string](), column.Text}, {reflect.TypeFor[[]byte](), column.Binary}, {reflect.TypeFor[[4]byte](), column.Binary},
		{reflect.TypeFor[bool](), column.Boolean}, {reflect.TypeFor[time.Time](), column.Timestamp}, {reflect.TypeFor[json.RawMessage](), column.JSON},
		{reflect.TypeFor[map[string]int](), column.JSON}, {reflect.TypeFor[any](), column.JSON}, {reflect.TypeFor[[]string](), column.JSON},
		{reflect.TypeFor[netip.Addr](), column.Text}, {reflect.TypeFor[uuid.UUID](), column.UUID}, {reflect.TypeFor[sql.NullString](), column.Text},
		{reflect.TypeFor[sql.Null[time.Time]](), column.Timestamp}, {reflect.TypeFor[status](), column.Text}, {reflect.TypeFor[anything](), column.Unknown},
		{reflect.TypeFor[chan int](), column.Unknown},
	} {
		for _, engine := range []string{dialect.MySQL, dialect.MariaDB, dialect.Postgres, dialect.SQLite} {
			require.Equal(t, c.kind, column.Of(engine, c.t).Kind, "%s %s", engine, c.t)
		}
	}
}

func TestListsHoldTheirMembers(t *testing.T) {
	list := column.Parse(dialect.MySQL, "enum('a','It''s','')")
	require.Equal(t, []string{"a", "It's", ""}, list.List())
	require.Empty(t, column.Parse(dialect.MySQL, "varchar(5)").List())
	for text, is := range map[string]bool{"a": true, "It's": true, "": true, "it's": false, "1": false, "a ": false, "a\x00It's": false} {
		require.Equal(t, is, list.Member(text), text)
	}
	set := column.Parse(dialect.MySQL, "set('c','b','a')")
	for text, is := range map[string]bool{"": true, "c": true, "c,a": true, "c,b,a": true, "a,c": false, "a,a": false, "c,": false, "d": false, "3": false} {
		require.Equal(t, is, set.InOrder(text), text)
	}
	parse := func(text string) column.Type { return column.Parse(dialect.MariaDB, text) }
	require.True(t, list.Includes(parse("enum('','a')")))
	require.False(t, list.Includes(parse("enum('b','a')")))
	require.False(t, list.Includes(parse("varchar(1)")))
	require.True(t, parse("varchar(1)").Includes(list))
	require.True(t, set.Includes(parse("set('c','a')")))
	require.False(t, set.Includes(parse("set('a','c')")))
	require.False(t, set.Includes(parse("enum('a','c')")))
}

func TestRanges(t *testing.T) {
	for _, c := range []struct {
		t    column.Type
		low  int64
		high uint64
	}{
		{column.Of(dialect.MySQL, reflect.TypeFor[int8]()), -128, 127},
		{column.Of(dialect.Postgres, reflect.TypeFor[int8]()), math.MinInt16, math.MaxInt16},
		{column.Of(dialect.MySQL, reflect.TypeFor[uint32]()), 0, math.MaxUint32},
		{column.Of(dialect.Postgres, reflect.TypeFor[uint16]()), math.MinInt32, math.MaxInt32},
		{column.Of(dialect.SQLite, reflect.TypeFor[uint8]()), math.MinInt64, math.MaxInt64},
		{column.Of(dialect.MySQL, reflect.TypeFor[uint64]()), 0, math.MaxUint64},
		{column.Parse(dialect.MySQL, "mediumint"), -1 << 23, 1<<23 - 1},
		{column.Parse(dialect.MySQL, "year"), 0, 2155},
		{column.Parse(dialect.MariaDB, "year(2)"), 0, 99},
	} {
		low, high := c.t.Range()
		require.Equal(t, c.low, low)
		require.Equal(t, c.high, high)
	}
}
