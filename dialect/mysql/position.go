package mysql

import (
	"context"
	"database/sql/driver"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/holdfast-go/holdfast/dialect"
	"github.com/holdfast-go/holdfast/internal/backend"
)

// positions is how a server of MySQL or MariaDB tells where a commit stands
// (MySQL manual, "session_track_gtids", "GTID functions"; MariaDB documentation,
// "session_track_system_variables", "last_gtid", "MASTER_GTID_WAIT").
type positions struct {
	kind  string // of its tokens
	track string // has each answer to a commit say where it stands
	own   string // asks for it otherwise
	now   string // asks for all that the server has
}

var (
	mysqlPositions = &positions{
		kind:  mysqlToken,
		track: "SET @@SESSION.session_track_gtids = 'OWN_GTID'",
		own:   "SELECT @@GLOBAL.gtid_executed", // and what others have committed
		now:   "SELECT @@GLOBAL.gtid_executed",
	}
	mariadbPositions = &positions{
		kind:  mariadbToken,
		track: "SET @@SESSION.session_track_system_variables = CONCAT(@@SESSION.session_track_system_variables, ',last_gtid')",
		own:   "SELECT @@SESSION.last_gtid",
		now:   "SELECT @@GLOBAL.gtid_current_pos",
	}
)

// positionsOf returns nil for a server that leaves none, and why.
func positionsOf(f *facts, vars map[string]string) (*positions, string) {
	switch {
	case f.galera:
		return nil, "it is one node of a Galera cluster; there wsrep_sync_wait has every node show what was committed before"
	case !isOn(vars["log_bin"]):
		return nil, "its binary log is off (log_bin)"
	case f.server.Engine == dialect.MariaDB:
		return mariadbPositions, ""
	case !strings.HasPrefix(strings.ToUpper(vars["gtid_mode"]), "ON"):
		return nil, "gtid_mode is not ON"
	}
	return mysqlPositions, ""
}

// Leaves implements backend.Positions.
func (e *engine) Leaves() error {
	if e.positions != nil {
		return nil
	}
	return &dialect.UnsupportedError{Server: e.server, Feature: dialect.Replicas.String(), Hint: e.silent}
}

// Check implements backend.Positions.
func (e *engine) Check(token string) error {
	if len(token) > longestToken {
		return errNoToken
	}
	_, err := e.positions.parse(token)
	return err
}

// parse returns the text of a token as the server would write it.
func (p *positions) parse(token string) (string, error) {
	text, err := textOf(p.kind, token)
	if err != nil {
		return "", err
	}
	if p.kind == mysqlToken {
		set, err := parseSet(text)
		return set.String(), err
	}
	pos, err := parsePos(text)
	return pos.String(), err
}

// Join implements backend.Positions.
func (e *engine) Join(token, later string) string {
	a, err := textOf(e.positions.kind, token)
	b, errLater := textOf(e.positions.kind, later)
	if err != nil || errLater != nil {
		return later
	}
	var both string
	if e.positions.kind == mysqlToken {
		set, err := parseSet(a + "," + b)
		if err != nil {
			return later
		}
		both = set.String()
	} else {
		pos, err := parsePos(a + "," + b)
		if err != nil {
			return later
		}
		both = pos.String()
	}
	return tokenOf(e.positions.kind, both)
}

// Suspect implements backend.Positions. A group's transactions have its name,
// whoever is its primary.
func (e *engine) Suspect(token string) bool {
	node := e.node.Load()
	text, err := textOf(e.positions.kind, token)
	if err != nil || node == nil {
		return false
	}
	if e.positions.kind == mysqlToken {
		set, _ := parseSet(text)
		for source := range set {
			if uuid, _, _ := strings.Cut(source, ":"); uuid != *node && uuid != e.group {
				return true
			}
		}
		return false
	}
	pos, _ := parsePos(text)
	for _, n := range pos {
		if !strings.Contains(*node, ":"+strconv.FormatUint(n.server, 10)+":") {
			return true
		}
	}
	return false
}

