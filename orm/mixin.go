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

// now is what a time column can hold, unless it is coarser: see [render.Field.ClockTime].
func now() time.Time { return time.Now().UTC().Truncate(time.Microsecond) }

// begin fills in what a new row gets from the library.
func (r *reader) begin(row any) error {
	if r.err != nil {
		return r.err
	}
	if t, ok := row.(timestamped); ok {
		at := now()
		created, updated := t.TimestampFields()
		if created.IsZero() {
			*created = r.created.ClockTime(at)
		}
		if updated.IsZero() {
			*updated = r.updated.ClockTime(at)
		}
	}
	if v, ok := row.(versioned); ok {
		if n := v.VersionField(); *n == 0 {
			*n = 1
		}
	}
	if k, ok := row.(selfKeyed); ok {
		if err := k.NewKey(); err != nil {
			return err
		}
		return r.keyed(row)
	}
	return nil
}

// keyed refuses a row to which its NewKey has given no key: it would be written with zeros for one.
func (r *reader) keyed(row any) error {
	v := reflect.ValueOf(row).Elem()
	for _, f := range r.model.PKs {
		if left(f, v) || !f.HasZeroValue(v) {
			return nil
		}
	}
	if len(r.model.PKs) == 0 {
		return nil
	}
	return fmt.Errorf("model %s: its NewKey has left the primary key %s unset: %s", r.model.Type, fieldNames(r.model.PKs), hiddenOrLeftOut)
}

// mixins are the interfaces above.
var mixins = []reflect.Type{reflect.TypeFor[timestamped](), reflect.TypeFor[versioned](), reflect.TypeFor[selfKeyed]()}

// checkMixins refuses a model that embeds a pointer to a mixin, whose methods are
// called on rows in which the pointer is nil, and one that does not get the methods of
// what it embeds: nothing would look after its rows.
func checkMixins(model, t reflect.Type) error {
	for i := range t.NumField() {
		f := t.Field(i)
		if !f.Anonymous {
			continue
		}
		for _, mixin := range mixins {
			switch {
			case f.Type.Kind() == reflect.Pointer && f.Type.Implements(mixin):
				return fmt.Errorf("model %s embeds a pointer, %s: embed %s itself", model, f.Type, f.Type.Elem())
			case f.Type.Kind() == reflect.Struct && reflect.PointerTo(f.Type).Implements(mixin) && !reflect.PointerTo(model).Implements(mixin):
				return fmt.Errorf("model %s embeds %s and has no method %s like that, as several fields have one of this name: give the model one of its own",
					model, f.Type, mixin.Method(0).Name)
			}
		}
		if f.Type.Kind() == reflect.Struct {
			if err := checkMixins(model, f.Type); err != nil {
				return err
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
		*updated = r.updated.ClockTime(at)
	}
	if r.version != nil {
		*row.(versioned).VersionField()++
	}
}

// hiddenOrLeftOut is why what a mixin looks after is no column, and what to do.
const hiddenOrLeftOut = `another field of this name hides the one that is meant, or it is tagged "-": ` +
	"leave that field or the tag out, or give the model a method of its own for the field that is its column"

// findMixins finds the columns that the library looks after in rows that it does not
// see. A model for which there is none is refused: a row would be saved without its
// optimistic lock, and nobody would hear of it.
func (r *reader) findMixins() error {
	probe := reflect.New(r.model.Type)
	if t, ok := probe.Interface().(timestamped); ok {
		created, updated := t.TimestampFields()
		if r.created = fieldBehind(r.model, probe.Elem(), created); r.created == nil {
			return r.noColumn("TimestampFields", "for the time of creation ")
		}
		if r.updated = fieldBehind(r.model, probe.Elem(), updated); r.updated == nil {
			return r.noColumn("TimestampFields", "for the time of the last change ")
		}
	}
	if v, ok := probe.Interface().(versioned); ok {
		if r.version = fieldBehind(r.model, probe.Elem(), v.VersionField()); r.version == nil {
			return r.noColumn("VersionField", "")
		}
	}
	for _, f := range []*render.Field{r.updated, r.version} {
		if f != nil && f.ScanOnly {
			return fmt.Errorf("model %s: the field %s is tagged scanonly, and is what its VersionField or TimestampFields returns, which the library writes: leave out the tag or the method",
				r.model.Type, f.GoName)
		}
	}
	return nil
}

func (r *reader) noColumn(method, of string) error {
	return fmt.Errorf("model %s: what its %s returns %sis not the address of a column of the row: %s", r.model.Type, method, of, hiddenOrLeftOut)
}

// fieldBehind is the column that is stored at an address within row, nil if there is none.
// Its type may be one of the application's own, of the same kind.
func fieldBehind[V any](m *render.Model, row reflect.Value, at *V) *render.Field {
	for _, f := range m.Fields {
		p := f.Field.Value(row).Addr()
		if p.CanConvert(reflect.TypeFor[*V]()) && p.Convert(reflect.TypeFor[*V]()).Interface() == any(at) {
			return f
		}
	}
	return nil
}
