# shellcheck shell=bash
# A guest that writes faster than the link: it does not end by itself, and ends
# with a higher downtime limit, with all of the link, and by post-copy.
fixture 2
# shellcheck source=../lib/probe.sh
. "$LAB_DIR/lib/probe.sh"
lab guest d1 --memory 192 --dirty 40 >/dev/null
d1=$(uuid_of d1)

iterations()
{
	grep -c "event d1 iteration" "$WORK/probe"
}

busy()
{
	(($(iterations) > 4))
}

migrate_busy() # FROM TO OPTIONS
{
	probe_open
	probe_tell up kvm1
	probe_tell up kvm2
	probe_tell "migrate $d1 $1 $2 bandwidth=20971520 downtime=50 $3"
	wait_for 90 "iterations without an end" busy
	! probe_says ' done migrate' || fail "it was not busy enough"
}

arrives() # HOST
{
	probe_close || { tail -n 3 "$WORK/probe"; fail "not moved"; }
	expect_on d1 "$1"
}

say "a higher limit of downtime"
migrate_busy kvm1 kvm2 converge
probe_tell "downtime $d1 kvm1 20000"
arrives kvm2

say "all of the link"
migrate_busy kvm2 kvm1 ""
probe_tell "bandwidth $d1 kvm2 0"
arrives kvm1

say "post-copy"
migrate_busy kvm1 kvm2 postcopy
probe_tell "postcopy $d1 kvm1"
arrives kvm2
expect_says 'event d1 suspended \(post-copy\)'
probe_says 'post-copy was refused' && fail "QEMU runs as root here"
expect_healthy d1
