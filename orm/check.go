package orm

import (
	"context"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/holdfast-go/holdfast/internal/render"
)

// Check compares models with their tables on the server, and returns every
// difference that could refuse a row, keep another one, or compare it in another
// way, in one *CheckError (rule S26). It writes nothing, and takes two statements for each
// model, up to five on SQLite: for the start of a program, or its tests. An [Index] among the models is one
// that has to be there.
//
//	var differs *orm.CheckError
//	if err := orm.Check(ctx, db, (*Project)(nil), (*Audio)(nil)); errors.As(err, &differs) {
//		for _, d := range differs.Differences {
//			log.Print(d)
//		}
//	}
//
// A column that is wider than its field, and one that the model does not have and
// a new row does not need, is no difference, and neither is a unique key that the model
// does not tell of. A type of the application's own on
// the server (an enumeration, a domain) is not looked into.
func Check(ctx context.Context, db *DB, models ...any) error {
	found := &CheckError{}
	for _, model := range models {
		if model == nil {
			return fmt.Errorf("orm: Check: a model is nil; write (*Audio)(nil)")
		}
		index, isIndex := model.(Index)
		if isIndex {
			if model = index.Model; model == nil || len(index.Fields) == 0 {
				return fmt.Errorf("orm: Check: an Index needs a Model and Fields")
			}
		}
		m, err := db.model(reflect.TypeOf(model))
		if err == nil {
			var list []Difference
			if isIndex {
				list, err = db.missingIndex(ctx, m, index.Fields)
			} else {
				list, err = db.differences(ctx, m)
			}
			found.Differences = append(found.Differences, list...)
		}
		if err != nil {
			return fmt.Errorf("orm: Check: %w", err)
		}
	}
	if len(found.Differences) > 0 {
		return found
	}
	return nil
}

// CheckError says where models and their tables differ.
type CheckError struct{ Differences []Difference }

// Error lists all of them.
func (e *CheckError) Error() string {
	list := make([]string, len(e.Differences))
	for i, d := range e.Differences {
		list[i] = d.String()
	}
	return "orm: Check: models and tables differ:\n\t" + strings.Join(list, "\n\t")
}

// Difference is one difference between a model and its table.
type Difference struct {
	Model  string // "Audio"
	Table  string // "audio"
	Column string // "" if it is the table that differs
	Kind   DifferenceKind
	Want   string // what the model says; may be ""
	Have   string // what the server has; may be ""
}

// String says it in a sentence.
func (d Difference) String() string {
	at := d.Model + " (table " + d.Table + ")"
	if d.Column != "" {
		at = d.Model + "." + d.Column
	}
	s := at + ": " + string(d.Kind)
	if d.Want != "" {
		s += ": the model has " + d.Want
		if d.Have != "" {
			s += ", the table " + d.Have
		}
	}
	return s
}

// DifferenceKind is a kind of [Difference].
type DifferenceKind string

// The kinds of differences.
const (
	NoTable DifferenceKind = "there is no such table"
	// NoTransactions: such as MyISAM, of MySQL and MariaDB (rule B2).
	NoTransactions DifferenceKind = "the table's storage engine has no transactions: what a block writes there stays when it is rolled back"
	NoColumn       DifferenceKind = "there is no such column"
	ExtraColumn    DifferenceKind = "the table has a column that a new row has to give a value, and the model does not have it"
	OtherType      DifferenceKind = "the column is of another type"
	// NoType: of a type with a Value method, which says what it holds with the tag type.
	NoType      DifferenceKind = "nothing says what the field holds, and the column may keep another value than it is given: say it with the tag type"
	TooNarrow   DifferenceKind = "the column does not hold all that the field does"
	MayBeNull   DifferenceKind = "the column may be NULL, which the field cannot hold"
	NeverNull   DifferenceKind = "the column may not be NULL, which the field can"
	NoZone      DifferenceKind = "the column has times without a zone, which other programs may read in another"
	OtherText   DifferenceKind = "the column compares text in another way, by its character set or collation"
	OtherKey    DifferenceKind = "the primary key is another"
	NoUniqueKey DifferenceKind = "there is no unique key on the columns"
	NoIndex     DifferenceKind = "there is no index that begins with the columns"
	// NotAutoIncrement: the server does not count the column up.
	NotAutoIncrement DifferenceKind = "the column is not auto-incremented: the server does not count it up"
	// AutoIncrement: the server counts the column up, and the model takes a zero for a key.
	AutoIncrement DifferenceKind = "the server counts the column up, and the model does not say autoincrement: a zero is stored as one"
	NoDefault     DifferenceKind = "the column has no default"
	// OtherDefault: on SQLite, such as CURRENT_TIMESTAMP (rule S23).
	OtherDefault DifferenceKind = "the column's default is a text that equals no time which is bound, and stands elsewhere in an order"
	// Computed: a field that is only read is tagged scanonly (rule S22).
	Computed      DifferenceKind = "the server computes the column, and refuses what the field would write"
	FloatDecimals DifferenceKind = "the column turns decimal numbers into floating-point numbers: declare it TEXT"
)

// withoutTransactions are the storage engines of MySQL and MariaDB whose tables keep what
// is rolled back.
var withoutTransactions = []string{"MYISAM", "ARIA", "MEMORY", "MRG_MYISAM", "ARCHIVE", "CSV", "BLACKHOLE", "FEDERATED"}

func (db *DB) differences(ctx context.Context, m *render.Model) ([]Difference, error) {
	have, err := db.tableColumns(ctx, m)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", m.Name, err)
	}
	c := &comparison{db: db, model: m}
	if len(have) == 0 {
		c.add("", NoTable, "", "")
		return c.found, nil
	}
	if s := have[0].storage; slices.Contains(withoutTransactions, strings.ToUpper(s)) {
		c.add("", NoTransactions, "InnoDB", s)
	}
	for _, f := range m.Fields {
		i := slices.IndexFunc(have, func(h tableColumn) bool { return db.sameName(h.name, f.Name) })
		if i < 0 {
			c.add(f.Name, NoColumn, "", "")
			continue
		}
		c.column(f, have[i])
		have[i].known = true
	}
	if err := c.defaults(ctx); err != nil {
		return nil, fmt.Errorf("%s: %w", m.Name, err)
	}
	var key []string
	for _, h := range have {
		if h.key {
			key = append(key, h.name)
		}
		if !h.known && h.notNull && !h.hasDefault && !h.counted {
			c.add(h.name, ExtraColumn, "", h.declared)
		}
	}
	var want []string
	for _, f := range m.PKs {
		want = append(want, f.Name)
	}
	slices.Sort(key)
	slices.Sort(want)
	if !slices.EqualFunc(key, want, db.sameName) {
		c.add("", OtherKey, orNone(want), orNone(key))
	}
	indexes, err := db.tableIndexes(ctx, m)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", m.Name, err)
	}
	c.uniqueKeys(indexes)
	return c.found, nil
}

func (db *DB) missingIndex(ctx context.Context, m *render.Model, fields []string) ([]Difference, error) {
	have, err := db.tableIndexes(ctx, m)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", m.Name, err)
	}
	c := &comparison{db: db, model: m}
	err = c.index(fields, have)
	return c.found, err
}

func orNone(columns []string) string {
	if len(columns) == 0 {
		return "none"
	}
	return strings.Join(columns, ", ")
}
