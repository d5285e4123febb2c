package postgres

import (
	"database/sql/driver"
	"encoding/json"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"
)

// equality is a statement that must look the same through the Wire and through
// pgx's stdlib.
type equality struct {
	query string
	args  []any
	exec  bool // sent with Exec; else with Query
	bare  bool // cannot run in a transaction
	since int  // the first version of PostgreSQL that knows it
}

var equalitySchema = []string{
	`CREATE TYPE mood AS ENUM ('sad', 'ok', 'happy')`,
	`CREATE TYPE pair AS (a int, b text)`,
	`CREATE DOMAIN positive AS int CHECK (value > 0)`,
	`CREATE TABLE parent (id int PRIMARY KEY, name varchar(10) NOT NULL UNIQUE)`,
	`CREATE TABLE child (id bigserial PRIMARY KEY, parent_id int REFERENCES parent (id), n int CHECK (n > 0), at timestamptz, data jsonb)`,
	`CREATE TABLE late (id int PRIMARY KEY DEFERRABLE INITIALLY DEFERRED)`,
	`CREATE TABLE span (during int4range, EXCLUDE USING gist (during WITH &&))`,
	`INSERT INTO parent VALUES (1, 'one'), (2, 'two')`,
	`INSERT INTO late VALUES (1)`,
	`INSERT INTO span VALUES ('[1,5)')`,
	`CREATE FUNCTION complain(what text) RETURNS int LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'no %', what USING HINT = 'ask again'; END $$`,
	`CREATE FUNCTION warn() RETURNS int LANGUAGE plpgsql AS $$ BEGIN RAISE WARNING 'careful'; RETURN 1; END $$`,
	`CREATE PROCEDURE add(n int) LANGUAGE sql AS $$ INSERT INTO parent VALUES (n, 'p' || n) $$`,
}

type celsius float64

type valuer struct{ v driver.Value }

func (v valuer) Value() (driver.Value, error) {
	if v.v == "fail" {
		return nil, errors.New("no value")
	}
	return v.v, nil
}

var (
	noText  *string
	someone = "someone"
	instant = time.Date(2024, 2, 29, 23, 59, 59, 123456000, time.UTC)
)

