package orm_test

import (
	"context"
	"database/sql"
	"math/rand"
	"net"
	"net/netip"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/uptrace/bun"

	"github.com/holdfast-go/holdfast/dialect"
	"github.com/holdfast-go/holdfast/models"
	"github.com/holdfast-go/holdfast/orm"
	"github.com/holdfast-go/holdfast/query"
)

// inText and its like hold an address of any Go type.
type (
	inText[V any] struct {
		bun.BaseModel `bun:"table:in_text"`
		models.AutoID
		V V
	}
	inInet[V any] struct {
		bun.BaseModel `bun:"table:in_inet"`
		models.AutoID
		V V `bun:"type:inet"`
	}
	inCidr[V any] struct {
		bun.BaseModel `bun:"table:in_cidr"`
		models.AutoID
		V V `bun:"type:cidr"`
	}
	inMac[V any] struct {
		bun.BaseModel `bun:"table:in_mac"`
		models.AutoID
		V V `bun:"type:macaddr"`
	}
	inInet6[V any] struct {
		bun.BaseModel `bun:"table:in_inet6"`
		models.AutoID
		V V `bun:"type:inet6"`
	}
	inInet4[V any] struct {
		bun.BaseModel `bun:"table:in_inet4"`
		models.AutoID
		V V `bun:"type:inet4"`
	}
)

// comesBack stores values and shows that each is read as it was, and found by itself, or
// refused: those in front of refused are not.
func comesBack[R, V any](ctx context.Context, t *testing.T, db *orm.DB, row func(V) *R, of func(*R) V, same func(a, b V) bool, kept, refused []V) {
	t.Helper()
	require.NoError(t, orm.CreateTables(ctx, db, (*R)(nil)))
	all := orm.Objects[R](db)
	for _, v := range kept {
		_, err := all.Delete(ctx)
		require.NoError(t, err)
		if err = all.Create(ctx, row(v)); !assert.NoError(t, err, "%T %v", row(v), v) {
			continue
		}
		got, err := all.Filter(F("v").Eq(v)).Get(ctx)
		if !assert.NoError(t, err, "%T %v", row(v), v) {
			continue
		}
		assert.True(t, same(v, of(got)), "%T %v became %v", got, v, of(got))
		assert.NoError(t, all.Save(ctx, got))
		found, err := all.Filter(F("v").In(v, of(got))).Exists(ctx)
		assert.NoError(t, err)
		assert.True(t, found, "%T %v after Save", got, v)
	}
	for _, v := range refused {
		var ve *query.ValueError
		assert.ErrorAs(t, all.Create(ctx, row(v)), &ve, "%T %v", row(v), v)
		_, err := all.Update(ctx, query.Set("v", v))
		assert.ErrorAs(t, err, &ve, "%T %v", row(v), v)
	}
}

func like[V comparable](a, b V) bool { return a == b }

func sameNet(a, b net.IPNet) bool { return a.String() == b.String() }

func addrs(texts ...string) (list []netip.Addr) {
	for _, text := range texts {
		list = append(list, netip.MustParseAddr(text))
	}
	return list
}

func prefixes(texts ...string) (list []netip.Prefix) {
	for _, text := range texts {
		list = append(list, netip.MustParsePrefix(text))
	}
	return list
}

func nets(texts ...string) (list []net.IPNet) {
	for _, text := range texts {
		ip, n, err := net.ParseCIDR(text)
		if err != nil {
			panic(err)
		}
		list = append(list, net.IPNet{IP: ip, Mask: n.Mask})
	}
	return list
}

// noPrefix has an address and no length.
func noPrefix() netip.Prefix { return netip.PrefixFrom(netip.MustParseAddr("10.0.0.1"), -1) }

func noNets() []net.IPNet {
	ip := net.IPv4(10, 1, 2, 3)
	return []net.IPNet{{IP: ip}, {Mask: net.CIDRMask(8, 32)}, {IP: ip, Mask: net.IPv4Mask(255, 0, 255, 0)}, {IP: ip, Mask: net.CIDRMask(90, 128)}}
}

