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
// purpose, unless it would take what they do with it.
func checkHidden(table *schema.Table) error {
	columns := make(map[string]*schema.Field, len(table.FieldMap)) // by the way to them
	for _, f := range table.FieldMap {
		columns[fmt.Sprint(f.Index)] = f
	}
	return hidden(table, columns, nil, []reflect.Type{table.Type})
}

// hidden looks at the last type of within, which stands at index in the struct of table.
func hidden(table *schema.Table, columns map[string]*schema.Field, index []int, within []reflect.Type) error {
	t := within[len(within)-1]
	for i := range t.NumField() {
		f, at := t.Field(i), append(slices.Clip(index), i)
		tag, _ := bunTag(f.Tag)
		name, options := optionsOf(tag)
		switch {
		case tag == "-", f.Type == baseModel, f.PkgPath != "" && !f.Anonymous, isRelation(options):
		case f.Anonymous && base(f.Type).Kind() == reflect.Struct, embeds(options):
			of := base(f.Type)
			if slices.Contains(within, of) { // a type in itself: bun takes no columns of it
				continue
			}
			if err := hidden(table, columns, at, append(slices.Clip(within), of)); err != nil {
				return err
			}
		case columns[fmt.Sprint(at)] == nil:
			if shadow, ok := table.Type.FieldByName(f.Name); name == "" && ok && len(shadow.Index) < len(at) {
				if marks(f) && !marks(shadow) {
					return fmt.Errorf("field %s hides %s, by which rows are marked as deleted, and is not tagged so: Delete would delete them "+
						"from the table: tag it soft_delete, or leave one of them out", pathOf(table.Type, shadow.Index), pathOf(table.Type, at))
				}
				continue
			}
			return fmt.Errorf("field %s: another field has the same column, so that this one would not be stored: "+
				"give one of them another column in its tag, or leave one out", pathOf(table.Type, at))
		}
	}
	return nil
}

// marks reports whether a field is tagged soft_delete.
func marks(f reflect.StructField) bool {
	tag, _ := bunTag(f.Tag)
	_, options := optionsOf(tag)
	return slices.Contains(options, "soft_delete")
}

// pathOf is how Go names the field at index of t.
func pathOf(t reflect.Type, index []int) string {
	names := make([]string, len(index))
	for i := range index {
		names[i] = t.FieldByIndex(index[:i+1]).Name
	}
	return strings.Join(names, ".")
}

func isRelation(options []string) bool {
	return slices.ContainsFunc(options, func(option string) bool {
		return strings.HasPrefix(option, "rel:") || strings.HasPrefix(option, "m2m:")
	})
}
