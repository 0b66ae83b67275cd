# Holds a TUN device open in the network namespace that it runs in. Packets go out on stdout and come in on stdin, each
# behind its length in two bytes. An empty packet on stdout says that the device is there. Ends with stdin.
use strict;
use warnings;
use Fcntl;

sysopen(my $tun, '/dev/net/tun', O_RDWR) or die "open: $!";
# TUNSETIFF with IFF_TUN and IFF_NO_PI (linux/if_tun.h).
ioctl($tun, 0x400454ca, pack('Z16 s x22', $ARGV[0], 0x1001)) or die "TUNSETIFF: $!";
syswrite(STDOUT, pack('n', 0));

my $in = '';
while (1) {
    my $ready = '';
    vec($ready, fileno(STDIN), 1) = 1;
    vec($ready, fileno($tun), 1) = 1;
    select($ready, undef, undef, undef);
    if (vec($ready, fileno($tun), 1)) {
        my $n = sysread($tun, my $packet, 65535);
        if ($n) {
            my $out = pack('n', $n) . $packet;
            while (length $out) {
                my $written = syswrite(STDOUT, $out) or exit;
                substr($out, 0, $written) = '';
            }
        }
    }
    if (vec($ready, fileno(STDIN), 1)) {
        sysread(STDIN, $in, 65536, length $in) or exit;
        while (length $in >= 2) {
            my $n = unpack('n', $in);
            last if length $in < 2 + $n;
            # While the device is down nobody takes the packet: it is lost.
            syswrite($tun, substr($in, 2, $n));
            substr($in, 0, 2 + $n) = '';
        }
    }
}
