// Package atomichttp runs the handlers of a web server in blocks: the response leaves
// when what it tells of is committed.
//
//	mux := http.NewServeMux()
//	mux.HandleFunc("POST /orders", placeOrder)
//	http.ListenAndServe(":8080", atomichttp.Middleware(db, atomichttp.Retry(3))(mux))
//
// A handler passes its request's ctx on, as it does anyway, and knows nothing of all
// this. Middleware is a func(http.Handler) http.Handler, as chi and gorilla take it;
// adapters for echo and gin are in examples/web.
//
// # What it promises
//
// The rules have numbers, W1 to W10, and are in docs/contract.md:
//
//   - the response leaves only after COMMIT was acknowledged (W1); until then it is
//     held in memory, or in a file (Spill);
//   - a status of 400 or more rolls back (W2, CommitOn), and so do a panic (W3) and a
//     client that hangs up (W7);
//   - ReadOnlyForSafeMethods (W4) and Retry (W5);
//   - what goes wrong after the handler has returned replaces its response (W6,
//     ErrorHandler);
//   - NonAtomic, When and Also for routes and databases that are otherwise (W8);
//   - Idempotent: a request with an Idempotency-Key is done once (W9);
//   - hooks of OnCommit run before the response leaves (W10, RespondFirst).
//
// A handler that sends nothing to the database costs no round trip, and no connection
// of the pool.
package atomichttp
