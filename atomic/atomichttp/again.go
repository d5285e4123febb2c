package atomichttp

import (
	"context"
	"net/http"
	"reflect"
	"sync"
)

// untouched is what a handler may change in place, as it was before the first attempt: the next
// one is to find it so. The zero value has nothing.
type untouched struct {
	request *http.Request // nil: there will be no other attempt

	mu     sync.Mutex
	routed []routed
}

// routed is where a router stands, and where it stood when it was first seen.
type routed struct {
	state routing
	was   reflect.Value
}

// routing is what a router keeps in the ctx of a request, and changes while it routes: of chi a
// *chi.Context. A router below the middleware, mounted in another, takes the rest of the path
// from there if it finds one, and nobody takes that back: the path /drafts/7 is /7 by the next
// attempt, and the route another. Whatever has these methods is taken for one: the library
// requires no router.
type routing interface {
	URLParam(key string) string
	RoutePattern() string
	Reset()
}

// fresh is the request for an attempt. The first has what those around the middleware have,
// who may look at it afterwards.
func (x *exchange) fresh(ctx context.Context) *http.Request {
	switch {
	case !x.config.again || !x.repeatable():
		return x.request.WithContext(context.WithValue(ctx, exchangeKey{}, x))
	case x.untouched.request == nil:
		x.untouched.request = x.request.Clone(ctx)
		return x.request.WithContext(&watched{ctx, x})
	}
	x.untouched.putBack()
	return x.untouched.request.Clone(&watched{ctx, x})
}

// watched is the ctx of a handler that may run again. It sees what the handler, and the routers
// in front of it, get from it: before they can change it.
type watched struct {
	context.Context
	x *exchange
}

// Value implements context.Context.
func (w *watched) Value(key any) any {
	if key == (exchangeKey{}) {
		return w.x
	}
	v := w.Context.Value(key)
	if state, ok := v.(routing); ok {
		w.x.untouched.see(state)
	}
	return v
}

func (u *untouched) see(state routing) {
	p := reflect.ValueOf(state)
	if p.Kind() != reflect.Pointer || p.IsNil() || p.Elem().Kind() != reflect.Struct {
		return
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	for _, r := range u.routed {
		if r.state == state {
			return
		}
	}
	u.routed = append(u.routed, routed{state, copied(p.Elem())})
}

func (u *untouched) putBack() {
	u.mu.Lock()
	defer u.mu.Unlock()
	for _, r := range u.routed {
		reflect.ValueOf(r.state).Elem().Set(copied(r.was))
	}
}

// copied is a struct like v whose slices have arrays of their own: a router begins them anew
// with the arrays that they have.
func copied(v reflect.Value) reflect.Value {
	own := reflect.New(v.Type()).Elem()
	own.Set(v)
	separate(own)
	return own
}

func separate(v reflect.Value) {
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			separate(v.Field(i))
		}
	case reflect.Slice:
		if v.Len() == 0 {
			return
		}
		field := reflect.NewAt(v.Type(), v.Addr().UnsafePointer()).Elem() // v may be of a field that is not exported
		array := reflect.MakeSlice(v.Type(), v.Len(), v.Len())
		reflect.Copy(array, field)
		field.Set(array)
	}
}
