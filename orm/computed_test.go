package orm_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/uptrace/bun"

	"github.com/holdfast-go/holdfast/dialect"
	"github.com/holdfast-go/holdfast/orm"
	"github.com/holdfast-go/holdfast/query"
)

// becomes is what a column is given, and the row then; nil: it cannot keep it.
type becomes[T any] struct {
	set  query.Assignment
	kept func(*T)
}

// walk goes through results of all kinds that stand beside a column of some kind: each is kept
// as it is, or there is an error, and the row is as it was.
func walk[T any](ctx context.Context, t *testing.T, db *orm.DB, row func() *T, cells map[string]becomes[T]) {
	t.Helper()
	require.NoError(t, orm.CreateTables(ctx, db, (*T)(nil)))
	all := orm.Objects[T](db)
	for name, c := range cells {
		_, err := all.Delete(ctx)
		require.NoError(t, err)
		want := row()
		require.NoError(t, all.Create(ctx, row()))
		if c.kept == nil {
			for call, err := range assigns(ctx, db, row, c.set) {
				require.Error(t, err, "%s: %s", name, call)
			}
		} else {
			_, err = all.Update(ctx, c.set)
			require.NoError(t, err, name)
			c.kept(want)
		}
		got, err := all.Get(ctx)
		require.NoError(t, err, name)
		require.Equal(t, want, got, name)
		require.NoError(t, all.Save(ctx, got), name)
	}
}

// Decanter has pairs of columns of one kind on MySQL and MariaDB, the second of which may hold
// what the first does not.
type Decanter struct {
	bun.BaseModel `bun:"table:decanter"`
	ID            int64     `bun:",pk"`
	Bytes         []byte    `bun:"type:binary(4)"`
	Same          []byte    `bun:"type:binary(4)"`
	Few           []byte    `bun:"type:varbinary(2)"`
	Many          []byte    `bun:"type:varbinary(9)"`
	Opens         string    `bun:"type:time(0)"`
	Exact         string    `bun:"type:time(6)"`
	Short         float64   `bun:"type:float"`
	Short32       float32   `bun:"type:float"`
	Wide          float64   `bun:"type:double"`
	Half          float64   `bun:"type:double"`
	Small         int64     `bun:"type:smallint"`
	Large         int64     `bun:"type:bigint"`
	Positive      int64     `bun:"type:int unsigned"`
	Decimal       string    `bun:"type:decimal(20,10)"`
	Tiny          string    `bun:"type:tinytext"`
	Long          string    `bun:"type:varchar(400)"`
	Latin         string    `bun:"type:varchar(9) character set latin1"`
	Char          string    `bun:"type:char(5)"`
	Stamp         time.Time `bun:"type:timestamp(0)"`
	Late          time.Time `bun:"type:datetime(0)"`
	Day           time.Time `bun:"type:date"`
	Listed        string    `bun:"type:enum('a','b')"`
	Year          int64     `bun:"type:year"`
	Flag          bool
	Text          string
}

func decanter() *Decanter {
	noon := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	long := "☃"
	for range 300 {
		long += " "
	}
	return &Decanter{ID: 1, Bytes: []byte("abcd"), Same: []byte("efgh"), Few: []byte("x"), Many: []byte("abc"), Opens: "10:00:00", Exact: "10:00:00.6", Short: 0.5, Short32: 0.25,
		Wide: 0.1, Half: 1.5, Small: 300, Large: 1<<53 + 1, Positive: 2, Decimal: "0.1000000001", Tiny: "t", Long: long, Latin: "l", Char: "c",
		Stamp: noon, Late: noon.AddDate(100, 0, 0), Day: noon.Truncate(24 * time.Hour), Listed: "a", Year: 2000, Text: "text"}
}

func TestS20_ComputedValuesOfEveryKind(t *testing.T) {
	each(t, func(t *testing.T, ctx context.Context, db *orm.DB) {
		switch db.Server().Engine {
		case dialect.Postgres:
			walk(ctx, t, db, carafe, carafes())
		case dialect.SQLite:
			walk(ctx, t, db, flask, flasks())
		default:
			walk(ctx, t, db, decanter, decanters())
		}
	})
}

