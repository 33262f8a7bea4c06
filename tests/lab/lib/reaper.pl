#!/usr/bin/perl
# reaper.pl CMD ARGS...: runs CMD, prints its process id, and stays to reap.
#
# QEMU detaches from libvirtd and becomes a child of the machine's first
# process.  libvirt takes a QEMU for alive until that one has reaped it, and
# what is process 1 in a container may look only every other second: each
# migration, each destroy and each probe of QEMU would wait for it.  A host's
# own subreaper does what init does on a real host, at once.  It ends when its
# last child has; QEMUs that outlive a killed libvirtd keep theirs.
use strict;
use warnings;

my ($SYS_prctl, $PR_SET_CHILD_SUBREAPER) = (157, 36);    # x86-64

syscall($SYS_prctl, $PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == 0
	or die "prctl: $!\n";
my $pid = fork();
defined $pid or die "fork: $!\n";
if ($pid == 0) {
	open STDOUT, '>&', \*STDERR or die "stdout: $!\n";
	exec { $ARGV[0] } @ARGV or die "$ARGV[0]: $!\n";
}
$| = 1;
print "$pid\n";
close STDOUT;
1 while wait() != -1;
