// Package images builds database servers into Docker images from Debian
// packages, for machines on which Docker can reach no image registry.
//
// An image is built once, named after the content of its recipe and kept, so
// that the next run starts it at once; a changed recipe is another image. What
// it takes is a Docker engine, root on a Debian system, and the package mirror
// that this system is already set up to use.
//
// The data directory is made while the image is built, so a container answers
// a second or two after its start. The administrator (root, or postgres on
// PostgreSQL) has the password [Password].
//
// A server that nobody packages can be a [Program]: a command of a Go module, which
// is compiled once and put into a container of another image.
package images