func TestS20_AddressesComeBackAsTheyWere(t *testing.T) {
	each(t, func(t *testing.T, ctx context.Context, db *orm.DB) {
		comesBack(ctx, t, db, func(v netip.Addr) *inText[netip.Addr] { return &inText[netip.Addr]{V: v} }, func(r *inText[netip.Addr]) netip.Addr { return r.V }, like,
			addrs("10.0.0.1", "2001:db8::1", "::ffff:1.2.3.4", "::102:304", "fe80::1%eth0", "fe80::1%a/64"), nil)
		comesBack(ctx, t, db, func(v netip.Prefix) *inText[netip.Prefix] { return &inText[netip.Prefix]{V: v} }, func(r *inText[netip.Prefix]) netip.Prefix { return r.V }, like,
			prefixes("10.1.2.3/16", "10.0.0.1/32", "::ffff:1.2.3.4/112", "::/0"), []netip.Prefix{noPrefix()})
		comesBack(ctx, t, db, func(v net.IPNet) *inText[net.IPNet] { return &inText[net.IPNet]{V: v} }, func(r *inText[net.IPNet]) net.IPNet { return r.V }, sameNet,
			append(nets("10.1.2.3/16", "10.0.0.0/8", "10.0.0.1/32", "2001:db8::1/64"), net.IPNet{IP: net.IPv4(1, 2, 3, 4), Mask: net.CIDRMask(112, 128)}), noNets())
		comesBack(ctx, t, db, func(v net.IP) *inText[net.IP] { return &inText[net.IP]{V: v} }, func(r *inText[net.IP]) net.IP { return r.V }, net.IP.Equal,
			[]net.IP{net.IPv4(10, 0, 0, 1), {10, 0, 0, 1}, net.ParseIP("fe80::1")}, []net.IP{{}, {1, 2, 3}})
		assert.ErrorContains(t, firstUse[inText[sql.Null[netip.Addr]]](ctx, db), "make it a netip.Addr")

		all := orm.Objects[inText[netip.Prefix]](db)
		require.NoError(t, all.Create(ctx, &inText[netip.Prefix]{}))
		n, err := all.Filter(F("v").IsNull()).Count(ctx)
		require.NoError(t, err)
		require.EqualValues(t, 1, n)
	})
}

// The servers write addresses in their own way, and MariaDB in another one than PostgreSQL.
func TestS20_AddressesInTypesOfTheirOwn(t *testing.T) {
	each(t, func(t *testing.T, ctx context.Context, db *orm.DB) {
		switch server := db.Server(); server.Engine {
		case dialect.MariaDB:
			if !server.Version.AtLeast(10, 10, 0) {
				t.Skipf("%s has no INET4", server)
			}
			inAddressesOfMariaDB(ctx, t, db)
		case dialect.Postgres:
			inAddressesOfPostgres(ctx, t, db)
		}
	})
}

func inAddressesOfPostgres(ctx context.Context, t *testing.T, db *orm.DB) {
	comesBack(ctx, t, db, func(v netip.Addr) *inInet[netip.Addr] { return &inInet[netip.Addr]{V: v} }, func(r *inInet[netip.Addr]) netip.Addr { return r.V }, like,
		addrs("10.0.0.1", "2001:db8::1", "::ffff:1.2.3.4", "::102:304"), addrs("fe80::1%eth0"))
	comesBack(ctx, t, db, func(v netip.Prefix) *inInet[netip.Prefix] { return &inInet[netip.Prefix]{V: v} }, func(r *inInet[netip.Prefix]) netip.Prefix { return r.V }, like,
		prefixes("10.1.2.3/16", "10.0.0.1/32", "2001:db8::1/128", "::102:304/120"), []netip.Prefix{noPrefix()})
	comesBack(ctx, t, db, func(v net.IPNet) *inInet[net.IPNet] { return &inInet[net.IPNet]{V: v} }, func(r *inInet[net.IPNet]) net.IPNet { return r.V }, sameNet,
		nets("10.1.2.3/16", "10.0.0.1/32"), noNets())
	comesBack(ctx, t, db, func(v string) *inInet[string] { return &inInet[string]{V: v} }, func(r *inInet[string]) string { return r.V }, like,
		[]string{"10.0.0.1", "10.0.0.1/24", "2001:db8::1", "::1.2.3.4"},
		[]string{"", "abc", "10.0.0.1/32", "2001:DB8::1", "2001:db8:0:0::1", "::102:304", "2001:db8::1/128", "fe80::1%eth0", "10.0.0.01"})
	comesBack(ctx, t, db, func(v netip.Addr) *inCidr[netip.Addr] { return &inCidr[netip.Addr]{V: v} }, func(r *inCidr[netip.Addr]) netip.Addr { return r.V }, like,
		addrs("10.0.0.1", "2001:db8::1"), nil)
	comesBack(ctx, t, db, func(v netip.Prefix) *inCidr[netip.Prefix] { return &inCidr[netip.Prefix]{V: v} }, func(r *inCidr[netip.Prefix]) netip.Prefix { return r.V }, like,
		prefixes("10.1.0.0/16", "10.0.0.1/32"), prefixes("10.1.2.3/16"))
	comesBack(ctx, t, db, func(v string) *inCidr[string] { return &inCidr[string]{V: v} }, func(r *inCidr[string]) string { return r.V }, like,
		[]string{"10.0.0.1/32", "10.1.0.0/16"}, []string{"10.0.0.1", "10.1.2.3/16"})
	comesBack(ctx, t, db, func(v string) *inMac[string] { return &inMac[string]{V: v} }, func(r *inMac[string]) string { return r.V }, like,
		[]string{"08:00:2b:01:02:03"}, []string{"08-00-2B-01-02-03", "08:00:2B:01:02:03", "08:00:2b:01:02", "10.0.0.1"})
	assert.ErrorContains(t, firstUse[inMac[net.HardwareAddr]](ctx, db), "make it a string")
	spelledAsTheServerDoes(ctx, t, db, "host(CAST(? AS inet))", func(v string) *inInet[string] { return &inInet[string]{V: v} })
}

