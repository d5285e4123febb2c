package atomichttp_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"time"

	"github.com/holdfast-go/holdfast/atomic"
	"github.com/holdfast-go/holdfast/atomic/atomichttp"
	"github.com/holdfast-go/holdfast/dialect"
	"github.com/holdfast-go/holdfast/dialect/sqlite"
	"github.com/holdfast-go/holdfast/models"
	"github.com/holdfast-go/holdfast/orm"
)

// shop is a database of orders, and a handler that places one.
func shop(ctx context.Context) (db *orm.DB, order http.HandlerFunc) {
	db, err := orm.Open(ctx, sqlite.Open(":memory:"))
	if err != nil {
		log.Fatal(err)
	}
	if _, err := db.Exec(ctx, "CREATE TABLE orders (id INTEGER PRIMARY KEY, what TEXT NOT NULL CHECK (what <> ''))"); err != nil {
		log.Fatal(err)
	}
	if err := orm.CreateTables(ctx, db, (*models.Once)(nil)); err != nil {
		log.Fatal(err)
	}
	return db, func(w http.ResponseWriter, r *http.Request) {
		what, err := io.ReadAll(r.Body)
		if err != nil {
			http.Error(w, "no order", http.StatusBadRequest)
			return
		}
		if _, err := db.Exec(r.Context(), "INSERT INTO orders (what) VALUES (?)", string(what)); err != nil {
			http.Error(w, "no such order", http.StatusUnprocessableEntity) // rolls back
			return
		}
		w.WriteHeader(http.StatusCreated)
		fmt.Fprintf(w, "ordered: %s", what)
	}
}

// post sends an order, and prints the answer.
func post(h http.Handler, what string, headers ...string) {
	r := httptest.NewRequest(http.MethodPost, "/orders", strings.NewReader(what))
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	fmt.Println(w.Code, strings.TrimSpace(w.Body.String()))
}

func orders(db *orm.DB) (n int) {
	if err := db.QueryRow(context.Background(), "SELECT count(*) FROM orders").Scan(&n); err != nil {
		log.Fatal(err)
	}
	return n
}

func ExampleMiddleware() {
	db, order := shop(context.Background())
	defer db.Close()

	mux := http.NewServeMux()
	mux.Handle("POST /orders", order)
	server := atomichttp.Middleware(db, atomichttp.Retry(3), atomichttp.KeepBody(64<<10),
		atomichttp.ReadOnlyForSafeMethods(), atomichttp.Block(atomic.Timeout(10*time.Second)))(mux)
	post(server, "two seats")
	post(server, "")
	fmt.Println(orders(db))
	// Output:
	// 201 ordered: two seats
	// 422 no such order
	// 1
}

// A client that has lost the answer asks again with the same key.
func ExampleIdempotent() {
	db, order := shop(context.Background())
	defer db.Close()

	server := atomichttp.Middleware(db, atomichttp.Idempotent(
		atomichttp.CallerBy(func(r *http.Request) string { return r.Header.Get("X-User") }),
		atomichttp.KeepResponses(48*time.Hour), atomichttp.WaitInProgress(time.Second), atomichttp.RequireKey(),
	))(order)
	post(server, "two seats", "Idempotency-Key", `"8e03978e"`)
	post(server, "two seats", "Idempotency-Key", `"8e03978e"`)
	post(server, "ten seats", "Idempotency-Key", `"8e03978e"`)
	post(server, "two seats")
	fmt.Println(orders(db))
	// Output:
	// 201 ordered: two seats
	// 201 ordered: two seats
	// 422 {"type":"urn:holdfast:key-reused","title":"Unprocessable Entity","status":422,"detail":"The Idempotency-Key was used for another request."}
	// 400 {"type":"urn:holdfast:idempotency-key","title":"Bad Request","status":400,"detail":"The Idempotency-Key is missing, or cannot be read."}
	// 1
}

