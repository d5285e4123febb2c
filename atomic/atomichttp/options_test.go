package atomichttp_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/holdfast-go/holdfast/atomic"
	"github.com/holdfast-go/holdfast/atomic/atomichttp"
)

func always(*http.Request) bool { return true }

// What a When has among its options holds as well.
func TestW08_WhenInsideWhen(t *testing.T) {
	db, ran := open(t), 0
	posted := func(r *http.Request) bool { return r.Method == http.MethodPost }
	handler := atomichttp.Middleware(db, quiet, atomichttp.When(always,
		atomichttp.When(posted, atomichttp.Idempotent()),
		atomichttp.When(func(r *http.Request) bool { return !posted(r) }, atomichttp.Off()),
	))(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ran++
		assert.Equal(t, posted(r), atomic.In(r.Context(), db))
	}))
	for range 2 {
		r := httptest.NewRequest(http.MethodPost, "/pay", nil)
		r.Header.Set("Idempotency-Key", "k")
		handler.ServeHTTP(httptest.NewRecorder(), r)
	}
	assert.Equal(t, 1, ran, "the same request again")
	handler.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "/pay", nil))
	assert.Equal(t, 2, ran)

	w := httptest.NewRecorder()
	atomichttp.Middleware(db, quiet, atomichttp.When(always, atomichttp.When(nil, atomichttp.Off())))(handler).ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/", nil))
	assert.Equal(t, http.StatusInternalServerError, w.Code)
	assert.Equal(t, 2, ran)
}
