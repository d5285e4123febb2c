-- +goose Up
CREATE TABLE payment (
	id INTEGER PRIMARY KEY AUTOINCREMENT,
	created_at DATETIME NOT NULL,
	updated_at DATETIME NOT NULL,
	booking_id INTEGER NOT NULL,
	amount_cents INTEGER NOT NULL,
	FOREIGN KEY (booking_id) REFERENCES booking (id)
);

-- +goose Down
DROP TABLE payment;
