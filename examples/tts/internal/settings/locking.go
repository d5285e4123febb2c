package settings

import (
	"fmt"
	"slices"
	"strings"

	"github.com/holdfast-go/holdfast/examples/tts/internal/summary"
)

// Locking says how workers lock the rows that they claim.
type Locking string

const (
	SkipLocked Locking = "skip-locked"   // pass over what somebody else holds
	NoWait     Locking = "nowait"        // give up if somebody else holds one
	Wait       Locking = "wait"          // until nobody else does
	None       Locking = summary.NoLocks // the race that the others prevent
)

func parseLocking(list string) ([]Locking, error) {
	var all []Locking
	for name := range strings.SplitSeq(list, ",") {
		locking := Locking(strings.TrimSpace(name))
		if !slices.Contains([]Locking{SkipLocked, NoWait, Wait, None}, locking) {
			return nil, fmt.Errorf("-locking %q: must be skip-locked, nowait, wait or none, or several of them separated by commas", name)
		}
		if slices.Contains(all, locking) {
			return nil, fmt.Errorf("-locking %s: %s comes twice", list, locking)
		}
		all = append(all, locking)
	}
	return all, nil
}
