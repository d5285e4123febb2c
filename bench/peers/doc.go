// Package peers puts Holdfast and the libraries that Go programs use for
// transactions behind one small interface, so that the programs of this module
// do the same with each. Every library is used the way its own documentation
// does it; what it does not have, such as nested blocks, is done by hand as a
// program on top of it would.
package peers
