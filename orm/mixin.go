package orm

import (
	"errors"
	"fmt"
	"reflect"
	"time"

	"github.com/holdfast-go/holdfast/internal/render"
)

var (
	errNilRow   = errors.New("the row is nil")
	errNoKey    = errors.New("the model has no primary key: embed models.AutoID or models.UUID, or tag a field pk")
	errKeyUnset = errors.New("the row has no primary key: it was never created or read")
)

// What a model can do to be looked after. The structs of package models
// implement these; a model that embeds them does too.
type (
	// A timestamped model has the time at which it was created and that of its
	// last change.
	timestamped interface {
		TimestampFields() (created, updated *time.Time)
	}
	// A versioned model counts its changes.
	versioned interface {
		VersionField() *int64
	}
	// A selfKeyed model makes its own primary key, if it is not set yet.
	selfKeyed interface {
		NewKey() error
	}
)

// now is what a time column can hold.
func now() time.Time { return time.Now().UTC().Truncate(time.Microsecond) }

// beginRow fills in what a new row gets from the library.
func beginRow(row any) error {
	if t, ok := row.(timestamped); ok {
		at := now()
		created, updated := t.TimestampFields()
		if created.IsZero() {
			*created = at
		}
		if updated.IsZero() {
			*updated = at
		}
	}
	if v, ok := row.(versioned); ok {
		if n := v.VersionField(); *n == 0 {
			*n = 1
		}
	}
	if k, ok := row.(selfKeyed); ok {
		return k.NewKey()
	}
	return nil
}

// mixins are the interfaces above.
var mixins = []reflect.Type{reflect.TypeFor[timestamped](), reflect.TypeFor[versioned](), reflect.TypeFor[selfKeyed]()}

// checkMixins refuses a model that embeds a pointer to a mixin: its methods are
// called on rows in which the pointer is nil.
func checkMixins(model, t reflect.Type) error {
	for i := range t.NumField() {
		f := t.Field(i)
		switch {
		case !f.Anonymous:
		case f.Type.Kind() == reflect.Struct:
			if err := checkMixins(model, f.Type); err != nil {
				return err
			}
		case f.Type.Kind() == reflect.Pointer:
			for _, mixin := range mixins {
				if f.Type.Implements(mixin) {
					return fmt.Errorf("model %s embeds a pointer, %s: embed %s itself", model, f.Type, f.Type.Elem())
				}
			}
		}
	}
	return nil
}

// changed gives the struct of a row what the library looked after when the row was
// written.
func (r *reader) changed(row any, at time.Time) {
	if r.updated != nil {
		_, updated := row.(timestamped).TimestampFields()
		*updated = at
	}
	if r.version != nil {
		*row.(versioned).VersionField()++
	}
}

// updatedField and versionField find the columns that the library looks after
// in rows that it does not see; nil if the model has none.
func updatedField(m *render.Model) *render.Field {
	probe := reflect.New(m.Type)
	t, ok := probe.Interface().(timestamped)
	if !ok {
		return nil
	}
	_, updated := t.TimestampFields()
	return fieldBehind(m, probe.Elem(), updated)
}

func versionField(m *render.Model) *render.Field {
	probe := reflect.New(m.Type)
	v, ok := probe.Interface().(versioned)
	if !ok {
		return nil
	}
	return fieldBehind(m, probe.Elem(), v.VersionField())
}

func fieldBehind[V any](m *render.Model, row reflect.Value, at *V) *render.Field {
	for _, f := range m.Fields {
		if p, ok := f.Field.Value(row).Addr().Interface().(*V); ok && p == at {
			return f
		}
	}
	return nil
}
