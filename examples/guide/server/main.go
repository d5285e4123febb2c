// Command server sells seats over HTTP.
package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"log"
	"log/slog"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"example.com/shop/demo"
	"example.com/shop/store"
	"github.com/holdfast-go/holdfast/atomic"
	"github.com/holdfast-go/holdfast/atomic/atomichttp"
	"github.com/holdfast-go/holdfast/orm"
	"github.com/holdfast-go/holdfast/query"
)

// handler is the whole service. Each request is a block.
func handler(db *orm.DB) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /shows", func(w http.ResponseWriter, r *http.Request) {
		type line struct {
			Title string
			Free  int64
		}
		shows, err := orm.Select[line](r.Context(), orm.Objects[store.Show](db).OrderBy("title"),
			query.F("title"), query.F("free"))
		answer(w, http.StatusOK, shows, err)
	})
	mux.HandleFunc("POST /orders", func(w http.ResponseWriter, r *http.Request) {
		var want store.Request
		if err := json.NewDecoder(r.Body).Decode(&want); err != nil || want.Seats < 1 {
			http.Error(w, "this is no order", http.StatusBadRequest)
			return
		}
		order, err := store.Buy(r.Context(), db, want.ShowID, want.Buyer, want.Seats)
		if errors.Is(err, store.ErrSoldOut) {
			http.Error(w, "sold out", http.StatusConflict) // 400 or more: rolled back
			return
		}
		answer(w, http.StatusCreated, order, err)
	})
	return atomichttp.Middleware(db,
		atomichttp.Retry(3),
		atomichttp.ReadOnlyForSafeMethods(),
		atomichttp.Block(atomic.Timeout(5*time.Second)),
		atomichttp.Idempotent(), // by the header Idempotency-Key
	)(mux)
}

func answer(w http.ResponseWriter, status int, result any, err error) {
	if err != nil {
		slog.Error("request", "err", err)
		atomichttp.ProblemOf(err).Write(w) // nothing of what is inside
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(result) // held back until COMMIT is acknowledged
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	db := demo.Open(ctx)
	defer db.Close()
	server := &http.Server{
		Addr:              cmp.Or(os.Getenv("SHOP_ADDR"), "localhost:8080"),
		Handler:           handler(db),
		ReadHeaderTimeout: 5 * time.Second,
	}
	finished := make(chan struct{})
	go func() {
		defer close(finished)
		<-ctx.Done()
		_ = server.Shutdown(context.WithoutCancel(ctx)) // waits for the requests that are running
	}()
	if err := server.ListenAndServe(); !errors.Is(err, http.ErrServerClosed) {
		log.Fatal(err)
	}
	<-finished // ListenAndServe does not wait for them; then the database may close
}
