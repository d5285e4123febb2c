package orm_test

import "strings"

func marksPage() string {
	var sb strings.Builder
	sb.WriteString(`# What marks a block

A block that is marked can only be rolled back (rule B6 of [the contract](contract.md)). This table says which failures do it, the same on every
engine; a test runs each cell on each of them. An empty cell cannot happen.

`)
	sb.WriteString("| |")
	rule := "\n|---|"
	for _, f := range failures {
		sb.WriteString(" " + f + " |")
		rule += "---|"
	}
	sb.WriteString(rule + "\n")
	for _, o := range operations() {
		sb.WriteString("| " + o.name + " |")
		for _, f := range failures {
			sb.WriteString(" " + o.want(f) + " |")
		}
		sb.WriteString("\n")
	}
	sb.WriteString(`
Misuse is what is found before anything is attempted: an unknown column, an option that the server does not have, a ` + "`COMMIT`" + ` as a text,
the wrong ` + "`ctx`" + `. Where a call through ` + "`SQL()`" + `, ` + "`Bun()`" + ` or ` + "`DB.Query`" + ` does not mark although its own ` + "`ctx`" + ` has ended,
database/sql gives it up before anybody hears of it. What a program scans itself (` + "`Row.Scan`, `sql.Rows.Scan`" + `) is no operation, and marks nothing.
A row that a trigger passes over without an error, where it was to be written (` + "`*orm.NotKeptError`" + `), marks as one that is refused.
A transaction of ` + "`BeginTx`" + ` is a block like any other: what fails in it marks it, and not the one around it.
`)
	return sb.String()
}
