package query_test

import (
	"errors"
	"fmt"

	"github.com/holdfast-go/holdfast/query"
)

// A name that the model does not have, with those that it has.
func ExampleFieldError() {
	ctx, all := tickets()
	_, err := all.Filter(query.F("titel").Eq("x")).All(ctx)
	var unknown *query.FieldError
	if errors.As(err, &unknown) {
		fmt.Println(unknown.Model, unknown.Name, unknown.Choices)
	}
	// Output: Ticket titel [id title priority votes assignee opened]
}

// A value that cannot be what the column is. The error does not hold it.
func ExampleValueError() {
	ctx, all := tickets()
	_, err := all.Filter(query.F("votes").Eq(make(chan int))).All(ctx)
	var wrong *query.ValueError
	if errors.As(err, &wrong) {
		fmt.Println(wrong)
	}
	// Output: Ticket.votes: a value of type chan int cannot be stored
}
