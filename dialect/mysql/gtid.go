package mysql

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Tokens are GTIDs: my- and a set as MySQL writes it, ma- and a list as MariaDB
// does, each with points in place of commas, which have no place in a cookie.
const (
	mysqlToken   = "my-"
	mariadbToken = "ma-"
	// longestToken is how much of somebody's token is looked at. What a caller has
	// collected here may be longer.
	longestToken = 4096
)

// A gtidSet is what MySQL calls one: numbers of transactions by their source, which
// is a server's UUID (or a group's name) with or without a tag.
type gtidSet map[string][]interval

type interval struct{ from, to uint64 }

var (
	gtidUUID = regexp.MustCompile(`^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`)
	gtidTag  = regexp.MustCompile(`^[a-z_][a-z0-9_]{0,31}$`)
)

var errNoSet = errors.New("it is not of the form that MySQL's tokens have")

// parseSet reads what the server writes: uuid:1-5:7,uuid:tag:2.
func parseSet(text string) (gtidSet, error) {
	set := gtidSet{}
	for one := range strings.SplitSeq(text, ",") {
		parts := strings.Split(strings.ToLower(strings.TrimSpace(one)), ":")
		if len(parts) < 2 || !gtidUUID.MatchString(parts[0]) {
			return nil, errNoSet
		}
		source := parts[0]
		for _, part := range parts[1:] {
			if gtidTag.MatchString(part) {
				source = parts[0] + ":" + part
				continue
			}
			first, last, some := strings.Cut(part, "-")
			if !some {
				last = first
			}
			from, err := strconv.ParseUint(first, 10, 63)
			to, errTo := strconv.ParseUint(last, 10, 63)
			if err != nil || errTo != nil || from < 1 || to < from {
				return nil, errNoSet
			}
			set.add(source, interval{from, to})
		}
	}
	return set, nil
}

// add keeps the intervals of a source in order and apart.
func (s gtidSet) add(source string, n interval) {
	var kept []interval
	for _, o := range s[source] {
		if o.to+1 < n.from || n.to+1 < o.from {
			kept = append(kept, o)
		} else {
			n = interval{min(n.from, o.from), max(n.to, o.to)}
		}
	}
	kept = append(kept, n)
	slices.SortFunc(kept, func(a, b interval) int { return cmp.Compare(a.from, b.from) })
	if len(kept) > mostIntervals {
		kept = slices.Replace(kept, 0, 2, interval{kept[0].from, kept[1].to})
	}
	s[source] = kept
}

// mostIntervals bounds a set that many commits of one caller add to. What is between
// the two oldest is then asked for as well: others have committed it on the same
// server. Where there is a gap for good, in a group whose primary has changed, the
// replica is not waited for twice: the writer gives another token.
const mostIntervals = 32

func (s gtidSet) String() string {
	var all []string
	for _, source := range slices.Sorted(maps.Keys(s)) {
		one := source
		for _, n := range s[source] {
			one += ":" + strconv.FormatUint(n.from, 10)
			if n.to > n.from {
				one += "-" + strconv.FormatUint(n.to, 10)
			}
		}
		all = append(all, one)
	}
	return strings.Join(all, ",")
}

// A gtidPos is what MariaDB calls a position: the last transaction of each domain.
type gtidPos map[uint64]gtid

type gtid struct{ server, sequence uint64 }

var errNoPosition = errors.New("it is not of the form that MariaDB's tokens have")

// parsePos reads what the server writes: 0-1-100,1-2-5.
func parsePos(text string) (gtidPos, error) {
	pos := gtidPos{}
	if text == "" { // of a server where nothing was written
		return pos, nil
	}
	for one := range strings.SplitSeq(text, ",") {
		parts := strings.Split(one, "-")
		if len(parts) != 3 {
			return nil, errNoPosition
		}
		domain, err := strconv.ParseUint(parts[0], 10, 32)
		server, errServer := strconv.ParseUint(parts[1], 10, 32)
		sequence, errSequence := strconv.ParseUint(parts[2], 10, 64)
		if err != nil || errServer != nil || errSequence != nil {
			return nil, errNoPosition
		}
		pos.add(domain, gtid{server, sequence})
	}
	return pos, nil
}

func (p gtidPos) add(domain uint64, n gtid) {
	if o, has := p[domain]; !has || o.sequence <= n.sequence {
		p[domain] = n
	}
}

// contains reports whether whoever is at p has all that is at q. The sequence counts
// on from server to server; the same number of another server is another transaction.
func (p gtidPos) contains(q gtidPos) bool {
	for domain, n := range q {
		own, has := p[domain]
		if !has || own.sequence < n.sequence || own.sequence == n.sequence && own.server != n.server {
			return false
		}
	}
	return true
}

func (p gtidPos) String() string {
	var all []string
	for _, domain := range slices.Sorted(maps.Keys(p)) {
		all = append(all, fmt.Sprintf("%d-%d-%d", domain, p[domain].server, p[domain].sequence))
	}
	return strings.Join(all, ",")
}

// tokenOf is the token for a set, or a position, as the server writes it; "" for "".
func tokenOf(kind, text string) string {
	text = strings.NewReplacer("\n", "", " ", "", ",", ".").Replace(text)
	if text == "" {
		return ""
	}
	return kind + text
}

// textOf is the set, or the position, of a token.
func textOf(kind, token string) (string, error) {
	text, ok := strings.CutPrefix(token, kind)
	if !ok || text == "" || strings.Contains(text, ",") {
		return "", errNoToken
	}
	return strings.ReplaceAll(text, ".", ","), nil
}

var errNoToken = errors.New("it is no token of this kind of server")
