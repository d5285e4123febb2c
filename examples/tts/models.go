package main

import (
	"github.com/uptrace/bun"

	"github.com/holdfast-go/holdfast/models"
)

// Project is what a studio works on.
type Project struct {
	bun.BaseModel `bun:"table:project"`
	models.AutoID
	models.Timestamps
	Name string `bun:",notnull"`
}

// Audio is one text of a project and the sound file that speaks it.
type Audio struct {
	bun.BaseModel `bun:"table:audio"`
	models.AutoID
	models.Timestamps
	ProjectID       int64    `bun:",notnull"`
	UserID          int64    `bun:",notnull"`
	Index           int      `bun:",notnull"` // its place in the project
	Text            string   `bun:",notnull"`
	Speed           float64  `bun:",notnull"`
	Path            string   `bun:",notnull"` // of the sound; "" before the first rendering
	IsAudioRequired bool     `bun:",notnull"` // the text has changed since the sound was rendered
	Project         *Project `bun:"rel:belongs-to,join:project_id=id"`
}