func decanters() map[string]becomes[Decanter] {
	type d = Decanter
	set, f := query.Set, query.F
	none := func(column string) query.Expr { return query.NullIf(F(column), F(column)) }
	return map[string]becomes[Decanter]{
		"bytes that are too few":        {set("bytes", f("many")), nil},
		"bytes for NULL":                {set("bytes", query.Coalesce(none("bytes"), query.Value([]byte{1}))), nil},
		"bytes of as many":              {set("bytes", f("same")), func(d *d) { d.Bytes = d.Same }},
		"bytes that are there":          {set("bytes", query.Coalesce(f("bytes"), f("many"))), func(*d) {}},
		"bytes that are too many":       {set("few", f("many")), nil},
		"bytes that were filled up":     {set("many", f("bytes")), func(d *d) { d.Many = d.Bytes }},
		"a finer time of day":           {set("opens", f("exact")), nil},
		"a finer time of day for NULL":  {set("opens", query.Coalesce(none("opens"), f("exact"))), nil},
		"a time of day":                 {set("exact", f("opens")), func(d *d) { d.Exact = d.Opens }},
		"8 bytes in 4":                  {set("short", f("wide")), nil},
		"8 bytes in 4, exactly":         {set("short", f("half")), func(d *d) { d.Short = 1.5 }},
		"a sum in 4 bytes":              {set("short", f("short").Add(0.1)), nil},
		"a sum in 4 bytes, exactly":     {set("short", f("short").Add(0.25)), func(d *d) { d.Short = 0.75 }},
		"8 bytes in 4, in Go too":       {set("short32", f("wide")), func(d *d) { d.Short32 = 0.1 }},
		"4 bytes in 4":                  {set("short", f("short32")), func(d *d) { d.Short = 0.25 }},
		"a decimal in 4 bytes":          {set("short", f("decimal")), nil},
		"a decimal in 8":                {set("wide", f("decimal")), func(d *d) { d.Wide = 0.1000000001 }},
		"a whole number in 4":           {set("short", f("large")), nil},
		"a whole number in 8":           {set("wide", f("large")), nil},
		"a small one in 4":              {set("short", f("small")), func(d *d) { d.Short = 300 }},
		"a sum of whole numbers in 8":   {set("wide", f("large").Sub(1)), func(d *d) { d.Wide = 1 << 53 }},
		"a fraction":                    {set("large", f("wide")), nil},
		"a large number":                {set("small", f("large")), nil},
		"a negative number":             {set("positive", f("small").Sub(400)), nil},
		"a year of two digits":          {set("year", f("positive")), nil},
		"digits for a decimal":          {set("decimal", f("large")), nil},
		"blanks that are too many":      {set("tiny", f("long")), nil},
		"a blank":                       {set("tiny", query.Concat(f("tiny"), " ")), func(d *d) { d.Tiny = "t " }},
		"characters":                    {set("latin", query.Trim(f("long"))), nil},
		"a blank in a CHAR":             {set("char", query.Concat(f("char"), " ")), nil},
		"a text that is no member":      {set("listed", f("text")), nil},
		"a time that is too late":       {set("stamp", f("late")), nil},
		"a finer time":                  {set("late", f("late").Add(time.Millisecond)), nil},
		"a time for a day":              {set("day", f("late")), nil},
		"a day of a time":               {set("day", query.Cast[time.Time](f("late"))), nil},
		"a number for a boolean":        {set("flag", f("small")), nil},
		"a boolean":                     {set("flag", query.Case().When(f("id").Gt(0), true).Else(f("flag"))), func(d *d) { d.Flag = true }},
		"a text that is no number":      {set("small", f("text")), nil},
		"a number for a text":           {set("text", f("small")), nil},
		"a time of day for a time":      {set("late", f("exact")), nil},
		"bytes for a text, and no text": {set("text", f("bytes")), nil},
		"a text for bytes":              {set("many", f("text")), nil},
	}
}

// Carafe has those of PostgreSQL.
type Carafe struct {
	bun.BaseModel `bun:"table:carafe"`
	ID            int64     `bun:",pk"`
	Opens         string    `bun:"type:time(0)"`
	Exact         string    `bun:"type:time(6)"`
	Short         float64   `bun:"type:real"`
	Short32       float32   `bun:"type:real"`
	Wide          float64   `bun:"type:double precision"`
	Half          float64   `bun:"type:double precision"`
	Small         int64     `bun:"type:smallint"`
	Large         int64     `bun:"type:bigint"`
	Decimal       string    `bun:"type:decimal(20,10)"`
	Char          string    `bun:"type:char(5)"`
	Name          string    `bun:"type:name"`
	Text          string    `bun:"type:text"`
	Host          string    `bun:"type:inet"`
	Net           string    `bun:"type:cidr"`
	Shorts        []float64 `bun:"type:real[]"`
	Wides         []float64 `bun:"type:double precision[]"`
	Smalls        []int64   `bun:"type:smallint[]"`
	Larges        []int64   `bun:"type:bigint[]"`
}

