// Package joined holds programs of other projects that nest transactions by
// themselves, over DB.SQL() inside a block: each a package of its own.
package joined
