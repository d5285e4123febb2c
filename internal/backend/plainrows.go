package backend

import "database/sql/driver"

// preparedRows are rows of a prepared statement that was made for them alone.
type preparedRows struct {
	Rows
	stmt driver.Stmt
}

func (r *preparedRows) Close() error {
	err := r.Rows.Close()
	if r.stmt != nil {
		_ = r.stmt.Close()
		r.stmt = nil
	}
	return err
}
