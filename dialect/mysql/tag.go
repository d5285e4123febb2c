package mysql

import "net/url"

const tagStart = "/*block='"

// Tag implements dialect.Tagger. Escaping leaves nothing in the name that could
// end the comment.
func (e *engine) Tag(block string) string { return " " + tagStart + url.QueryEscape(block) + "'*/" }
