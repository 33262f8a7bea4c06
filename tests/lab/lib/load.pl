# load.pl DATA: keeps DATA/HOST/stat, which a lab host has as its /proc/stat.  What
# the QEMUs of the host have used is "user", the rest of the time since the start,
# on all processors of the machine, is "idle".  A QEMU that ends leaves what it has
# used.  Also gives the QEMUs priority: what guests burn is to be theirs on a machine
# that others keep busy, too.
use strict;
use warnings;
use POSIX ();
use Time::HiRes qw(sleep clock_gettime CLOCK_MONOTONIC);

my ($data) = @ARGV;
my $hz = POSIX::sysconf(POSIX::_SC_CLK_TCK());
my $cpus = grep { /^cpu\d/ } read_lines("/proc/stat");
my $start = clock_gettime(CLOCK_MONOTONIC);
my (%used, %last);

sub read_lines {
	my ($file) = @_;
	open(my $in, '<', $file) or return;
	my @lines = <$in>;
	return @lines;
}

# In ticks, with the thread times of all its threads; undef: it has ended.
sub ticks {
	my ($pid) = @_;
	my ($line) = read_lines("/proc/$pid/stat");
	return undef unless defined $line && $line =~ /\) [^Z] (.*)/;
	my @fields = split ' ', $1;
	return $fields[10] + $fields[11];
}

# Each QEMU is a session of its own, which the scheduler may weigh as one.
sub prefer {
	my ($pid) = @_;
	for my $task (glob("/proc/$pid/task/*")) {
		setpriority(0, $task =~ s{.*/}{}r, -10);
	}
	open(my $group, '>', "/proc/$pid/autogroup") or return;
	syswrite($group, "-10");
}

sub host_stat {
	my ($dir) = @_;
	my $host = $dir =~ s{.*/}{}r;
	for my $file (glob("$dir/run/qemu/*.pid")) {
		my ($pid) = read_lines($file);
		next unless defined $pid && $pid =~ /^(\d+)/;
		$pid = $1;
		my $now = ticks($pid);
		next unless defined $now;
		prefer($pid) unless exists $last{"$host $pid"};
		my $before = $last{"$host $pid"} // 0;
		$used{$host} += $now - $before if $now > $before;
		$last{"$host $pid"} = $now;
	}
	my $all = (clock_gettime(CLOCK_MONOTONIC) - $start) * $hz * $cpus;
	my $user = int($used{$host} // 0);
	my $idle = int($all) > $user ? int($all) - $user : 0;
	my $text = sprintf("cpu  %d 0 0 %d 0 0 0 0 0 0\n", $user, $idle);
	for my $n (0 .. $cpus - 1) {
		$text .= sprintf("cpu%d %d 0 0 %d 0 0 0 0 0 0\n", $n,
			$user / $cpus, $idle / $cpus);
	}
	# One write of one length: a reader sees the old or the new.
	$text .= ' ' x (1023 - length($text)) . "\n";
	open(my $out, '+<', "$dir/stat") or return;
	syswrite($out, $text);
}

while (-d $data) {
	host_stat($_) for grep { -e "$_/stat" } glob("$data/kvm*");
	sleep(0.5);
}
