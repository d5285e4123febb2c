package render

import (
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/uptrace/bun"
	"github.com/uptrace/bun/schema"
)

// checkTags refuses what bun would pass over, with a line in a log at most: a
// model would then not be what its tags say. within are the structs around it.
func checkTags(t reflect.Type, within ...reflect.Type) error {
	within = append(slices.Clip(within), t)
	for i := range t.NumField() {
		f := t.Field(i)
		tag, err := bunTag(f.Tag)
		if err != nil {
			return fmt.Errorf("field %s: %w", f.Name, err)
		}
		if tag == "-" {
			continue
		}
		name, options := optionsOf(tag)
		if f.Type == baseModel {
			err = check(options, tableOptions)
		} else {
			err = check(options, fieldOptions)
		}
		switch {
		case err != nil:
		case f.Type != baseModel && mistakenNames[name]:
			err = fmt.Errorf("the tag calls the column %q, which is the name of an option: write `bun:\",%s\"`", name, name)
		case f.Type == baseModel:
		case base(f.Type).Kind() != reflect.Struct || !f.Anonymous && !embeds(options):
		case !slices.Contains(within, base(f.Type)):
			err = checkTags(base(f.Type), within...)
		case embeds(options):
			err = fmt.Errorf("it stands in itself, and would have columns without end: read it as a relation (rel:belongs-to)")
		}
		if err != nil {
			return fmt.Errorf("field %s: %w", f.Name, err)
		}
	}
	return nil
}

func embeds(options []string) bool {
	return slices.ContainsFunc(options, func(option string) bool { return strings.HasPrefix(option, "embed") })
}

var baseModel = reflect.TypeFor[schema.BaseModel]()

// What a tag may hold, and why not for what Holdfast does not follow.
var (
	tableOptions = map[string]string{"table": "", "alias": "", "select": "the option select is not supported: rows are read from the table itself"}
	fieldOptions = map[string]string{
		"column": "", "type": "", "array": "", "json_use_number": "", "notnull": "", "nullzero": "", "default": "", "unique": "",
		"scanonly": "", "skipupdate": "", "pk": "", "autoincrement": "", "identity": "", "rel": "", "join": "", "join_on": "",
		"on_update": "", "on_delete": "", "m2m": "", "polymorphic": "", "embed": "", "inherit": "", "extend": "", "soft_delete": "",
		"msgpack": notFollowed, "composite": notFollowed, "hstore": notFollowed, "multirange": notFollowed,
		"alt": "the option alt is not supported: a column has one name",
	}
	mistakenNames = map[string]bool{"pk": true, "autoincrement": true, "notnull": true, "nullzero": true, "scanonly": true, "skipupdate": true,
		"soft_delete": true, "json_use_number": true}
)

const notFollowed = "msgpack, composite, hstore and multirange are not supported: give its type a Value and a Scan method"

func check(options []string, known map[string]string) error {
	for _, option := range options {
		key, value, _ := strings.Cut(option, ":")
		why, ok := known[key]
		switch {
		case !ok:
			return fmt.Errorf("the tag has the option %q, which does not exist", key)
		case why != "":
			return fmt.Errorf("%s", why)
		case (key == "on_delete" || key == "on_update") && !actions[strings.ToUpper(value)]:
			return fmt.Errorf("%s is one of CASCADE, RESTRICT, SET NULL, SET DEFAULT and NO ACTION", key)
		}
	}
	return nil
}

var actions = map[string]bool{"CASCADE": true, "RESTRICT": true, "SET NULL": true, "SET DEFAULT": true, "NO ACTION": true}

// bunTag is the tag for bun. One that is not written as tags are is not found by
// bun, and quotes in it end it early.
func bunTag(all reflect.StructTag) (string, error) {
	tag, found := all.Lookup("bun")
	switch {
	case !found && strings.Contains(string(all), "bun:"):
		return "", fmt.Errorf("the tag cannot be read: write `bun:\"…\"`, with a space between two tags and no quote within")
	case !found:
		return "", nil
	}
	if malformed(string(all)) {
		return "", fmt.Errorf("the tag cannot be read to its end: write `bun:\"…\"`, with a space between two tags and no quote within")
	}
	if strings.IndexByte(tag, '"') >= 0 {
		return "", fmt.Errorf("the tag has a double quote in it, at which bun stops reading: a text in SQL stands between single quotes")
	}
	return tag, nil
}

// malformed reports whether a tag is not key:"value" pairs to its end, as
// reflect.StructTag wants them.
func malformed(tag string) bool {
	for {
		if tag = strings.TrimLeft(tag, " "); tag == "" {
			return false
		}
		key, rest, ok := strings.Cut(tag, `:"`)
		if !ok || key == "" || strings.ContainsAny(key, " \"\x7f") {
			return true
		}
		quoted, err := strconv.QuotedPrefix(`"` + rest)
		if err != nil {
			return true
		}
		if tag = rest[len(quoted)-1:]; tag != "" && tag[0] != ' ' {
			return true
		}
	}
}

// optionsOf splits a tag as bun does: commas within parentheses separate nothing.
func optionsOf(tag string) (name string, options []string) {
	depth, from := 0, 0
	var parts []string
	for i := 0; i <= len(tag); i++ {
		switch {
		case i == len(tag) || tag[i] == ',' && depth == 0:
			parts = append(parts, tag[from:i])
			from = i + 1
		case tag[i] == '(':
			depth++
		case tag[i] == ')' && depth > 0:
			depth--
		}
	}
	if len(parts) > 0 && !strings.Contains(parts[0], ":") {
		name, parts = parts[0], parts[1:]
	}
	for _, part := range parts {
		if part != "" {
			options = append(options, part)
		}
	}
	return name, options
}

// hooks are what bun would call for a model, and Holdfast does not.
var hooks = []reflect.Type{
	reflect.TypeFor[schema.BeforeAppendModelHook](), reflect.TypeFor[schema.BeforeScanRowHook](), reflect.TypeFor[schema.AfterScanRowHook](),
	reflect.TypeFor[bun.BeforeSelectHook](), reflect.TypeFor[bun.AfterSelectHook](), reflect.TypeFor[bun.BeforeInsertHook](), reflect.TypeFor[bun.AfterInsertHook](),
	reflect.TypeFor[bun.BeforeUpdateHook](), reflect.TypeFor[bun.AfterUpdateHook](), reflect.TypeFor[bun.BeforeDeleteHook](), reflect.TypeFor[bun.AfterDeleteHook](),
	reflect.TypeFor[bun.BeforeCreateTableHook](), reflect.TypeFor[bun.AfterCreateTableHook](), reflect.TypeFor[bun.BeforeDropTableHook](), reflect.TypeFor[bun.AfterDropTableHook](),
}

// checkHooks refuses a model whose author counts on a check that would not run.
func checkHooks(t reflect.Type) error {
	for _, hook := range hooks {
		if reflect.PointerTo(t).Implements(hook) {
			return fmt.Errorf("it has bun's hook %s, which Holdfast does not call: a check belongs into the database or in front of the call", hook.Method(0).Name)
		}
	}
	return nil
}
