package query

import (
	"fmt"
	"strings"
)

// FieldError says that a name does not exist in a model, or cannot be used
// where it stands (rule S2). Nothing was sent.
type FieldError struct {
	Model   string   // the model in which the name was looked up
	Name    string   // the name as it was given
	Reason  string   // why it cannot be used; "" if it does not exist
	Choices []string // what can stand in its place: columns, then relations
}

// Error names the model and the choices.
func (e *FieldError) Error() string {
	var sb strings.Builder
	if e.Reason == "" {
		fmt.Fprintf(&sb, "%s has no field %q", e.Model, e.Name)
	} else {
		if e.Model != "" { // a struct without a name
			sb.WriteString(e.Model + ": ")
		}
		fmt.Fprintf(&sb, "field %q %s", e.Name, e.Reason)
	}
	if len(e.Choices) > 0 {
		sb.WriteString("; choices are ")
		sb.WriteString(strings.Join(e.Choices, ", "))
	}
	return sb.String()
}

// ValueError says that a value cannot be used where it stands. Its text never
// holds the value, nor what a Value or a MarshalJSON method says of it, which may:
// that is reached with errors.As, or Unwrap. Nothing was sent.
type ValueError struct {
	Field  string // what the value was meant for: "Audio.index"; may be ""
	Type   string // the Go type of the value
	Reason string
	Err    error // the cause, such as the error of a driver.Valuer; may be nil
}

// Error names the field and the type.
func (e *ValueError) Error() string {
	s := fmt.Sprintf("a value of type %s %s", e.Type, e.Reason)
	if e.Field != "" {
		s = e.Field + ": " + s
	}
	return s
}

// Unwrap returns the cause.
func (e *ValueError) Unwrap() error { return e.Err }
