package dialect

import (
	"slices"
	"strings"
)

//go:generate go run ./internal/captable ../README.md

// Products are the servers that Holdfast runs its own suite on, as
// Server.Product names them.
func Products() []string { return slices.Clone(productNames[:firstCompatible]) }

// CompatibleProducts are the servers that speak the protocol of one of
// [Products] with fewer features. Their versions are counted by their own
// numbers, not by those of the server that they resemble.
func CompatibleProducts() []string { return slices.Clone(productNames[firstCompatible:]) }

// CapabilityTable is the table of capabilities in Markdown, with a column for
// each of the products.
func CapabilityTable(products []string) string {
	var sb strings.Builder
	sb.WriteString("| |")
	rule := "\n|---|"
	for _, p := range products {
		sb.WriteString(" " + p + " |")
		rule += "---|"
	}
	sb.WriteString(rule + "\n")
	for c := range capabilityCount {
		if c == WaitSetting {
			continue // the row of WaitClause shows both
		}
		sb.WriteString("| " + c.String() + " |")
		for _, p := range products {
			server := Server{Product: p}
			sup := server.support(c)
			if c == WaitClause && !sup.has {
				sup = server.support(WaitSetting)
			}
			sb.WriteString(" " + sup.cell() + " |")
		}
		sb.WriteString("\n")
	}
	return sb.String()
}

// cell is the text of a cell: yes, no or the first version, and the note.
func (s support) cell() string {
	said := "yes"
	switch {
	case !s.has:
		said = "no"
	case s.since != Version{}:
		said = "≥ " + s.since.short()
	case s.note != "":
		return s.note
	}
	if s.note != "" {
		said += ": " + s.note
	}
	return said
}
