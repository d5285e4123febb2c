package mysql

import (
	"net/url"
	"strings"
)

const tagStart = "/*block='"

// Tag implements backend.Tagger. Escaping leaves nothing in the name that could
// end the comment.
func (e *engine) Tag(block string) string { return tagStart + url.QueryEscape(block) + "'*/ " }

// blockName reads the comment that Tag has made. Elsewhere in a text such a
// comment could be part of a value.
func blockName(text string) string {
	name, tagged := strings.CutPrefix(strings.TrimSpace(text), tagStart)
	if !tagged {
		return ""
	}
	name, _, closed := strings.Cut(name, "'*/")
	if !closed {
		return ""
	}
	name, err := url.QueryUnescape(name)
	if err != nil {
		return ""
	}
	return name
}