func inAddressesOfMariaDB(ctx context.Context, t *testing.T, db *orm.DB) {
	comesBack(ctx, t, db, func(v netip.Addr) *inInet6[netip.Addr] { return &inInet6[netip.Addr]{V: v} }, func(r *inInet6[netip.Addr]) netip.Addr { return r.V }, like,
		addrs("2001:db8::1", "::ffff:1.2.3.4", "::102:304", "2001:db8:0:1:1:1:1:1"), addrs("fe80::1%eth0", "10.0.0.1"))
	ips := []net.IP{net.ParseIP("fe80::1")}
	if db.Server().Version.AtLeast(11, 8, 0) { // MariaDB 10.11 takes no address of IPv4 in an INET6, and says so
		ips = append(ips, net.IPv4(10, 0, 0, 1))
	}
	comesBack(ctx, t, db, func(v net.IP) *inInet6[net.IP] { return &inInet6[net.IP]{V: v} }, func(r *inInet6[net.IP]) net.IP { return r.V }, net.IP.Equal, ips, []net.IP{{}})
	comesBack(ctx, t, db, func(v string) *inInet6[string] { return &inInet6[string]{V: v} }, func(r *inInet6[string]) string { return r.V }, like,
		[]string{"2001:db8::1", "2001:db8::1:1:1:1:1"}, []string{"", "abc", "10.0.0.1", "2001:DB8::1", "2001:db8:0:1:1:1:1:1", "2001:db8::1/64"})
	comesBack(ctx, t, db, func(v string) *inInet4[string] { return &inInet4[string]{V: v} }, func(r *inInet4[string]) string { return r.V }, like,
		[]string{"10.0.0.1"}, []string{"10.0.0.01", "::1", "10.0.0.1/32"})
	assert.ErrorContains(t, firstUse[inInet6[[]byte]](ctx, db), "make it a string")
	spelledAsTheServerDoes(ctx, t, db, "CAST(CAST(? AS inet6) AS char(45))", func(v string) *inInet6[string] { return &inInet6[string]{V: v} })
}

// spelledAsTheServerDoes asks the server how it writes addresses with zeros in all places:
// that text is kept, and any other refused.
func spelledAsTheServerDoes[R any](ctx context.Context, t *testing.T, db *orm.DB, shows string, row func(string) *R) {
	t.Helper()
	rnd, all := rand.New(rand.NewSource(1)), orm.Objects[R](db) //nolint:gosec // the same addresses each time
	for i := range 100 {
		var b [16]byte
		for j := range 8 {
			if rnd.Intn(2) == 0 {
				b[2*j+1] = byte(rnd.Intn(256))
			}
		}
		if i%8 == 0 { // IPv4 within IPv6
			b = [16]byte{12: b[12], 13: b[13], 14: b[14], 15: b[15]}
		}
		text := netip.AddrFrom16(b).String()
		var shown string
		require.NoError(t, db.QueryRow(ctx, "SELECT "+shows, text).Scan(&shown))
		err := all.Create(ctx, row(shown))
		parsed, parsing := netip.ParseAddr(shown)
		require.NoError(t, parsing)
		require.Equal(t, b, parsed.As16())
		assert.NoError(t, err, shown)
		if shown != text {
			var ve *query.ValueError
			assert.ErrorAs(t, all.Create(ctx, row(text)), &ve, "%s, which is shown as %s", text, shown)
		}
	}
}
