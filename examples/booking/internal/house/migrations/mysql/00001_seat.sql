-- +goose Up
CREATE TABLE seat (
	id BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY,
	seat_row BIGINT NOT NULL,
	number BIGINT NOT NULL,
	price_cents BIGINT NOT NULL,
	booking_id BIGINT,
	held_until DATETIME(6),
	UNIQUE (seat_row, number)
) ENGINE = InnoDB;

-- +goose Down
DROP TABLE seat;
