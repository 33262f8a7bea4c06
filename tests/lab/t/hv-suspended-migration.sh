# shellcheck shell=bash
# A guest that is suspended while it migrates, as a last resort: it runs at the
# target when it arrives, and it runs at the source again when the migration is
# aborted or fails, without anybody's help.
fixture 2
# shellcheck source=../lib/probe.sh
. "$LAB_DIR/lib/probe.sh"
lab guest d1 --memory 192 --dirty 40 >/dev/null
d1=$(uuid_of d1)

suspended()
{
	probe_open
	probe_tell up kvm1
	probe_tell up kvm2
	probe_tell "migrate $d1 kvm1 kvm2 bandwidth=20971520"
	wait_says 60 'event d1 iteration 1'
	probe_tell "suspend $d1 kvm1"
	wait_says 60 'domain [^ ]* d1 paused \(migration\) persistent job=active'
	expect_says 'done suspend'
}

say "aborted"
suspended
probe_tell "abort $d1 kvm1"
probe_close && fail "moved after all"
expect_says 'failed migrate .*\[aborted\]'
expect_on d1 kvm1
[[ $(lab virsh kvm1 domstate d1 --reason) == "running (migration canceled)"* ]] ||
	fail "$(lab virsh kvm1 domstate d1 --reason)"

say "the target's QEMU is killed"
suspended
kill -9 "$(lab qemu-pid kvm2 d1)"
probe_close && fail "moved without a QEMU"
expect_on d1 kvm1

say "it arrives"
suspended
probe_close || { tail -n 3 "$WORK/probe"; fail "not moved"; }
expect_on d1 kvm2
expect_healthy d1