func carafe() *Carafe {
	return &Carafe{ID: 1, Opens: "10:00:00", Exact: "10:00:00.6", Short: 0.5, Short32: 0.25, Wide: 0.1, Half: 1.5, Small: 300, Large: 1<<53 + 1, Decimal: "0.1000000001",
		Char: "c", Name: "n", Text: "text ", Host: "10.1.2.3/8", Net: "10.0.0.0/8",
		Shorts: []float64{0.5}, Wides: []float64{0.1}, Smalls: []int64{1}, Larges: []int64{1 << 40}}
}

func carafes() map[string]becomes[Carafe] {
	type c = Carafe
	set, f := query.Set, query.F
	none := func(column string) query.Expr { return query.NullIf(F(column), F(column)) }
	return map[string]becomes[Carafe]{
		"a finer time of day":          {set("opens", f("exact")), nil},
		"a finer time of day for NULL": {set("opens", query.Coalesce(none("opens"), f("exact"))), nil},
		"a time of day":                {set("exact", f("opens")), func(c *c) { c.Exact = c.Opens }},
		"8 bytes in 4":                 {set("short", f("wide")), nil},
		"8 bytes in 4, exactly":        {set("short", f("half")), func(c *c) { c.Short = 1.5 }},
		"a sum in 4 bytes":             {set("short", f("short").Add(0.1)), nil},
		"a sum in 4 bytes, exactly":    {set("short", f("short").Add(0.25)), func(c *c) { c.Short = 0.75 }},
		"8 bytes in 4, in Go too":      {set("short32", f("wide")), func(c *c) { c.Short32 = 0.1 }},
		"4 bytes in 4":                 {set("short", f("short32")), func(c *c) { c.Short = 0.25 }},
		"a decimal in 4 bytes":         {set("short", f("decimal")), nil},
		"a decimal in 8":               {set("wide", f("decimal")), func(c *c) { c.Wide = 0.1000000001 }},
		"a whole number in 4":          {set("short", f("large")), nil},
		"a whole number in 8":          {set("wide", f("large")), nil},
		"a small one in 4":             {set("short", f("small")), func(c *c) { c.Short = 300 }},
		"a large number":               {set("small", f("large")), nil},
		"a blank in a CHAR":            {set("char", f("text")), nil},
		"a text for a NAME":            {set("name", f("text")), nil},
		"a NAME":                       {set("text", f("name")), func(c *c) { c.Text = c.Name }},
		"a host for a net":             {set("net", f("host")), nil},
		"8 bytes in an array of 4":     {set("shorts", f("wides")), nil},
		"4 bytes in an array of 8":     {set("wides", f("shorts")), func(c *c) { c.Wides = c.Shorts }},
		"an array of large numbers":    {set("smalls", f("larges")), nil},
		"an array of small numbers":    {set("larges", f("smalls")), func(c *c) { c.Larges = c.Smalls }},
	}
}

// Flask has those that SQLite, which keeps anything, is told of.
type Flask struct {
	bun.BaseModel `bun:"table:flask"`
	ID            int64   `bun:",pk"`
	Opens         string  `bun:"type:time(0)"`
	Exact         string  `bun:"type:time(6)"`
	Short         float64 `bun:"type:float4"`
	Wide          float64 `bun:"type:double"`
	Half          float64 `bun:"type:double"`
	Small         int64   `bun:"type:smallint"`
	Large         int64   `bun:"type:bigint"`
	Char          string  `bun:"type:char(5)"`
	Text          string  `bun:"type:text"`
}

func flask() *Flask {
	return &Flask{ID: 1, Opens: "10:00:00", Exact: "10:00:00.6", Short: 0.5, Wide: 0.1, Half: 1.5, Small: 300, Large: 1<<53 + 1, Char: "c", Text: "text "}
}

func flasks() map[string]becomes[Flask] {
	type d = Flask
	set, f := query.Set, query.F
	return map[string]becomes[Flask]{
		"a finer time of day":       {set("opens", f("exact")), nil},
		"a time of day":             {set("exact", f("opens")), func(d *d) { d.Exact = d.Opens }},
		"8 bytes in 4":              {set("short", f("wide")), nil},
		"8 bytes in 4, exactly":     {set("short", f("half")), func(d *d) { d.Short = 1.5 }},
		"a sum in 4 bytes":          {set("short", f("short").Add(0.1)), nil},
		"a sum in 4 bytes, exactly": {set("short", f("short").Add(0.25)), func(d *d) { d.Short = 0.75 }},
		"a whole number in 8":       {set("wide", f("large")), nil},
		"a small one in 8":          {set("wide", f("small")), func(d *d) { d.Wide = 300 }},
		"a large number":            {set("small", f("large")), nil},
		"a blank in a CHAR":         {set("char", f("text")), nil},
	}
}
