// Package soak says how long random tests go on: as HOLDFAST_SOAK and
// HOLDFAST_SOAK_PROGRAMS say, which "make soak" sets.
package soak

import (
	"flag"
	"os"
)

// Asked reports whether the run has the time for long tests.
func Asked() bool { return os.Getenv("HOLDFAST_SOAK") != "" }

// Programs tells rapid how many programs to run on each engine: so many as usual, in a
// soak 10,000, or as many as HOLDFAST_SOAK_PROGRAMS says; -rapid.checks goes first. The
// flags have to be parsed.
func Programs(usual string) error {
	if Given("rapid.checks") {
		return nil
	}
	programs := usual
	if Asked() {
		programs = "10000"
	}
	if n := os.Getenv("HOLDFAST_SOAK_PROGRAMS"); n != "" {
		programs = n
	}
	return flag.Set("rapid.checks", programs)
}

// Given reports whether a flag stands in the command line.
func Given(name string) (given bool) {
	flag.Visit(func(f *flag.Flag) { given = given || f.Name == name })
	return given
}
