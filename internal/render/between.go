package render

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
)

var errBetween = errors.New("is not known yet")

// checkBetween refuses a many-to-many relation whose table between is not known yet. bun
// would panic there, and keep the relations that stand in front of it: the model would
// not be found either when the table is known. within are the structs around t.
func (ms *Models) checkBetween(t reflect.Type, within ...reflect.Type) error {
	within = append(slices.Clip(within), t)
	for i := range t.NumField() {
		f := t.Field(i)
		tag, err := bunTag(f.Tag)
		if err != nil || tag == "-" {
			continue
		}
		_, options := optionsOf(tag)
		for _, option := range options {
			name, between := strings.CutPrefix(option, "m2m:")
			if between && ms.schema.Tables().ByName(name) == nil {
				return fmt.Errorf("field %s: the table between, %s, %w: its model stands in front of this one in orm.CreateTables and orm.Check, "+
					"or is given to db.Bun().RegisterModel when the database is open", f.Name, name, errBetween)
			}
		}
		if inner := base(f.Type); inner.Kind() == reflect.Struct && (f.Anonymous || embeds(options)) && !slices.Contains(within, inner) {
			if err := ms.checkBetween(inner, within...); err != nil {
				return fmt.Errorf("field %s: %w", f.Name, err)
			}
		}
	}
	return nil
}
