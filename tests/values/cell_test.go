package values

import (
	"github.com/uptrace/bun"
)

// Head is what all rows have: a key, and a name for UpdateOrCreate.
type Head struct {
	ID int64 `bun:",pk,autoincrement"`
	K  int64 `bun:",unique"`
}

// The rows of each kind: one struct for each type of column, for any Go type.
type (
	guessed[V any] struct {
		bun.BaseModel `bun:"table:cell"`
		Head
		V V
	}
	varchar[V any] struct {
		bun.BaseModel `bun:"table:cell"`
		Head
		V V `bun:"type:varchar(20)"`
	}
	char[V any] struct {
		bun.BaseModel `bun:"table:cell"`
		Head
		V V `bun:"type:char(8)"`
	}
	text[V any] struct {
		bun.BaseModel `bun:"table:cell"`
		Head
		V V `bun:"type:text"`
	}
	tinytext[V any] struct {
		bun.BaseModel `bun:"table:cell"`
		Head
		V V `bun:"type:tinytext"`
	}
	latin[V any] struct {
		bun.BaseModel `bun:"table:cell"`
		Head
		V V `bun:"type:varchar(20) character set latin1"`
	}
	binary[V any] struct {
		bun.BaseModel `bun:"table:cell"`
		Head
		V V `bun:"type:binary(8)"`
	}
	varbinary[V any] struct {
		bun.BaseModel `bun:"table:cell"`
		Head
		V V `bun:"type:varbinary(20)"`
	}
	smallint[V any] struct {
		bun.BaseModel `bun:"table:cell"`
		Head
		V V `bun:"type:smallint"`
	}
	integer[V any] struct {
		bun.BaseModel `bun:"table:cell"`
		Head
		V V `bun:"type:integer"`
	}
	bigint[V any] struct {
		bun.BaseModel `bun:"table:cell"`
		Head
		V V `bun:"type:bigint"`
	}
	decimal[V any] struct {
		bun.BaseModel `bun:"table:cell"`
		Head
		V V `bun:"type:decimal(10,2)"`
	}
	wide[V any] struct {
		bun.BaseModel `bun:"table:cell"`
		Head
		V V `bun:"type:decimal(38,10)"`
	}
	real4[V any] struct {
		bun.BaseModel `bun:"table:cell"`
		Head
		V V `bun:"type:float(24)"`
	}
	double[V any] struct {
		bun.BaseModel `bun:"table:cell"`
		Head
		V V `bun:"type:double precision"`
	}
	date[V any] struct {
		bun.BaseModel `bun:"table:cell"`
		Head
		V V `bun:"type:date"`
	}
	timestamp[V any] struct {
		bun.BaseModel `bun:"table:cell"`
		Head
		V V `bun:"type:timestamp(6)"`
	}
	milliseconds[V any] struct {
		bun.BaseModel `bun:"table:cell"`
		Head
		V V `bun:"type:timestamp(3)"`
	}
	datetime[V any] struct {
		bun.BaseModel `bun:"table:cell"`
		Head
		V V `bun:"type:datetime"`
	}
	timeOfDay[V any] struct {
		bun.BaseModel `bun:"table:cell"`
		Head
		V V `bun:"type:time"`
	}
	object[V any] struct {
		bun.BaseModel `bun:"table:cell"`
		Head
		V V `bun:"type:json"`
	}
	uuids[V any] struct {
		bun.BaseModel `bun:"table:cell"`
		Head
		V V `bun:"type:uuid"`
	}
	array[V any] struct {
		bun.BaseModel `bun:"table:cell"`
		Head
		V V `bun:",array"`
	}
)