// Tell implements backend.PositionTeller. The setting stays with the connection. Where
// the server's answers cannot say it, Position asks: they would look as if nothing was
// committed.
func (w *wire) Tell(on bool) []string {
	if !on || w.tracks || w.silent || w.positions == nil {
		return nil
	}
	return []string{w.positions.track}
}

// tracking notes that the first statement of a prefix has run.
func (w *wire) tracking(prefix []string) {
	if !w.tracks && w.positions != nil && len(prefix) > 0 && prefix[0] == w.positions.track {
		w.tracks = true
	}
}

// Position implements backend.PositionTeller.
func (w *wire) Position(ctx context.Context) (string, error) {
	if w.positions == nil {
		return "", errSilent
	}
	if w.tracks {
		if told, ok := w.replies.told(); ok {
			return tokenOf(w.positions.kind, told.position), nil
		}
	}
	text, err := askText(ctx, w, w.positions.own)
	if err != nil {
		return "", err
	}
	return w.positions.token(text)
}

var errSilent = fmt.Errorf("the server leaves no tokens: %w", dialect.ErrUnsupported)

// Renew implements backend.PositionTeller.
func (w *wire) Renew(ctx context.Context, token string) (string, error) {
	if w.positions == nil {
		return "", errSilent
	}
	if has, err := w.has(ctx, token); has || err != nil {
		return token, err
	}
	text, err := askText(ctx, w, w.positions.now)
	if err != nil {
		return "", err
	}
	return w.positions.token(text)
}

// token is the token for all that the server has, which grows with its history.
func (p *positions) token(text string) (string, error) {
	token := tokenOf(p.kind, text)
	if len(token) > longestToken {
		return "", fmt.Errorf("what the server has executed takes %d bytes to name", len(token))
	}
	return token, nil
}

// has reports whether the server has all that token names.
func (w *wire) has(ctx context.Context, token string) (bool, error) {
	if token == "" {
		return false, nil
	}
	text, err := w.positions.parse(token)
	if err != nil {
		return false, err
	}
	if w.positions.kind == mysqlToken {
		answer, err := askText(ctx, w, "SELECT GTID_SUBSET(?, @@GLOBAL.gtid_executed)", text)
		return answer == "1", err
	}
	wanted, err := parsePos(text)
	if err != nil {
		return false, err
	}
	answer, err := askText(ctx, w, w.positions.now)
	if err != nil {
		return false, err
	}
	pos, err := parsePos(answer)
	return err == nil && pos.contains(wanted), err
}

// Reach implements backend.Follower.
func (w *wire) Reach(ctx context.Context, token string, limit time.Duration) (backend.Standing, error) {
	if w.positions == nil {
		return backend.Behind, errSilent
	}
	if w.applied == token {
		return backend.Reached, nil
	}
	text, err := w.positions.parse(token)
	if err != nil {
		return backend.Behind, err
	}
	wait, done := "SELECT WAIT_FOR_EXECUTED_GTID_SET(?, ?)", "0"
	if w.positions.kind == mariadbToken {
		// Its function looks at what came from elsewhere alone; the server may have
		// become the writer.
		has, err := w.has(ctx, token)
		if has {
			w.applied = token
			return backend.Reached, nil
		}
		if err != nil || limit <= 0 {
			return backend.Behind, err
		}
		wait = "SELECT MASTER_GTID_WAIT(?, ?)"
	}
	seconds := math.Max(limit.Seconds(), 0.001) // 0 would be for ever
	answer, err := askText(ctx, w, wait, text, seconds)
	if err != nil || answer != done {
		return backend.Behind, err
	}
	w.applied = token
	return backend.Reached, nil
}

// askText sends a query that yields one value.
func askText(ctx context.Context, w backend.Wire, query string, args ...any) (string, error) {
	rows, err := w.Query(ctx, nil, query, args)
	if err != nil {
		return "", err
	}
	row := make([]driver.Value, len(rows.Columns()))
	err = rows.Next(row)
	text := ""
	if err == nil {
		text = backend.Text(row[0])
	}
	if closeErr := rows.Close(); err == nil {
		err = closeErr
	}
	return text, err
}
