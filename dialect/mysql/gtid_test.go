package mysql

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/dialect"
)

const (
	uuidA = "3e11fa47-71ca-11e1-9e33-c80aa9429562"
	uuidB = "4e11fa47-71ca-11e1-9e33-c80aa9429562"
)

func TestR04_SetsOfMySQL(t *testing.T) {
	for text, want := range map[string]string{
		uuidA + ":5":                               uuidA + ":5",
		strings.ToUpper(uuidA) + ":1-5":            uuidA + ":1-5",
		uuidA + ":1-5:7:6":                         uuidA + ":1-7",
		uuidA + ":9:1-2," + uuidB + ":3":           uuidA + ":1-2:9," + uuidB + ":3",
		uuidA + ":tag:1:3:other:2," + uuidA + ":1": uuidA + ":1," + uuidA + ":other:2," + uuidA + ":tag:1:3",
		uuidA + ":1-5,\n" + uuidB + ":1":           uuidA + ":1-5," + uuidB + ":1",
		uuidA + ":9223372036854775807":             uuidA + ":9223372036854775807",
		uuidA + ":1-3," + uuidA + ":2-9":           uuidA + ":1-9",
	} {
		set, err := parseSet(text)
		require.NoError(t, err, text)
		assert.Equal(t, want, set.String())
	}
	for _, text := range []string{
		"", uuidA, uuidA + ":", uuidA + ":0", uuidA + ":5-1", uuidA + ":x-1", uuidA + ":1' OR '1", "x:1", uuidA + ":-1",
		uuidA + ":9223372036854775808", uuidA + ":1," + uuidB, uuidA[1:] + ":1", uuidA + ":1--2",
	} {
		_, err := parseSet(text)
		assert.Error(t, err, text)
	}
}

func TestR04_PositionsOfMariaDB(t *testing.T) {
	p, err := parsePos("0-1-100,1-2-5")
	require.NoError(t, err)
	for text, want := range map[string]bool{
		"0-1-100": true, "0-1-99": true, "0-9-99": true, "1-2-5": true, "0-1-100,1-2-5": true, "": true,
		"0-1-101": false, "0-2-100": false, "2-1-1": false, "0-1-100,2-1-1": false,
	} {
		q, err := parsePos(text)
		require.NoError(t, err, text)
		assert.Equal(t, want, p.contains(q), text)
	}
	for _, text := range []string{"0", "0-1", "0-1-2-3", "x-1-1", "0-1-", "0-1--1", "0-1-18446744073709551616", "4294967296-1-1", ","} {
		_, err := parsePos(text)
		assert.Error(t, err, text)
	}
}

// A token is what comes back of it, and nothing else is one.
func TestR04_TokensOfBoth(t *testing.T) {
	my, maria := &engine{positions: mysqlPositions}, &engine{positions: mariadbPositions}
	a, b := "my-"+uuidA+":1-5."+uuidB+":7", "my-"+uuidA+":6"
	require.NoError(t, my.Check(a))
	assert.Equal(t, "my-"+uuidA+":1-6."+uuidB+":7", my.Join(a, b))
	assert.Equal(t, my.Join(b, a), my.Join(a, b))
	require.NoError(t, maria.Check("ma-0-1-5.1-1-1"))
	assert.Equal(t, "ma-0-2-6.1-1-1", maria.Join("ma-0-1-5.1-1-1", "ma-0-2-6"))
	assert.Equal(t, "ma-0-2-6.1-1-1", maria.Join("ma-0-2-6", "ma-0-1-5.1-1-1"))
	for _, token := range []string{"", "my-", a + ",", a + "'", "my-" + strings.Repeat(uuidA+":1.", 200) + uuidA + ":1", "ma-0-1-5"} {
		assert.Error(t, my.Check(token), token)
	}
	assert.Error(t, maria.Check(a))
	assert.Error(t, maria.Check("ma-"))
}

// Somebody who commits and never ends does not collect for ever, and forgets nothing.
func TestR04_ASetDoesNotGrow(t *testing.T) {
	my := &engine{positions: mysqlPositions}
	token := ""
	for n := 1; n < 1000; n += 2 {
		token = my.Join(token, tokenOf(mysqlToken, gtidSet{uuidA: {{uint64(n), uint64(n)}}}.String()))
		require.Less(t, len(token), 500)
	}
	set, err := parseSet(strings.TrimPrefix(token, mysqlToken))
	require.NoError(t, err)
	for n := uint64(1); n < 1000; n += 2 {
		in := false
		for _, i := range set[uuidA] {
			in = in || i.from <= n && n <= i.to
		}
		require.True(t, in, n)
	}
}

