-- +goose Up
CREATE TABLE seat (
	id INTEGER PRIMARY KEY AUTOINCREMENT,
	seat_row INTEGER NOT NULL,
	number INTEGER NOT NULL,
	price_cents INTEGER NOT NULL,
	booking_id INTEGER,
	held_until DATETIME,
	UNIQUE (seat_row, number)
);

-- +goose Down
DROP TABLE seat;
