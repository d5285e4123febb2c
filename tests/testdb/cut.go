package testdb

import (
	"context"
	"fmt"
	"slices"
)

// misdirect makes packets for an address of the same network go to a card that
// nobody has, or lets them find their way again. They are lost in silence, as on a
// line that is cut: a route that refuses them would tell the sender. It takes the
// capability NET_ADMIN in the machine's own network and Perl, which is part of
// every Debian.
const misdirect = `
socket(my $socket, 2, 2, 0) or die "socket: $!\n";
my ($cut, @peers) = @ARGV;
for my $peer (@peers) {
	# struct arpreq: the address, the card, ATF_COM|ATF_PERM, no netmask, the device
	my $entry = pack("S x2 C4 x8 S a6 x8 L x16 a16", 2, split(/\./, $peer), 1, "\2\0\0\0\0\1", 6, "eth0");
	ioctl($socket, $cut ? 0x8955 : 0x8953, $entry) or !$cut or die "SIOCSARP $peer: $!\n";
}`

// Cut takes the network away between this node and all others of its cluster. The
// test still reaches each of them, and so does a pooler.
func (n *Node) Cut(ctx context.Context) error { return n.line(ctx, "1") }

// Heal undoes [Node.Cut]. A node that the others have meanwhile expelled is not a
// member again by that alone: see [Node.Restart].
func (n *Node) Heal(ctx context.Context) error { return n.line(ctx, "") }

func (n *Node) line(ctx context.Context, cut string) error {
	peers := slices.DeleteFunc(slices.Clone(n.cluster.all()), func(peer *Node) bool { return peer == n })
	var addresses []string
	for _, peer := range peers {
		addresses = append(addresses, peer.inside)
		if err := peer.misdirect(ctx, cut, n.inside); err != nil {
			return err
		}
	}
	return n.misdirect(ctx, cut, addresses...)
}

func (m *machine) misdirect(ctx context.Context, cut string, peers ...string) error {
	if _, err := m.run(ctx, "root", append([]string{"perl", "-e", misdirect, cut}, peers...)...); err != nil {
		return fmt.Errorf("cutting a line takes Perl in the image and the capability NET_ADMIN: %w", err)
	}
	return nil
}
