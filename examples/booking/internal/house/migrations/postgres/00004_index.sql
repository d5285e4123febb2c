-- +goose Up
CREATE INDEX booking_seat_id ON booking (seat_id);
CREATE INDEX payment_booking_id ON payment (booking_id);

-- +goose Down
DROP INDEX payment_booking_id;
DROP INDEX booking_seat_id;