// A set of so many servers that nobody would take its token: where the server's whole set
// is asked for, that is no token, and what a caller has collected forgets nothing.
func TestR03_WhatTakesTooLongToName(t *testing.T) {
	many := func(from, to int) string {
		set := gtidSet{}
		for n := from; n < to; n++ {
			set.add(fmt.Sprintf("%08x%s", n, uuidA[8:]), interval{1, 9})
		}
		return set.String()
	}
	_, err := mysqlPositions.token(many(0, 2))
	require.NoError(t, err)
	_, err = mysqlPositions.token(many(0, 200))
	require.Error(t, err)

	my := &engine{positions: mysqlPositions}
	token := my.Join(tokenOf(mysqlToken, many(0, 60)), tokenOf(mysqlToken, many(60, 120)))
	require.Error(t, my.Check(token), "it is not for others")
	token = my.Join(token, tokenOf(mysqlToken, many(120, 121)))
	text, err := mysqlPositions.parse(token)
	require.NoError(t, err)
	require.Equal(t, many(0, 121), text)
	node := uuidB
	my.node.Store(&node)
	require.True(t, my.Suspect(token))
}

func TestR06_WhoseTokenItIs(t *testing.T) {
	my, maria := &engine{positions: mysqlPositions, group: uuidB}, &engine{positions: mariadbPositions}
	assert.False(t, my.Suspect("my-"+uuidA+":1"), "nobody knows the writer yet")
	node := uuidA
	my.node.Store(&node)
	assert.False(t, my.Suspect("my-"+uuidA+":1"))
	assert.False(t, my.Suspect("my-"+uuidA+":tag:1."+uuidB+":5"), "the group's")
	assert.True(t, my.Suspect("my-"+strings.Replace(uuidA, "3", "5", 1)+":1"))
	other := "host:3306:12:/var/lib/mysql/"
	maria.node.Store(&other)
	assert.False(t, maria.Suspect("ma-0-12-7"))
	assert.True(t, maria.Suspect("ma-0-1-7"))
}

func TestR08_WhoLeavesNoTokens(t *testing.T) {
	for _, c := range []struct {
		vars map[string]string
		why  string
	}{
		{map[string]string{"version": "9.7.0", "log_bin": "ON", "gtid_mode": "ON"}, ""},
		{map[string]string{"version": "9.7.0", "log_bin": "ON", "gtid_mode": "OFF_PERMISSIVE"}, "gtid_mode"},
		{map[string]string{"version": "9.7.0", "log_bin": "OFF", "gtid_mode": "ON"}, "log_bin"},
		{map[string]string{"version": "11.8.2-MariaDB", "log_bin": "1"}, ""},
		{map[string]string{"version": "11.8.2-MariaDB", "log_bin": "OFF"}, "log_bin"},
		{map[string]string{"version": "11.8.2-MariaDB", "log_bin": "ON", "wsrep_on": "ON"}, "wsrep_sync_wait"},
	} {
		f, err := factsOf(c.vars)
		require.NoError(t, err)
		err = (&engine{server: f.server, positions: f.positions, silent: f.silent}).Leaves()
		if c.why == "" {
			assert.NoError(t, err)
			continue
		}
		assert.ErrorIs(t, err, dialect.ErrUnsupported)
		assert.ErrorContains(t, err, c.why)
	}
}

// An OK packet as the protocol has it, with each kind of session state.
func TestR04_WhatAnAnswerTells(t *testing.T) {
	text := func(s string) string { return string(rune(len(s))) + s }
	ok := func(states string) []byte {
		return []byte("\x00\x01\x00\x02\x40\x00\x00" + text("") + text(states))
	}
	gtid := "\x03" + text("\x00"+text(uuidA+":5"))
	variable := func(name, value string) string { return "\x00" + text(text(name)+text(value)) }
	for name, c := range map[string]struct {
		packet []byte
		want   told
	}{
		"nothing":       {[]byte("\x00\x00\x00\x02\x00\x00\x00"), told{}},
		"a message":     {[]byte("\x00\x00\x00\x02\x00\x00\x00" + text("Rows matched: 1")), told{}},
		"the rows' end": {[]byte("\xfe\x00\x00\x02\x00\x00\x00"), told{}},
		"MySQL":         {ok(gtid), told{position: uuidA + ":5"}},
		"MariaDB":       {ok(variable("last_gtid", "0-1-5")), told{position: "0-1-5"}},
		"both":          {ok(gtid + variable("autocommit", "OFF")), told{position: uuidA + ":5", other: true}},
		"a schema":      {ok("\x01" + text(text("shop"))), told{other: true}},
	} {
		got, fine := readOK(c.packet)
		assert.True(t, fine, name)
		assert.Equal(t, c.want, got, name)
		for n := 1; n < len(c.packet); n++ {
			if _, fine := readOK(c.packet[:n]); fine {
				assert.Equal(t, 7, n, "%s: cut off at %d it is another packet", name, n)
			}
		}
	}
	_, fine := readOK([]byte("\xff\x00\x00\x02\x00\x00\x00"))
	assert.False(t, fine, "an error")
}

func FuzzR04_WhatAnAnswerTells(f *testing.F) {
	f.Add([]byte("\x00\x01\x00\x02\x40\x00\x00\x00\x08\x03\x06\x00\x04a:15"))
	f.Fuzz(func(_ *testing.T, packet []byte) {
		if len(packet) > 0 {
			_, _ = readOK(packet)
		}
	})
}