// What cannot wait for COMMIT goes round the block.
func ExampleNonAtomic() {
	db, order := shop(context.Background())
	defer db.Close()

	events := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		fmt.Fprint(w, "data: hello")
		fmt.Println("in a block:", atomic.In(r.Context(), db), http.NewResponseController(w).Flush())
	})
	mux := http.NewServeMux()
	mux.Handle("POST /orders", order)
	mux.Handle("POST /events", atomichttp.NonAtomic(events))
	server := atomichttp.Middleware(db)(mux)
	w := httptest.NewRecorder()
	server.ServeHTTP(w, httptest.NewRequest(http.MethodPost, "/events", nil))
	fmt.Println(w.Code, w.Body)
	// Output:
	// in a block: false <nil>
	// 200 data: hello
}

// Options for a route.
func ExampleWhen() {
	db, order := shop(context.Background())
	defer db.Close()

	under := func(prefix string) func(*http.Request) bool {
		return func(r *http.Request) bool { return strings.HasPrefix(r.URL.Path, prefix) }
	}
	server := atomichttp.Middleware(db,
		atomichttp.When(under("/static/"), atomichttp.Off()),
		atomichttp.When(under("/reports/"), atomichttp.MaxResponse(4<<20), atomichttp.Spill(""), atomichttp.Block(atomic.ReadOnly())),
		atomichttp.When(under("/orders"), atomichttp.RespondFirst()),
	)(order)
	post(server, "two seats")
	// Output: 201 ordered: two seats
}

// A status of 402 keeps what was done: that somebody has tried.
func ExampleCommitOn() {
	db, order := shop(context.Background())
	defer db.Close()

	server := atomichttp.Middleware(db, atomichttp.CommitOn(func(status int) bool {
		return status < 400 || status == http.StatusPaymentRequired
	}))(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		order(httptest.NewRecorder(), r)
		http.Error(w, "first pay", http.StatusPaymentRequired)
	}))
	post(server, "two seats")
	fmt.Println(orders(db))
	// Output:
	// 402 first pay
	// 1
}

// Problems of one's own. What a client is not told goes to the log.
func ExampleErrorHandler() {
	db, _ := shop(context.Background())
	defer db.Close()

	server := atomichttp.Middleware(db,
		atomichttp.Logger(slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelError + 1}))),
		atomichttp.ErrorHandler(func(w http.ResponseWriter, _ *http.Request, err error) {
			p := atomichttp.ProblemOf(err)
			switch {
			case errors.Is(err, dialect.ErrCheckViolation):
				p = atomichttp.Problem{Type: "urn:shop:no-such-order", Title: "No such order", Status: http.StatusUnprocessableEntity}
			case p.Type == atomichttp.ProblemCommitUnknown, p.Type == atomichttp.ProblemPartlyCommitted:
				p.Detail = "Look at your orders before you order again."
			case p.Type == atomichttp.ProblemInProgress, p.Type == atomichttp.ProblemKeyReused, p.Type == atomichttp.ProblemKey:
				p.Detail = "The key of your order is in use, or no key."
			case errors.Is(err, atomichttp.ErrResponseTooLarge), errors.Is(err, atomichttp.ErrNotHeld):
				p.Detail = "This page is too large."
			case errors.Is(err, atomichttp.ErrIdempotencyKey), errors.Is(err, atomichttp.ErrBodyTooLarge):
				p.Detail = "This order is too large."
			case errors.Is(err, atomichttp.ErrPartlyCommitted):
				p.Detail = "Call us."
			}
			p.Write(w)
		}),
	)(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = db.Exec(r.Context(), "INSERT INTO orders (what) VALUES ('')") // and nobody looks
	}))
	post(server, "")
	// Output: 422 {"type":"urn:shop:no-such-order","title":"No such order","status":422}
}

// Two databases in one request: the second is committed first.
func ExampleAlso() {
	db, order := shop(context.Background())
	defer db.Close()
	audit, _ := shop(context.Background())
	defer audit.Close()

	server := atomichttp.Middleware(db, atomichttp.Also(audit, atomic.Name("audit")))(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, err := audit.Exec(r.Context(), "INSERT INTO orders (what) VALUES ('somebody orders')"); err != nil {
			http.Error(w, "no audit", http.StatusInternalServerError)
			return
		}
		order(w, r)
	}))
	post(server, "two seats")
	post(server, "")
	fmt.Println(orders(db), orders(audit))
	// Output:
	// 201 ordered: two seats
	// 422 no such order
	// 1 1
}
