package web

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/dialect/sqlite"
	"github.com/holdfast-go/holdfast/models"
	"github.com/holdfast-go/holdfast/orm"
)

func TestRouters(t *testing.T) {
	for name, router := range map[string]func(Shop) http.Handler{"chi": Chi, "gorilla": Gorilla, "echo": Echo, "gin": Gin} {
		t.Run(name, func(t *testing.T) {
			db, err := orm.Open(t.Context(), sqlite.Open(t.TempDir()+"/shop.db"))
			require.NoError(t, err)
			defer db.Close()
			require.NoError(t, orm.CreateTables(t.Context(), db, (*Order)(nil), (*models.Once)(nil)))
			server := httptest.NewServer(router(Shop{db}))
			defer server.Close()
			order := func(what, key string) (int, string) {
				r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, server.URL+"/orders", strings.NewReader(url.Values{"what": {what}}.Encode()))
				require.NoError(t, err)
				r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
				if key != "" {
					r.Header.Set("Idempotency-Key", key)
				}
				res, err := server.Client().Do(r)
				require.NoError(t, err)
				defer res.Body.Close()
				body, err := io.ReadAll(res.Body)
				require.NoError(t, err)
				return res.StatusCode, strings.TrimSpace(string(body))
			}
			count := func() int {
				n, err := orm.Objects[Order](db).Count(t.Context())
				require.NoError(t, err)
				return int(n)
			}
			status, _ := order("", "")
			require.Equal(t, http.StatusUnprocessableEntity, status)
			require.Zero(t, count(), "rolled back")
			status, first := order("two seats", `"a key"`)
			require.Equal(t, http.StatusCreated, status)
			require.Contains(t, first, "two seats")
			status, again := order("two seats", `"a key"`)
			require.Equal(t, http.StatusCreated, status)
			require.Equal(t, first, again)
			status, _ = order("three seats", `"a key"`)
			require.Equal(t, http.StatusUnprocessableEntity, status)
			require.Equal(t, 1, count())
		})
	}
}
