package render

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/uptrace/bun/schema"
)

// errBetween: another model may make it good, so that nothing is kept of it.
var errBetween = errors.New("is not known yet")

// linking is a many-to-many relation as its tag says it.
type linking struct {
	field       string // the field's name
	table       string // between
	left, right string // the fields of its model that lead to both sides
}

// linksOf are the many-to-many relations of t, embedded ones too. within are the structs
// around it, the model first.
func linksOf(t reflect.Type, within ...reflect.Type) []linking {
	within = append(slices.Clip(within), t)
	var list []linking
	for i := range t.NumField() {
		f := t.Field(i)
		tag, err := bunTag(f.Tag)
		if err != nil || tag == "-" {
			continue
		}
		_, options := optionsOf(tag)
		l := linking{field: f.Name, left: within[0].Name()}
		if list := base(f.Type); list.Kind() == reflect.Slice {
			l.right = base(list.Elem()).Name()
		}
		for _, option := range options {
			if name, ok := strings.CutPrefix(option, "m2m:"); ok {
				l.table = name
			} else if join, ok := strings.CutPrefix(option, "join:"); ok {
				l.left, l.right, _ = strings.Cut(join, "=")
			}
		}
		if l.table != "" {
			list = append(list, l)
		}
		if inner := base(f.Type); inner.Kind() == reflect.Struct && (f.Anonymous || embeds(options)) && !slices.Contains(within, inner) {
			list = append(list, linksOf(inner, within...)...)
		}
	}
	return list
}

// between are the models of the tables between of t's relations. alone is true if no
// other struct stands for one of them, so that bun finds the right one by its name.
//
// bun would panic where it knows none, and keep the relations that stand in front: the
// model would not be found either when the table is known.
func (ms *Models) between(t reflect.Type) (list []reflect.Type, alone bool, err error) {
	alone = true
	for _, l := range linksOf(t) {
		all := ms.called(l.table)
		if len(all) == 0 {
			return nil, false, fmt.Errorf("field %s: the table between, %s, %w: its model stands in front of this one in orm.CreateTables and orm.Check, "+
				"or is given to db.Bun().RegisterModel when the database is open", l.field, l.table, errBetween)
		}
		link, err := ms.chosen(l, all)
		if err != nil {
			return nil, false, fmt.Errorf("field %s: %w", l.field, err)
		}
		list, alone = append(list, link), alone && len(all) == 1
	}
	return list, alone, nil
}

// called are the structs that stand for a table.
func (ms *Models) called(name string) []reflect.Type {
	var list []reflect.Type
	for _, table := range ms.schema.Tables().All() {
		if table.Name == name {
			list = append(list, table.Type)
		}
	}
	ms.known.Range(func(t, m any) bool {
		if m, ok := m.(*Model); ok && m.Table.Name == name && !slices.Contains(list, m.Type) {
			list = append(list, m.Type)
		}
		return true
	})
	return list
}

// chosen is the struct by which rows of the table between are linked: of those that lead
// to both sides the only one, or the only one that was registered.
func (ms *Models) chosen(l linking, all []reflect.Type) (reflect.Type, error) {
	leads := func(t reflect.Type, name string) bool {
		f, ok := t.FieldByName(name)
		return ok && base(f.Type).Kind() == reflect.Struct
	}
	var fit []reflect.Type
	for _, t := range all {
		if leads(t, l.left) && leads(t, l.right) {
			fit = append(fit, t)
		}
	}
	if len(fit) > 1 { // the others were met in queries
		if registered := slices.DeleteFunc(slices.Clone(fit), func(t reflect.Type) bool { return ms.met[t] }); len(registered) > 0 {
			fit = registered
		}
	}
	switch len(fit) {
	case 0:
		return nil, fmt.Errorf("the table between, %s, %w by a model with the fields %s and %s, which lead to both sides: give it to db.Bun().RegisterModel, "+
			"or say in the tag what the fields are called (join:Left=Right); what is known is %s", l.table, errBetween, l.left, l.right, names(all))
	case 1:
		return fit[0], nil
	}
	return nil, fmt.Errorf("which model links the rows %w: %s stand for %s alike; give the one that is meant, and no other, to db.Bun().RegisterModel when the database is open",
		errBetween, names(fit), l.table)
}

// Registered says that m is the model of its table, as RegisterModel of bun does.
func (ms *Models) Registered(m *Model) {
	ms.tables.Lock()
	defer ms.tables.Unlock()
	delete(ms.met, m.Type)
}

func names(types []reflect.Type) string {
	list := make([]string, len(types))
	for i, t := range types {
		list[i] = t.String()
	}
	slices.Sort(list)
	return strings.Join(list, ", ")
}

// tableOf is bun's table of a struct.
//
// bun finds a table between by its name, among all structs that it was ever asked for and
// in the order of a hash map: a struct that is called like that table, or another one for
// the same table, would take its place by chance. And where two structs have the same one
// embedded, and that has a relation to one of them, bun leaves columns out of whichever
// comes second. So such a model has tables of its own, and so has an answer, which is no
// table.
func (ms *Models) tableOf(t reflect.Type, answer bool) (*schema.Table, error) {
	ms.tables.Lock()
	defer ms.tables.Unlock()
	_, alone, err := ms.between(t)
	if err != nil {
		return nil, err
	}
	tables := ms.schema.Tables()
	if answer || !alone || mixesRelations(t) {
		own := &ownTables{Dialect: ms.schema}
		own.tables = schema.NewTables(own)
		if tables = own.tables; len(linksOf(t)) > 0 {
			err = ms.register(tables, t, map[reflect.Type]bool{t: true})
		}
	} else if !slices.ContainsFunc(tables.All(), func(table *schema.Table) bool { return table.Type == t }) {
		ms.met[t] = true
	}
	if err != nil {
		return nil, err
	}
	table := tables.Get(t)
	return table, checkHidden(table)
}

// register makes the tables between of t known, and first those that they need.
func (ms *Models) register(tables *schema.Tables, t reflect.Type, known map[reflect.Type]bool) error {
	list, _, err := ms.between(t)
	if err != nil {
		return err
	}
	for _, link := range list {
		if known[link] {
			continue
		}
		known[link] = true
		if err := ms.register(tables, link, known); err != nil {
			return err
		}
		tables.Get(link)
	}
	return nil
}

// mixesRelations reports whether a struct that is embedded in t has a relation to one row.
func mixesRelations(t reflect.Type, within ...reflect.Type) bool {
	within = append(slices.Clip(within), t)
	for i := range t.NumField() {
		f := t.Field(i)
		tag, err := bunTag(f.Tag)
		if err != nil || tag == "-" || base(f.Type).Kind() != reflect.Struct {
			continue
		}
		_, options := optionsOf(tag)
		if len(within) > 1 && isRelation(options) {
			return true
		}
		if (f.Anonymous || embeds(options)) && !slices.Contains(within, base(f.Type)) && mixesRelations(base(f.Type), within...) {
			return true
		}
	}
	return false
}

// ownTables is a dialect of bun's with tables of its own.
type ownTables struct {
	schema.Dialect
	tables *schema.Tables
}

func (d *ownTables) Tables() *schema.Tables { return d.tables }
