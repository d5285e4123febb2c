package queries

import (
	"github.com/uptrace/bun"
)

// Team refers to another team, above it. Noted is what Annotate computes.
type Team struct {
	bun.BaseModel `bun:"table:team"`
	ID            int64 `bun:",pk,autoincrement"`
	Name          string
	Score         *int64
	ParentID      *int64
	Noted         *int64    `bun:",scanonly"`
	Parent        *Team     `bun:"rel:belongs-to,join:parent_id=id"`
	Children      []*Team   `bun:"rel:has-many,join:id=parent_id"`
	Members       []*Member `bun:"rel:has-many,join:id=team_id"`
}

// Member may be in no team.
type Member struct {
	bun.BaseModel `bun:"table:member"`
	ID            int64 `bun:",pk,autoincrement"`
	TeamID        *int64
	Nick          *string
	Level         int64
	Weight        *float64
	Active        bool
	Noted         *int64 `bun:",scanonly"`
	Team          *Team  `bun:"rel:belongs-to,join:team_id=id"`
	Tasks         []Task `bun:"rel:has-many,join:id=member_id"`
}

// Task is always a member's.
type Task struct {
	bun.BaseModel `bun:"table:task"`
	ID            int64 `bun:",pk,autoincrement"`
	MemberID      int64
	Points        int64
	Due           *int64
	Title         string
	Noted         *int64  `bun:",scanonly"`
	Member        *Member `bun:"rel:belongs-to,join:member_id=id"`
	Tags          []*Tag  `bun:"m2m:task_tag,join:Task=Tag"`
}

// Tag is on any number of tasks.
type Tag struct {
	bun.BaseModel `bun:"table:tag"`
	ID            int64 `bun:",pk,autoincrement"`
	Label         *string
	Noted         *int64  `bun:",scanonly"`
	Tasks         []*Task `bun:"m2m:task_tag,join:Tag=Task"`
}

// TaskTag says which.
type TaskTag struct {
	bun.BaseModel `bun:"table:task_tag"`
	TaskID        int64 `bun:",pk"`
	TagID         int64 `bun:",pk"`
	Task          *Task `bun:"rel:belongs-to,join:task_id=id"`
	Tag           *Tag  `bun:"rel:belongs-to,join:tag_id=id"`
}

// model is a row as it was read.
type model interface {
	values() []value // in the order of the table's columns, and Noted
	one(relation string) model
	many(relation string) []model
}

func (m *Team) values() []value {
	return []value{m.ID, m.Name, at(m.Score), at(m.ParentID), at(m.Noted)}
}

func (m *Member) values() []value {
	return []value{m.ID, at(m.TeamID), at(m.Nick), m.Level, at(m.Weight), m.Active, at(m.Noted)}
}

func (m *Task) values() []value {
	return []value{m.ID, m.MemberID, m.Points, at(m.Due), m.Title, at(m.Noted)}
}

func (m *Tag) values() []value { return []value{m.ID, at(m.Label), at(m.Noted)} }

func (m *Team) one(string) model   { return there(m.Parent) }
func (m *Member) one(string) model { return there(m.Team) }
func (m *Task) one(string) model   { return there(m.Member) }
func (m *Tag) one(string) model    { return nil }

func (m *Team) many(relation string) []model {
	if relation == "children" {
		return list(m.Children)
	}
	return list(m.Members)
}

func (m *Member) many(string) []model {
	if m.Tasks == nil {
		return nil
	}
	tasks := make([]model, len(m.Tasks))
	for i := range m.Tasks {
		tasks[i] = &m.Tasks[i]
	}
	return tasks
}

func (m *Task) many(string) []model { return list(m.Tags) }
func (m *Tag) many(string) []model  { return list(m.Tasks) }

func at[V any](p *V) value {
	if p == nil {
		return nil
	}
	return *p
}

func there[M any, P interface {
	*M
	model
}](p P) model {
	if p == nil {
		return nil
	}
	return p
}

// list keeps nil apart from an empty list.
func list[M model](rows []M) []model {
	if rows == nil {
		return nil
	}
	models := make([]model, len(rows))
	for i, r := range rows {
		models[i] = r
	}
	return models
}
