package orm

// BatchSizes is how many rows each statement of a BulkCreate would carry.
func BatchSizes[T any](q QuerySet[T], rows []*T) []int {
	var sizes []int
	for _, b := range q.set.batches(rows) {
		sizes = append(sizes, len(b.Rows))
	}
	return sizes
}
