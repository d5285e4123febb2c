# A relay whose way back is slow: perl -e … PORT HOST:PORT FILE. FILE has the
# milliseconds. It uses what every Debian has of Perl.
use IO::Socket::INET;
use IO::Select;
use POSIX ();
my ($port, $to, $file) = @ARGV;
my $ticks = POSIX::sysconf(POSIX::_SC_CLK_TCK());
sub now { (POSIX::times())[0] / $ticks }
sub lag { open(my $f, "<", $file) or return 0; my $ms = <$f>; return ($ms || 0) / 1000 }
sub pass { my ($socket, $data) = @_; while (length $data) { my $n = syswrite($socket, $data); exit unless $n; substr($data, 0, $n) = "" } }
$SIG{CHLD} = "IGNORE";
my $listener = IO::Socket::INET->new(LocalAddr => "127.0.0.1:$port", Listen => 5, ReuseAddr => 1) or die;
while (my $client = $listener->accept) {
	next if fork;
	my $server = IO::Socket::INET->new(PeerAddr => $to) or exit;
	my $select = IO::Select->new($client, $server);
	my @late;
	while (1) {
		for my $socket ($select->can_read(@late ? 0.01 : 1)) {
			sysread($socket, my $data, 65536) or exit;
			if ($socket == $client) { pass($server, $data) } else { push @late, [now(), $data] }
		}
		my $until = now() - lag();
		pass($client, (shift @late)->[1]) while @late && $late[0][0] <= $until;
	}
}
