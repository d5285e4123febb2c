package values

import (
	"flag"
	"fmt"
	"os"
	"strconv"
	"testing"

	"go.uber.org/goleak"

	"github.com/holdfast-go/holdfast/tests/soak"
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
	if soak.Given("rapid.checks") {
		return nil
	}
	checks := 500
	if soak.Asked() {
		checks = 20000
	}
	return flag.Set("rapid.checks", strconv.Itoa(checks/len(kinds)+1))
}