var equalities = []equality{
	// Every type.
	{query: `SELECT true, false, NULL::bool`},
	{query: `SELECT 1::int2, -32768::int2, NULL::int2, 2147483647::int4, NULL::int4, -9223372036854775808::int8, NULL::int8`},
	{query: `SELECT 1.5::float4, 'NaN'::float4, 1e300::float8, '-Infinity'::float8, NULL::float8`},
	{query: `SELECT 12.34::numeric(10,2), 1e40::numeric, 'NaN'::numeric, 'Infinity'::numeric, 0.1::numeric(3,1), NULL::numeric`},
	{query: `SELECT 'text'::text, ''::text, 'vc'::varchar(10), 'c'::char(5), 'x'::"char", 'name'::name, NULL::text, '한글 🙂'::text, E'\\'::text`},
	{query: `SELECT '\x00ff'::bytea, ''::bytea, NULL::bytea`},
	{query: `SELECT '2024-02-29'::date, '0001-01-01'::date, '4713-01-01 BC'::date, 'infinity'::date, NULL::date`},
	{query: `SELECT '2024-02-29 23:59:59.123456'::timestamp, 'infinity'::timestamp, '-infinity'::timestamp, NULL::timestamp`},
	{query: `SELECT '2024-02-29 23:59:59.123456+09'::timestamptz, 'infinity'::timestamptz, '-infinity'::timestamptz, NULL::timestamptz`},
	{query: `SELECT '23:59:59.9'::time, '23:59:59+09'::timetz, '1 year 2 mons 3 days 04:05:06'::interval, NULL::interval`},
	{query: `SELECT 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'::uuid, NULL::uuid`},
	{query: `SELECT '{"a": [1, null]}'::json, '{"b": 1.50}'::jsonb, 'null'::jsonb, NULL::json, NULL::jsonb, '$.a'::jsonpath`},
	{query: `SELECT '<a>1</a>'::xml, NULL::xml`},
	{query: `SELECT '{1,2,NULL}'::int4[], '{}'::int8[], '{a,"b c",NULL}'::text[], '{{1,2},{3,4}}'::int2[], NULL::text[], '{t,f}'::bool[]`},
	{query: `SELECT '{1.5,NULL}'::numeric[], '{"\\x00"}'::bytea[], '{2024-02-29}'::date[], '{"2024-02-29 12:00"}'::timestamp[]`},
	{query: `SELECT '10.0.0.1/8'::inet, '10.0.0.0/8'::cidr, '08:00:2b:01:02:03'::macaddr, '08:00:2b:01:02:03:04:05'::macaddr8`},
	{query: `SELECT B'101'::bit(3), B'10'::varbit(8), B'1'::varbit, NULL::bit(3)`},
	{query: `SELECT '(1,2)'::point, '{1,2,3}'::line, '[(0,0),(1,1)]'::lseg, '(1,1),(0,0)'::box, '((0,0),(1,1))'::path, '((0,0),(1,0),(1,1))'::polygon, '<(0,0),1>'::circle`},
	{query: `SELECT '[1,5)'::int4range, 'empty'::int8range, '[1.5,)'::numrange, '[2024-01-01,2024-02-01)'::daterange`},
	{query: `SELECT '{[1,3),[5,7)}'::int4multirange`, since: 14},
	{query: `SELECT '["2024-01-01 00:00","2024-01-02 00:00")'::tsrange`},
	{query: `SELECT 'a fat cat'::tsvector, 'fat & cat'::tsquery`},
	{query: `SELECT 'happy'::mood, NULL::mood, '{sad,ok}'::mood[], 5::positive, (1, 'x')::pair, ROW(1, 'x', NULL)`},
	{query: `SELECT 26::oid, '12'::xid, '3'::cid, '(0,1)'::tid, '7'::xid8, 'parent'::regclass, 'int4'::regtype, '0/16B3748'::pg_lsn, '12.34'::float8::numeric::money`},

	// Shapes.
	{query: `SELECT`},
	{query: `SELECT FROM generate_series(1, 3)`},
	{query: `SELECT 1 AS a, 2 AS a, 3 AS "?column?", 4 AS "a b", 5 AS "ÄÖ"`},
	{query: `SELECT n, repeat('x', n), n % 7 = 0 FROM generate_series(1, 2000) n`},
	{query: `SELECT 1 WHERE false`},
	{query: `SELECT id, parent_id, at, data FROM child WHERE id < 0`},
	{query: `SELECT NULL, NULL::text, $1::int`, args: []any{nil}},
	{query: `VALUES (1, 'a'), (2, NULL)`},
	{query: `TABLE parent`},
	{query: `SELECT repeat('long', 500000)`},
	{query: `SELECT p.*, c.* FROM parent p LEFT JOIN child c ON c.parent_id = p.id ORDER BY p.id`},
	{query: `SELECT array_agg(n), jsonb_agg(n), count(*), sum(n), avg(n) FROM generate_series(1, 4) n`},
	{query: `EXPLAIN (COSTS OFF) SELECT * FROM parent`},
	{query: `SHOW server_encoding`},
	{query: `/* nothing */ -- at all`},
	{query: ``},
	{query: `/* nothing */`, exec: true},
	{query: ``, exec: true},
	{query: `SELECT warn()`},
	{query: `SELECT pg_sleep(0)`},

	// Values.
	{query: `SELECT $1::text, $2::text, $3::varchar`, args: []any{"", noText, &someone}},
	{query: `SELECT $1::int2, $2::int4, $3::int8, $4::int8`, args: []any{int8(-1), uint16(2), 3, "4"}},
	{query: `SELECT $1::numeric, $2::numeric, $3::float8, $4::float8`, args: []any{"1.10", uint64(1 << 63), celsius(36.6), 1}},
	{query: `SELECT $1::bool, $2::bytea, $3::bytea, $4::uuid`, args: []any{true, []byte{0, 255}, []byte(nil), "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"}},
	{query: `SELECT $1::timestamptz, $2::timestamp, $3::date, $4::timestamptz`, args: []any{instant, instant, instant, &instant}},
	{query: `SELECT $1::jsonb, $2::json, $3::jsonb, $4::jsonb`, args: []any{map[string]any{"a": 1}, json.RawMessage(`[1]`), `{"s":"x"}`, []byte(`{"b":2}`)}},
	{query: `SELECT $1::int4[], $2::text[], $3::timestamptz[]`, args: []any{[]int{1, 2}, []string{"a", `b"c`}, []time.Time{instant}}},
	{query: `SELECT $1::int4, $2::text, $3::text`, args: []any{valuer{int64(5)}, valuer{"v"}, valuer{nil}}},
	{query: `SELECT $1::mood, $2::positive, $3::inet, $4::interval`, args: []any{"ok", 3, "10.0.0.1", time.Minute}},
	{query: `SELECT id FROM parent WHERE id = ANY($1) ORDER BY id`, args: []any{[]int64{1, 2, 3}}},
	{query: `SELECT @n::int4`, args: []any{pgx.NamedArgs{"n": 7}}},
	{query: `SELECT $1::int4`, args: []any{"not a number"}},
	{query: `SELECT $1::int4`, args: []any{struct{}{}}},
	{query: `SELECT $1::int4`, args: []any{int64(1) << 40}},
	{query: `SELECT $1::text`, args: []any{valuer{"fail"}}},
	{query: `SELECT $1::text`, args: []any{"nul\x00"}},
	{query: `SELECT $1::text`, args: []any{"\xff"}},
	{query: `SELECT $1::int4, $2::int4`, args: []any{1}},
	{query: `SELECT 1`, args: []any{1}},

	// Changes.
	{query: `INSERT INTO parent VALUES ($1, $2)`, args: []any{3, "three"}, exec: true},
	{query: `INSERT INTO parent VALUES (4, 'four') ON CONFLICT DO NOTHING`, exec: true},
	{query: `INSERT INTO parent VALUES (1, 'uno') ON CONFLICT (id) DO UPDATE SET name = excluded.name RETURNING *`},
	{query: `INSERT INTO child (parent_id, n, at, data) SELECT 1, n, $1, '{}' FROM generate_series(1, 3) n`, args: []any{instant}, exec: true},
	{query: `INSERT INTO child (parent_id, n) VALUES (1, 1), (2, 2) RETURNING id, at`},
	{query: `INSERT INTO child (n) VALUES (9) RETURNING id`, exec: true},
	{query: `UPDATE child SET n = n + 1 WHERE parent_id = $1`, args: []any{1}, exec: true},
	{query: `UPDATE child SET n = n + 1 WHERE parent_id = $1 RETURNING id, n`, args: []any{2}},
	{query: `UPDATE child SET n = 1 WHERE false`, exec: true},
	{query: `DELETE FROM child WHERE n > $1 RETURNING parent_id`, args: []any{100}},
	{query: `DELETE FROM child WHERE parent_id = 2`, exec: true},
	{query: `DELETE FROM child WHERE parent_id = 1`}, // no rows, by Query
	{query: `MERGE INTO parent p USING (VALUES (1, 'eins'), (9, 'neun')) v (id, name) ON p.id = v.id
		WHEN MATCHED THEN UPDATE SET name = v.name WHEN NOT MATCHED THEN INSERT VALUES (v.id, v.name)`, exec: true, since: 15},
	{query: `WITH gone AS (DELETE FROM parent WHERE id = 9 RETURNING id) SELECT count(*) FROM gone`},
	{query: `SELECT id FROM parent ORDER BY id FOR UPDATE SKIP LOCKED`, exec: true},
	{query: `CREATE TABLE IF NOT EXISTS made (id int)`, exec: true},
	{query: `TRUNCATE child`, exec: true},
	{query: `CALL add($1)`, args: []any{70}, exec: true},
	{query: `DO $$ BEGIN PERFORM 1; END $$`, exec: true},
	{query: `NOTIFY channel, 'payload'`, exec: true},
	{query: `VACUUM parent`, exec: true, bare: true},

	// Refusals.
	{query: `INSERT INTO parent VALUES (1, 'again')`, exec: true},
	{query: `INSERT INTO parent VALUES ($1, $2) RETURNING id`, args: []any{1, "again"}},
	{query: `INSERT INTO parent VALUES (50, NULL)`, exec: true},
	{query: `INSERT INTO parent VALUES (51, 'longer than ten')`, exec: true},
	{query: `INSERT INTO child (parent_id, n) VALUES (999, 1)`, exec: true},
	{query: `INSERT INTO child (parent_id, n) VALUES (1, $1)`, args: []any{-1}, exec: true},
	{query: `INSERT INTO span VALUES ('[3,9)')`, exec: true},
	{query: `INSERT INTO late VALUES (1)`, exec: true},
	{query: `INSERT INTO late VALUES (1) RETURNING id`},
	{query: `DELETE FROM parent WHERE id = 1 AND EXISTS (SELECT 1 / 0)`, exec: true},
	{query: `SELECT -1::positive`},
	{query: `SELECT 1 / $1::int`, args: []any{0}},
	{query: `SELECT 10 / (n - 5) FROM generate_series(1, 9) n`}, // in the middle of the rows
	{query: `SELECT 10 / (n - 1500) FROM generate_series(1, 3000) n`},
	{query: `SELECT 10 / (n - 1500) FROM generate_series(1, 3000) n`, exec: true},
	{query: `SELECT 'x'::int`},
	{query: `SELECT 2147483647::int4 + 1`},
	{query: `SELECT complain($1)`, args: []any{"way"}},
	{query: `SELEC 1`},
	{query: `SELECT * FROM nowhere`, exec: true},
	{query: `SELECT nothing FROM parent`},
	{query: `SELECT lower(1, 2)`},
	{query: `RELEASE SAVEPOINT never`, exec: true},
	{query: `SELECT 1 FROM parent GROUP BY id FOR UPDATE`},
	{query: `SET LOCAL no.such.thing TO`, exec: true},
}
