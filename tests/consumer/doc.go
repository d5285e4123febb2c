// Package consumer tests what an application gets that requires the library.
package consumer
