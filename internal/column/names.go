package column

import "strings"

// mysql reads the names of MySQL and MariaDB (their manuals, "Data Types").
func (d declaration) mysql() Type {
	// "character set" stands behind a name, "character varying" is one.
	if name, charset, ok := strings.Cut(d.name+" ", " character set "); ok {
		d.name, d.rest = name, " character set "+charset+d.rest
	}
	d.name = strings.TrimPrefix(strings.TrimSpace(d.name), "national ")
	switch d.name {
	case "bool", "boolean":
		return Type{Kind: Boolean, Name: d.name}
	case "tinyint", "int1":
		return d.integer(8)
	case "smallint", "int2":
		return d.integer(16)
	case "mediumint", "middleint", "int3":
		return d.integer(24)
	case "int", "integer", "int4":
		return d.integer(32)
	case "bigint", "int8":
		return d.integer(64)
	case "serial":
		return Type{Kind: Integer, Name: d.name, Bits: 64, Unsigned: true}
	case "year":
		t := Type{Kind: Integer, Name: d.name, Bits: 16, Unsigned: true}
		if d.arg(0, 4) == 2 {
			t.Bits = 8
		}
		return t
	case "decimal", "dec", "numeric", "fixed", "number":
		return d.decimal(10, 0)
	case "float":
		if len(d.args) == 1 && d.args[0] > 24 {
			return d.float(64)
		}
		return d.rounded(32)
	case "float4":
		return d.rounded(32)
	case "double", "double precision", "real", "float8":
		return d.rounded(64)
	case "char", "character", "nchar":
		if d.has("byte") {
			return d.binary(true, 1)
		}
		return d.text(true, 1)
	case "varchar", "varchar2", "nvarchar", "character varying", "char varying", "varcharacter", "nchar varchar", "nchar varying", "tinytext", "text", "mediumtext",
		"longtext", "long", "long varchar", "clob":
		return d.text(false, 0)
	case "enum", "set":
		return d.listed()
	case "binary":
		return d.binary(true, 1)
	case "varbinary", "char byte", "tinyblob", "blob", "mediumblob", "longblob", "long varbinary", "raw":
		return d.binary(false, 0)
	case "date":
		return d.time(Date, 0, false)
	case "time":
		return d.time(TimeOfDay, 0, false)
	case "datetime":
		return d.time(Timestamp, 0, false)
	case "timestamp":
		return d.time(Timestamp, 0, true)
	case "json", "jsonb":
		return d.plain(JSON)
	case "uuid":
		return d.plain(UUID)
	case "inet4", "inet6":
		return d.plain(Address)
	case "bit":
		return Type{Kind: Other, Name: d.name, Length: d.arg(0, 1)}
	case "vector", "geometry", "point", "linestring", "polygon", "multipoint", "multilinestring", "multipolygon", "geometrycollection", "geomcollection":
		return d.plain(Other)
	}
	return d.plain(Unknown)
}

// postgres reads the names of PostgreSQL (its manual, "Data Types").
func (d declaration) postgres() Type {
	if d.array || d.has("array") {
		d.array, d.rest = false, strings.ReplaceAll(d.rest, " array ", " ")
		t, elem := d.plain(Array), d.postgres()
		t.Elem = &elem
		return t
	}
	switch d.name {
	case "bool", "boolean":
		return d.plain(Boolean)
	case "smallint", "int2", "smallserial", "serial2":
		return d.integer(16)
	case "int", "integer", "int4", "serial", "serial4":
		return d.integer(32)
	case "bigint", "int8", "bigserial", "serial8":
		return d.integer(64)
	case "oid":
		return Type{Kind: Integer, Name: d.name, Bits: 32, Unsigned: true}
	case "decimal", "numeric", "dec":
		return d.decimal(0, 0)
	case "real", "float4":
		return d.float(32)
	case "float":
		if n := d.arg(0, 53); n <= 24 {
			return d.float(32)
		}
		return d.float(64)
	case "double precision", "float8":
		return d.float(64)
	case "char", "character", "bpchar", "nchar", "national char", "national character":
		return d.text(true, 1)
	case "text", "varchar", "character varying", "char varying", "national char varying", "nchar varying", "citext", "name", `"char"`:
		return d.text(false, 0)
	case "bytea":
		return d.binary(false, 0)
	case "date":
		return d.time(Date, 0, false)
	case "time":
		return d.time(TimeOfDay, 6, false)
	case "timetz":
		return d.time(TimeOfDay, 6, true)
	case "timestamp":
		return d.time(Timestamp, 6, false)
	case "timestamptz":
		return d.time(Timestamp, 6, true)
	case "json", "jsonb":
		return d.plain(JSON)
	case "uuid":
		return d.plain(UUID)
	case "inet", "cidr", "macaddr", "macaddr8":
		return d.plain(Address)
	case "interval":
		return d.time(Other, 6, false)
	case "money", "bit", "bit varying", "varbit", "xml", "tsvector", "tsquery", "point", "line", "lseg", "box", "path", "polygon", "circle",
		"hstore", "ltree", "vector", "geometry", "geography", "int4range", "int8range", "numrange", "tsrange", "tstzrange", "daterange",
		"int4multirange", "int8multirange", "nummultirange", "tsmultirange", "tstzmultirange", "datemultirange",
		"jsonpath", "pg_lsn", "pg_snapshot", "txid_snapshot", "tid", "regclass", "regtype", "regproc", "regprocedure", "regoper", "regoperator", "regrole",
		"regnamespace", "regcollation", "regconfig", "regdictionary", "lquery", "ltxtquery", "cube", "seg":
		return d.plain(Other)
	}
	return d.plain(Unknown)
}

// sqlite reads a declaration as people mean it where the name is one of the
// others', and else by SQLite's own rules (its manual, "Determination Of Column
// Affinity"). INTEGER is as wide as SQLite's integers; a narrower name is taken
// at its word, as the other engines take it.
func (d declaration) sqlite() Type {
	switch d.name {
	case "int", "integer":
		return d.integer(64)
	case "datetime", "timestamp", "timestamptz":
		return d.time(Timestamp, 6, true)
	case "time", "timetz":
		return d.time(TimeOfDay, 6, false)
	case "decimal", "numeric", "dec", "number":
		return d.decimal(0, 0)
	case "real", "float", "double", "double precision":
		return d.rounded(64)
	}
	if t := d.mysql(); t.Kind != Unknown {
		return t
	}
	if t := d.postgres(); t.Kind != Unknown && t.Kind != Array {
		return t
	}
	contains := func(parts ...string) bool {
		for _, part := range parts {
			if strings.Contains(d.name, part) {
				return true
			}
		}
		return false
	}
	switch {
	case d.name == "":
		return d.plain(Unknown)
	case contains("int"):
		t := d.integer(64)
		t.Unsigned = strings.Contains(d.name, "unsigned")
		return t
	case contains("char", "clob", "text"):
		return d.text(false, 0)
	case contains("blob"):
		return d.binary(false, 0)
	case contains("real", "floa", "doub"): //nolint:misspell // as SQLite's manual has it
		return d.float(64)
	}
	return d.plain(Unknown)
}
