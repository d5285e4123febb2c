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
// alike.
package models
