-- +goose Up
CREATE TABLE booking (
	id BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY,
	created_at DATETIME(6) NOT NULL,
	updated_at DATETIME(6) NOT NULL,
	seat_id BIGINT NOT NULL,
	visitor VARBINARY(32) NOT NULL,
	price_cents BIGINT NOT NULL,
	paid_at DATETIME(6),
	FOREIGN KEY (seat_id) REFERENCES seat (id)
) ENGINE = InnoDB;

-- +goose Down
DROP TABLE booking;
