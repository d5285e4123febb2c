// Package models has structs that an application embeds in its models:
//
//	type Audio struct {
//		models.AutoID
//		models.Timestamps
//		ProjectID int64
//		Text      string
//	}
//
// The columns stand where the struct is embedded. Package orm knows the mixins
// by their methods: a struct of your own with the same methods is treated
// alike. What the methods return are columns: a model that has a field of its own
// beside that of a mixin (a second Version, say, for another tag) gives them anew,
// or is an error when it is first used (rule S28).
package models
