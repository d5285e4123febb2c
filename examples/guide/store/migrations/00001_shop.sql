-- +goose Up
CREATE TABLE shows (
	id INTEGER PRIMARY KEY AUTOINCREMENT,
	created_at TIMESTAMP NOT NULL,
	updated_at TIMESTAMP NOT NULL,
	version BIGINT NOT NULL,
	title TEXT NOT NULL UNIQUE,
	price BIGINT NOT NULL,
	free BIGINT NOT NULL CHECK (free >= 0)
);
CREATE TABLE orders (
	id INTEGER PRIMARY KEY AUTOINCREMENT,
	created_at TIMESTAMP NOT NULL,
	updated_at TIMESTAMP NOT NULL,
	show_id BIGINT NOT NULL REFERENCES shows (id),
	buyer TEXT NOT NULL,
	seats BIGINT NOT NULL CHECK (seats > 0),
	note TEXT
);
CREATE INDEX idx_orders_show_id ON orders (show_id);
CREATE TABLE mails (
	id INTEGER PRIMARY KEY AUTOINCREMENT,
	order_id BIGINT NOT NULL REFERENCES orders (id),
	due_at TIMESTAMP NOT NULL
);
CREATE INDEX idx_mails_due_at ON mails (due_at);

-- +goose Down
DROP TABLE mails;
DROP TABLE orders;
DROP TABLE shows;
