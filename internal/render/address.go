package render

import (
	"fmt"
	"net"
	"net/netip"
	"reflect"
	"regexp"
	"strings"

	"github.com/holdfast-go/holdfast/dialect"
	"github.com/holdfast-go/holdfast/query"
)

// ReadAddress reads a network address into dst, which is of one of the four types of Go's
// packages net and net/netip, and reports whether it is one. The host's bits of a network
// stay, and the length that is all of an address need not be written: PostgreSQL leaves it
// out of an inet, and writes it in a cidr.
func ReadAddress(dst reflect.Value, text string) bool {
	addr, bits, ok := cutAddress(text)
	if !ok {
		return false
	}
	whole := bits == addr.BitLen()
	switch to := dst.Addr().Interface().(type) {
	case *netip.Addr:
		*to, ok = addr, whole
	case *netip.Prefix:
		*to, ok = netip.PrefixFrom(addr, bits), addr.Zone() == ""
	case *net.IP:
		all := addr.As16() // as net.ParseIP has it
		*to, ok = all[:], whole && addr.Zone() == ""
	case *net.IPNet:
		*to, ok = net.IPNet{IP: addr.AsSlice(), Mask: net.CIDRMask(bits, addr.BitLen())}, addr.Zone() == ""
	}
	return ok
}

// cutAddress is an address and how many of its bits are the network's: all of them where
// the text does not say.
func cutAddress(text string) (addr netip.Addr, bits int, ok bool) {
	if addr, err := netip.ParseAddr(text); err == nil {
		return addr, addr.BitLen(), true
	}
	p, err := netip.ParsePrefix(text)
	return p.Addr(), p.Bits(), err == nil
}

// sameAddress reports whether two values of one of the four types are the same. For package
// net an IPv4 address is itself in 4 bytes and in 16.
func sameAddress(a, b reflect.Value) bool {
	switch a := a.Addr().Interface().(type) {
	case *netip.Addr:
		return *a == *b.Addr().Interface().(*netip.Addr)
	case *netip.Prefix:
		return *a == *b.Addr().Interface().(*netip.Prefix)
	case *net.IP:
		return a.Equal(*b.Addr().Interface().(*net.IP))
	case *net.IPNet:
		b := b.Addr().Interface().(*net.IPNet)
		return a.IP.Equal(b.IP) && networkBits(a) == networkBits(b)
	}
	return false
}

func networkBits(n *net.IPNet) int {
	ones, bits := n.Mask.Size()
	if bits == 8*net.IPv6len && n.IP.To4() != nil {
		ones -= 8 * (net.IPv6len - net.IPv4len)
	}
	return ones
}

// bindAddress binds an address as its text, if that is read as the same: an empty net.IP
// writes <nil>, and a mask with gaps is written in another form.
func bindAddress(v reflect.Value) (any, error) {
	if v.IsZero() {
		return nil, nil
	}
	v = addressable(v)
	text := v.Addr().Interface().(fmt.Stringer).String()
	if back := reflect.New(v.Type()).Elem(); !ReadAddress(back, text) || !sameAddress(v, back) {
		return nil, &query.ValueError{Type: v.Type().String(), Reason: "is no address that a text can hold; for NULL leave it at its zero value"}
	}
	return text, nil
}

const otherAddress = "is no address written as the server writes it, which would show another text: " +
	"in lower case, as short as it can be, and with a length only where it is not that of all of the address (in a cidr always)"

// keepsAddress goes by what the server shows of an address (PostgreSQL's manual, "Network
// Address Types"; MariaDB's, "INET6"): the text has to be that, and an address of Go's the
// same when it is read from it. SQLite keeps the text.
func (k kind) keepsAddress(text string) string {
	t := nullOf(k.field.IndirectType)
	if k.engine() == dialect.SQLite || convertsItself(k.field.IndirectType) {
		return ""
	}
	shown, ok := spelledAddress(k.engine(), k.Name, text)
	if !isAddress(t) {
		if !ok || shown != text {
			return otherAddress
		}
		return ""
	}
	given, back := reflect.New(t).Elem(), reflect.New(t).Elem()
	if !ok || !ReadAddress(given, text) || !ReadAddress(back, shown) || !sameAddress(given, back) {
		return "is no address that a column of type " + k.Name + " keeps as it is"
	}
	return ""
}

var hardware = regexp.MustCompile(`^[0-9a-f]{2}(:[0-9a-f]{2})+$`)

// spelledAddress is what the server shows of an address that it is given as a text; ok is
// false if it does not take it.
func spelledAddress(engine, name, text string) (shown string, ok bool) {
	switch name {
	case "macaddr":
		return text, len(text) == len("00:00:00:00:00:00") && hardware.MatchString(text)
	case "macaddr8":
		return text, len(text) == len("00:00:00:00:00:00:00:00") && hardware.MatchString(text)
	}
	addr, bits, ok := cutAddress(text)
	if !ok || addr.Zone() != "" {
		return "", false
	}
	whole := bits == addr.BitLen()
	switch name {
	case "inet4":
		return addr.String(), whole && addr.Is4()
	case "inet6":
		return spelledIPv6(engine, netip.AddrFrom16(addr.As16())), whole
	case "cidr":
		if netip.PrefixFrom(addr, bits).Masked().Addr() != addr {
			return "", false
		}
		whole = false
	}
	if shown = spelledIPv6(engine, addr); !whole {
		shown = fmt.Sprintf("%s/%d", shown, bits)
	}
	return shown, true
}

// spelledIPv6 is addr as the servers write it: the last 32 bits as IPv4 where nothing but
// zeros is in front of them, and on MariaDB :: also for a single zero.
func spelledIPv6(engine string, addr netip.Addr) string {
	text := addr.String()
	if addr.Is4() {
		return text
	}
	all := addr.As16()
	if head := [12]byte{}; [12]byte(all[:12]) == head && (all[12] != 0 || all[13] != 0) {
		return "::" + netip.AddrFrom4([4]byte(all[12:])).String()
	}
	if engine != dialect.MariaDB || strings.Contains(text, "::") {
		return text
	}
	groups := strings.Split(text, ":")
	for i, group := range groups {
		if group == "0" {
			return strings.Join(groups[:i], ":") + "::" + strings.Join(groups[i+1:], ":")
		}
	}
	return text
}
