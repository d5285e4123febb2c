-- +goose Up
CREATE TABLE payment (
	id BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY,
	created_at DATETIME(6) NOT NULL,
	updated_at DATETIME(6) NOT NULL,
	booking_id BIGINT NOT NULL,
	amount_cents BIGINT NOT NULL,
	FOREIGN KEY (booking_id) REFERENCES booking (id)
) ENGINE = InnoDB;

-- +goose Down
DROP TABLE payment;
