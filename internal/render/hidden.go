package render

import (
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/uptrace/bun/schema"
)

// checkHidden refuses a field whose column another one has, which bun passes over: it
// would be neither written nor read. As in Go, a field that is less deep hides others on
// purpose.
func checkHidden(table *schema.Table) error {
	columns := make(map[string]*schema.Field, len(table.FieldMap)) // by the way to them
	for _, f := range table.FieldMap {
		columns[fmt.Sprint(f.Index)] = f
	}
	return hidden(table, columns, table.Type, nil, nil)
}

func hidden(table *schema.Table, columns map[string]*schema.Field, t reflect.Type, index []int, path []string) error {
	for i := range t.NumField() {
		f := t.Field(i)
		tag, _ := bunTag(f.Tag)
		name, options := optionsOf(tag)
		at, to := append(slices.Clone(index), i), append(slices.Clone(path), f.Name)
		switch {
		case tag == "-", f.Type == baseModel, f.PkgPath != "" && !f.Anonymous, isRelation(options):
		case f.Anonymous && base(f.Type).Kind() == reflect.Struct, embeds(options):
			if err := hidden(table, columns, base(f.Type), at, to); err != nil {
				return err
			}
		case columns[fmt.Sprint(at)] == nil:
			if shadow, ok := table.Type.FieldByName(f.Name); name == "" && ok && len(shadow.Index) < len(at) {
				continue
			}
			return fmt.Errorf("field %s: another field has the same column, so that this one would not be stored: "+
				"give one of them another column in its tag, or leave one out", strings.Join(to, "."))
		}
	}
	return nil
}

func isRelation(options []string) bool {
	return slices.ContainsFunc(options, func(option string) bool {
		return strings.HasPrefix(option, "rel:") || strings.HasPrefix(option, "m2m:")
	})
}
