package mysql

import (
	"context"
	"database/sql/driver"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/holdfast-go/holdfast/dialect"
	"github.com/holdfast-go/holdfast/internal/backend"
	"github.com/holdfast-go/holdfast/internal/lex"
)

// deadlock reads from InnoDB's own report whom the connection self was in a
// deadlock with. The report is of the latest deadlock on the server: if that was
// another one, nothing is known any more. A deadlock over locks on metadata is
// never in it, and then the latest may be an old one of the same connection.
// Source: MySQL manual, "InnoDB Standard Monitor and Lock Monitor Output".
func (e *engine) deadlock(ctx context.Context, w backend.Wire, self int64) ([]dialect.LockParty, error) {
	report, err := innodbStatus(ctx, w)
	if err != nil {
		return nil, err
	}
	return deadlockWith(report, self), nil
}

// innodbStatus returns InnoDB's report on itself, which is always of the moment.
func innodbStatus(ctx context.Context, w backend.Wire) (report string, err error) {
	err = backend.QueryRows(ctx, w, "SHOW ENGINE INNODB STATUS", nil, func(row []driver.Value) error {
		report = backend.Text(row[len(row)-1])
		return nil
	})
	return report, err
}

var (
	lockingTransaction = regexp.MustCompile(`[1-9]\d* row lock\(s\)|undo log entries`)
	threadID           = regexp.MustCompile(`(?:MySQL|MariaDB) thread id (\d+),`)
)

// lockingIn returns the connections, without self, that have locked rows or
// written some.
func lockingIn(report string, self int64) (ids []int64) {
	for _, transaction := range strings.Split(report, "\n---TRANSACTION ")[1:] {
		thread := threadID.FindStringSubmatch(transaction)
		if thread == nil || !lockingTransaction.MatchString(transaction) {
			continue
		}
		if id, _ := strconv.ParseInt(thread[1], 10, 64); id != self {
			ids = append(ids, id)
		}
	}
	return ids
}

var (
	deadlockSection = regexp.MustCompile(`(?s)LATEST DETECTED DEADLOCK\n-+\n(.*?)\n-+\nTRANSACTIONS\n`)
	deadlockParty   = regexp.MustCompile(`(?s)TRANSACTION \d+, ACTIVE (\d+) sec.*?(?:MySQL|MariaDB) thread id (\d+),[^\n]*\n(.*)`)
)

var reportTime = regexp.MustCompile(`\d{4}-\d\d-\d\d \d\d:\d\d:\d\d`)

// justNow reports whether the deadlock of section is younger than two seconds,
// by the same clock as the report's.
func justNow(section, report string) bool {
	then, errThen := time.Parse(time.DateTime, reportTime.FindString(section))
	now, errNow := time.Parse(time.DateTime, reportTime.FindString(report))
	return errThen == nil && errNow == nil && now.Sub(then) < 2*time.Second
}

func deadlockWith(report string, self int64) (others []dialect.LockParty) {
	section := deadlockSection.FindStringSubmatch(report)
	if section == nil || !justNow(section[1], report) {
		return nil
	}
	involved := false
	for _, part := range strings.Split(section[1], ") TRANSACTION:\n")[1:] {
		found := deadlockParty.FindStringSubmatch(part)
		if found == nil {
			continue
		}
		seconds, _ := strconv.ParseInt(found[1], 10, 64)
		id, _ := strconv.ParseInt(found[2], 10, 64)
		if id == self {
			involved = true
			continue
		}
		text, _, _ := strings.Cut("\n"+found[3], "\n***") // there may be no statement at all
		text = strings.TrimSpace(text)
		others = append(others, dialect.LockParty{
			ConnectionID: id,
			Age:          time.Duration(seconds) * time.Second,
			Statement:    lex.MySQLSyntax.Redact(text),
			Block:        blockName(text),
		})
	}
	if !involved {
		return nil
	}
	return others
}
