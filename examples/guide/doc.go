// Package guide has the programs of docs/guide.md, as somebody who follows it has
// them in the end. Its tests see to it that the page has every line of every file,
// and that each program prints what the page says, on SQLite and on the servers.
package guide
