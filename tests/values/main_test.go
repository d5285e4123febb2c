package values

import (
	"flag"
	"fmt"
	"os"
	"strconv"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	flag.Parse()
	if err := setChecks(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	goleak.VerifyTestMain(m)
}

// setChecks shares 500 checks of each engine among the kinds of columns, 20,000
// in a soak; -rapid.checks is for one kind, and goes first.
func setChecks() error {
	checks, given := 500, false
	if os.Getenv("HOLDFAST_SOAK") != "" {
		checks = 20000
	}
	flag.Visit(func(f *flag.Flag) { given = given || f.Name == "rapid.checks" })
	if given {
		return nil
	}
	return flag.Set("rapid.checks", strconv.Itoa(checks/len(kinds)+1))
}
