package web

import (
	"encoding/json"
	"errors"
	"net/http"

	"github.com/gin-gonic/gin"
	"github.com/go-chi/chi/v5"
	"github.com/gorilla/mux"
	"github.com/labstack/echo/v4"

	"github.com/holdfast-go/holdfast/atomic/atomichttp"
)

// middleware is the same everywhere.
func (s Shop) middleware() func(http.Handler) http.Handler {
	return atomichttp.Middleware(s.DB, atomichttp.Idempotent(), atomichttp.Retry(3), atomichttp.ReadOnlyForSafeMethods())
}

// ServeHTTP is a handler for routers of net/http's kind.
func (s Shop) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	order, err := s.Order(r.Context(), r.FormValue("what"))
	switch {
	case errors.Is(err, errNothing):
		http.Error(w, err.Error(), http.StatusUnprocessableEntity)
	case err != nil:
		http.Error(w, "no order", http.StatusInternalServerError)
	default:
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusCreated)
		_ = json.NewEncoder(w).Encode(order)
	}
}

// Chi takes the middleware as it is.
func Chi(s Shop) http.Handler {
	r := chi.NewRouter()
	r.Use(s.middleware())
	r.Method("POST", "/orders", s)
	return r
}

// Gorilla does, too.
func Gorilla(s Shop) http.Handler {
	r := mux.NewRouter()
	r.Use(s.middleware())
	r.Handle("/orders", s).Methods("POST")
	return r
}

// Echo takes it for a group by way of [ForEcho].
func Echo(s Shop) http.Handler {
	e := echo.New()
	e.POST("/orders", func(c echo.Context) error {
		order, err := s.Order(c.Request().Context(), c.FormValue("what"))
		if errors.Is(err, errNothing) {
			return echo.NewHTTPError(http.StatusUnprocessableEntity, err.Error())
		}
		if err != nil {
			return err
		}
		return c.JSON(http.StatusCreated, order)
	}, ForEcho(s.middleware()))
	return e
}

// ForEcho makes one of echo's out of a middleware of net/http. echo.WrapMiddleware would
// not do: an error that a handler returns becomes a response when the middleware has ended
// already, and what the handler did would be committed. Here it is written inside.
func ForEcho(middleware func(http.Handler) http.Handler) echo.MiddlewareFunc {
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			outer, request := c.Response(), c.Request()
			defer func() {
				c.SetResponse(outer)
				c.SetRequest(request)
			}()
			middleware(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				c.SetRequest(r)
				c.SetResponse(echo.NewResponse(w, c.Echo()))
				if err := next(c); err != nil {
					c.Error(err)
				}
			})).ServeHTTP(outer, request)
			return nil
		}
	}
}

// Gin has the middleware around the whole of it: gin runs the handlers of a request once,
// so that one of its own middlewares could not retry. For routes that are otherwise there
// is atomichttp.When.
func Gin(s Shop) http.Handler {
	gin.SetMode(gin.ReleaseMode)
	g := gin.New()
	g.POST("/orders", func(c *gin.Context) {
		order, err := s.Order(c.Request.Context(), c.PostForm("what"))
		switch {
		case errors.Is(err, errNothing):
			c.String(http.StatusUnprocessableEntity, err.Error())
		case err != nil:
			c.String(http.StatusInternalServerError, "no order")
		default:
			c.JSON(http.StatusCreated, order)
		}
	})
	return s.middleware()(g)
}
