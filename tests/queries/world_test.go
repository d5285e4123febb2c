package queries

import (
	"context"
	"fmt"
	"strings"

	"pgregory.net/rapid"

	"github.com/holdfast-go/holdfast/orm"
)

// world is the rows of all tables.
type world struct {
	tables []*table
	links  [][2]int64 // of a task and a tag
	models []any      // slices of models, as they are written
}

// table is a table and its rows.
type table struct {
	name      string
	columns   []column
	relations []*relation
	rows      []*record
	open      func(*orm.DB) rowSet
}

type column struct {
	name string
	kind kind
}

// relation leads from a row to others, of which column to equals column from of the
// row; a linked one by way of the table between.
type relation struct {
	name     string
	target   *table
	from, to string
	many     bool
	linked   bool
	taskSide bool
}

// record is a row.
type record struct {
	of *table
	v  map[string]value
}

func (w *world) table(name string) *table {
	for _, t := range w.tables {
		if t.name == name {
			return t
		}
	}
	panic("no table " + name)
}

// related is the rows that r leads to from a row.
func (w *world) related(row *record, r *relation) []*record {
	var found []*record
	for _, other := range r.target.rows {
		is := equal(row.v[r.from], other.v[r.to])
		if r.linked {
			is = false
			for _, l := range w.links {
				if !r.taskSide {
					l[0], l[1] = l[1], l[0]
				}
				is = is || l[0] == row.v["id"] && l[1] == other.v["id"]
			}
		}
		if is {
			found = append(found, other)
		}
	}
	return found
}

// schema is the tables without rows.
func schema() *world {
	team := &table{name: "Team", open: opened[Team], columns: []column{{"id", whole}, {"name", text}, {"score", whole}, {"parent_id", whole}}}
	member := &table{name: "Member", open: opened[Member], columns: []column{{"id", whole}, {"team_id", whole}, {"nick", text}, {"level", whole}, {"weight", floating}, {"active", truth}}}
	task := &table{name: "Task", open: opened[Task], columns: []column{{"id", whole}, {"member_id", whole}, {"points", whole}, {"due", whole}, {"title", text}}}
	tag := &table{name: "Tag", open: opened[Tag], columns: []column{{"id", whole}, {"label", text}}}
	team.relations = []*relation{{name: "parent", target: team, from: "parent_id", to: "id"},
		{name: "children", target: team, from: "id", to: "parent_id", many: true}, {name: "members", target: member, from: "id", to: "team_id", many: true}}
	member.relations = []*relation{{name: "team", target: team, from: "team_id", to: "id"}, {name: "tasks", target: task, from: "id", to: "member_id", many: true}}
	task.relations = []*relation{{name: "member", target: member, from: "member_id", to: "id"}, {name: "tags", target: tag, many: true, linked: true, taskSide: true}}
	tag.relations = []*relation{{name: "tasks", target: task, many: true, linked: true}}
	return &world{tables: []*table{team, member, task, tag}}
}

func texts() *rapid.Generator[string] {
	return rapid.SampledFrom([]string{"", "a", "A", "b", "a ", "ab"})
}
func small() *rapid.Generator[int64] { return rapid.Int64Range(-2, 3) }

// worlds draws rows for the schema.
func worlds(t *rapid.T) *world {
	w := schema()
	count := func(most int, label string) int { return rapid.IntRange(0, most).Draw(t, label) }
	among := func(n int, label string) *int64 {
		if k := int64(count(n, label)); k > 0 {
			return &k
		}
		return nil
	}
	null := func(label string) *int64 { return rapid.Ptr(small(), true).Draw(t, label) }

	var teams []*Team
	for i := range count(4, "teams") {
		teams = append(teams, &Team{ID: int64(i + 1), Name: texts().Draw(t, "name"), Score: null("score"), ParentID: among(i, "parent")})
	}
	var members []*Member
	for i := range count(6, "members") {
		m := &Member{ID: int64(i + 1), TeamID: among(len(teams), "team"), Nick: rapid.Ptr(texts(), true).Draw(t, "nick"), Level: small().Draw(t, "level"), Active: rapid.Bool().Draw(t, "active")}
		if quarters := null("weight"); quarters != nil {
			f := float64(*quarters) / 4
			m.Weight = &f
		}
		members = append(members, m)
	}
	var tasks []*Task
	if len(members) > 0 {
		for i := range count(7, "tasks") {
			tasks = append(tasks, &Task{ID: int64(i + 1), MemberID: int64(1 + count(len(members)-1, "member")), Points: small().Draw(t, "points"), Due: null("due"), Title: texts().Draw(t, "title")})
		}
	}
	var tags []*Tag
	for i := range count(3, "tags") {
		tags = append(tags, &Tag{ID: int64(i + 1), Label: rapid.Ptr(texts(), true).Draw(t, "label")})
	}
	var links []*TaskTag
	if len(tasks)*len(tags) > 0 {
		for _, at := range rapid.SliceOfNDistinct(rapid.IntRange(0, len(tasks)*len(tags)-1), 0, 8, rapid.ID[int]).Draw(t, "links") {
			l := &TaskTag{TaskID: int64(at/len(tags) + 1), TagID: int64(at%len(tags) + 1)}
			links = append(links, l)
			w.links = append(w.links, [2]int64{l.TaskID, l.TagID})
		}
	}
	fill(w.tables[0], teams)
	fill(w.tables[1], members)
	fill(w.tables[2], tasks)
	fill(w.tables[3], tags)
	w.models = []any{teams, members, tasks, tags, links}
	return w
}

func fill[M model](t *table, rows []M) {
	for _, row := range rows {
		r := &record{of: t, v: map[string]value{}}
		values := row.values()
		for i, c := range t.columns {
			r.v[c.name] = values[i]
		}
		t.rows = append(t.rows, r)
	}
}

// write puts the rows into tables that are empty.
func (w *world) write(ctx context.Context, db *orm.DB) error {
	for _, rows := range w.models {
		var err error
		switch rows := rows.(type) {
		case []*Team:
			err = orm.Objects[Team](db).BulkCreate(ctx, rows)
		case []*Member:
			err = orm.Objects[Member](db).BulkCreate(ctx, rows)
		case []*Task:
			err = orm.Objects[Task](db).BulkCreate(ctx, rows)
		case []*Tag:
			err = orm.Objects[Tag](db).BulkCreate(ctx, rows)
		case []*TaskTag:
			err = orm.Objects[TaskTag](db).BulkCreate(ctx, rows)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (w *world) String() string {
	var b strings.Builder
	for _, t := range w.tables {
		names := make([]string, len(t.columns))
		for i, c := range t.columns {
			names[i] = c.name
		}
		fmt.Fprintf(&b, "%s (%s)\n", t.name, strings.Join(names, ", "))
		for _, r := range t.rows {
			list := make([]value, len(t.columns))
			for i, c := range t.columns {
				list[i] = r.v[c.name]
			}
			fmt.Fprintf(&b, "\t%s\n", spelled(list))
		}
	}
	fmt.Fprintf(&b, "TaskTag %v\n", w.links)
	return b.String()
}
