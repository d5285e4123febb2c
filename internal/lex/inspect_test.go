package lex

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestPlain(t *testing.T) {
	for text, want := range map[string]bool{
		"SELECT 1":                         true,
		" select 1 ; \n":                   true,
		"((SELECT 1) UNION SELECT 2)":      true,
		"-- name: A :one\nSELECT 1":        true,
		"/* why */ WITH a AS (SELECT 1) …": true,
		"MERGE INTO a":                     true,
		"REPLACE INTO a":                   true,
		"":                                 false,
		"SELECTED":                         false,
		"SELECT 1; COMMIT":                 false,
		"SELECT ';'":                       false, // needs the closer look, no more
		"COMMIT":                           false,
		"/*! SELECT */ COMMIT":             false,
	} {
		assert.Equal(t, want, MySQLSyntax.Plain(text), text)
	}
}

func TestCalls(t *testing.T) {
	for text, want := range map[string]bool{
		"SELECT GET_LOCK('a', 1)":     true,
		"SELECT count(*), get_lock (": true,
		"SELECT forget_lock('a')":     false,
		"SELECT get_lock":             false,
		"(":                           false,
	} {
		assert.Equal(t, want, Calls(text, "OTHER", "GET_LOCK"), text)
	}
}

func TestInspectSplits(t *testing.T) {
	count := func(text string) (n int, stacked bool) {
		v := SQLiteSyntax.Inspect(text, nil, func(Tokens) Verdict { n++; return Verdict{} })
		return n, v.Stacked
	}
	for text, want := range map[string]int{"": 0, " ; ;": 0, "a": 1, "a;": 1, ";a;;": 1, "a;b": 2, "a;';'": 2, "a';'": 1} {
		n, stacked := count(text)
		assert.Equal(t, want, n, text)
		assert.Equal(t, want > 1, stacked, text)
	}
}
