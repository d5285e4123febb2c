package ast

// JSONPath is the value to which a path leads within a JSON value. A step is a string,
// the key of an object, or an int, a position in an array.
type JSONPath struct {
	Of   Node
	Path []any
}

// JSONRead is a JSON value as one of another kind, and NULL where it is no such value.
type JSONRead struct {
	Of Node
	As JSONReading
}

// JSONReading is what a [JSONRead] makes of a value.
type JSONReading uint8

// The ways to read a JSON value.
const (
	JSONText JSONReading = iota
	JSONWhole
	JSONFloat
	JSONBoolean
	JSONType
	JSONLength
)

// JSONChanged is a JSON value after changes, of which none is of a part of another's.
type JSONChanged struct {
	Of      Node
	Changes []JSONChange
}

// JSONChange gives the end of a path a value, or takes away what is there.
type JSONChange struct {
	Path   []any
	Value  any
	Remove bool
}

func (JSONPath) node()    {}
func (JSONRead) node()    {}
func (JSONChanged) node() {}
