package ast

// Deleted is which rows are read of a model that marks deleted rows instead of
// deleting them. It means nothing for other models.
type Deleted uint8

// The rows of such a model.
const (
	LeaveDeleted Deleted = iota // those that are not deleted
	WithDeleted                 // all
	OnlyDeleted
)
