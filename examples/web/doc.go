// Package web places orders by way of four routers, each with the middleware of
// atomic/atomichttp in front. It is a module of its own: none of the routers reaches an
// application that requires Holdfast.
package web
