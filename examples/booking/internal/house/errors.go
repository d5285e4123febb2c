package house

import "errors"

// The answers that are none of the program's fault.
var (
	ErrBeingTaken = errors.New("somebody is just taking this seat")
	ErrSold       = errors.New("this seat is sold")
	ErrNoSeat     = errors.New("there is no such seat")
	ErrNoBooking  = errors.New("there is no such booking of this visitor")
	ErrExpired    = errors.New("the seat was held for too long, and is free again or somebody else's")
)
