package web

import (
	"context"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/go-chi/chi/v5"
	"github.com/go-chi/chi/v5/middleware"
	"github.com/gorilla/mux"
	"github.com/labstack/echo/v4"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/atomic"
	"github.com/holdfast-go/holdfast/atomic/atomichttp"
	"github.com/holdfast-go/holdfast/dialect"
	"github.com/holdfast-go/holdfast/dialect/sqlite"
	"github.com/holdfast-go/holdfast/orm"
)

type middlewareOf = func(http.Handler) http.Handler

// endpoint is a handler of that name.
type endpoint func(name string, id func(*http.Request) string) http.HandlerFunc

func chiID(r *http.Request) string { return chi.URLParam(r, "id") }

// routers have DELETE /7 and DELETE /drafts/7, which are different things.
var routers = map[string]func(mw middlewareOf, of endpoint) http.Handler{
	"chi, Use": func(mw middlewareOf, of endpoint) http.Handler {
		r := chi.NewRouter()
		r.Use(mw)
		r.Delete("/{id}", of("order", chiID))
		r.Route("/drafts", func(r chi.Router) { r.Delete("/{id}", of("draft", chiID)) })
		return r
	},
	"chi, Group": func(mw middlewareOf, of endpoint) http.Handler {
		drafts := chi.NewRouter()
		drafts.Delete("/{id}", of("draft", chiID))
		r := chi.NewRouter()
		r.Group(func(r chi.Router) {
			r.Use(mw)
			r.Delete("/{id}", of("order", chiID))
			r.Mount("/drafts", drafts)
		})
		return r
	},
	"chi, With": func(mw middlewareOf, of endpoint) http.Handler {
		r := chi.NewRouter()
		r.With(mw).Delete("/{id}", of("order", chiID))
		r.Route("/drafts", func(r chi.Router) { r.With(mw).Delete("/{id}", of("draft", chiID)) })
		return r
	},
	"chi, mounted several times": func(mw middlewareOf, of endpoint) http.Handler {
		r := chi.NewRouter()
		r.Use(middleware.StripSlashes)
		r.Route("/", func(r chi.Router) {
			r.Use(mw, middleware.CleanPath)
			r.Delete("/{id}", of("order", chiID))
			r.Route("/{kind:drafts}", func(r chi.Router) {
				r.Route("/", func(r chi.Router) { r.Delete("/{id}", of("draft", chiID)) })
			})
		})
		return r
	},
	"chi within net/http": func(mw middlewareOf, of endpoint) http.Handler {
		r := chi.NewRouter()
		r.Delete("/{id}", of("order", chiID))
		r.Route("/drafts", func(r chi.Router) { r.Delete("/{id}", of("draft", chiID)) })
		m := http.NewServeMux()
		m.Handle("/", mw(r))
		return m
	},
	"gorilla": func(mw middlewareOf, of endpoint) http.Handler {
		r := mux.NewRouter()
		r.Use(mw)
		id := func(r *http.Request) string { return mux.Vars(r)["id"] }
		r.Handle("/{id}", of("order", id)).Methods(http.MethodDelete)
		r.PathPrefix("/drafts").Subrouter().Handle("/{id}", of("draft", id)).Methods(http.MethodDelete)
		return r
	},
	"echo": func(mw middlewareOf, of endpoint) http.Handler {
		e := echo.New()
		e.Use(ForEcho(mw))
		handler := func(name string) echo.HandlerFunc {
			return func(c echo.Context) error {
				of(name, func(*http.Request) string { return c.Param("id") })(c.Response(), c.Request())
				return nil
			}
		}
		e.DELETE("/:id", handler("order"))
		e.Group("/drafts").DELETE("/:id", handler("draft"))
		return e
	},
	"net/http": func(mw middlewareOf, of endpoint) http.Handler {
		drafts := http.NewServeMux()
		id := func(r *http.Request) string { return r.PathValue("id") }
		drafts.Handle("DELETE /{id}", of("draft", id))
		m := http.NewServeMux()
		m.Handle("DELETE /{id}", of("order", id))
		m.Handle("/drafts/", http.StripPrefix("/drafts", drafts))
		return mw(m)
	},
}

// A request that is run again comes to the same handler, with the same path: DELETE /drafts/7 is
// not DELETE /7 by its second attempt.
func TestW05_TheSameRouteAgain(t *testing.T) {
	for name, router := range routers {
		t.Run(name, func(t *testing.T) {
			path := t.TempDir() + "/shop.db"
			var dbs [2]*orm.DB
			for i := range dbs {
				var err error
				dbs[i], err = orm.Open(t.Context(), sqlite.Open(path))
				require.NoError(t, err)
				defer dbs[i].Close()
			}
			db, other := dbs[0], dbs[1]
			require.NoError(t, orm.CreateTables(t.Context(), db, (*Order)(nil)))
			var came []string
			of := func(name string, id func(*http.Request) string) http.HandlerFunc {
				return func(w http.ResponseWriter, r *http.Request) {
					came = append(came, name+" "+id(r)+" at "+r.URL.Path)
					add := func(ctx context.Context, db *orm.DB) error {
						return orm.Objects[Order](db).Create(ctx, &Order{What: name})
					}
					if len(came) == 3 {
						w.WriteHeader(http.StatusNoContent)
						return
					}
					assert.NoError(t, atomic.Do(t.Context(), other, func(held context.Context) error { // which holds the lock
						assert.NoError(t, add(held, other))
						assert.ErrorIs(t, add(r.Context(), db), dialect.ErrLockNotAvailable)
						return atomic.Rollback
					}))
					w.WriteHeader(http.StatusInternalServerError)
				}
			}
			mw := atomichttp.Middleware(db, atomichttp.Block(atomic.RetryPolicy{Max: 2, Locks: true}, atomic.LockTimeout(0)))
			var pattern string
			around := func(next http.Handler) http.Handler { // as what measures routes does
				return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					next.ServeHTTP(w, r)
					if at := chi.RouteContext(r.Context()); at != nil {
						pattern = at.RoutePattern()
					}
				})
			}
			handler := router(func(next http.Handler) http.Handler { return around(mw(next)) }, of)
			for _, path := range []string{"/drafts/7", "/7"} {
				came, pattern = nil, ""
				w := httptest.NewRecorder()
				handler.ServeHTTP(w, httptest.NewRequest(http.MethodDelete, path, nil))
				assert.Equal(t, http.StatusNoContent, w.Code)
				if assert.Len(t, came, 3) {
					assert.Equal(t, []string{came[0], came[0], came[0]}, came)
					assert.Contains(t, came[0], map[string]string{"/drafts/7": "draft 7", "/7": "order 7"}[path])
				}
				if pattern != "" {
					assert.Contains(t, pattern, "{id}")
				}
			}
		})
	}
}
