-- +goose Up
CREATE TABLE booking (
	id INTEGER PRIMARY KEY AUTOINCREMENT,
	created_at DATETIME NOT NULL,
	updated_at DATETIME NOT NULL,
	seat_id INTEGER NOT NULL,
	visitor BLOB NOT NULL,
	price_cents INTEGER NOT NULL,
	paid_at DATETIME,
	FOREIGN KEY (seat_id) REFERENCES seat (id)
);

-- +goose Down
DROP TABLE booking;
