# shellcheck shell=bash
# Copies that fail: a pool that runs full, an image of another size, a target's
# QEMU that is killed in the middle.  The guest goes on where it was.
fixture 2
# shellcheck source=../lib/probe.sh
. "$LAB_DIR/lib/probe.sh"
size=1073741824
lab guest g1 --local --format qcow2 --disk 1G --allocate 300M >/dev/null
g1=$(uuid_of g1)
lab pool-limit kvm2 150

say "a pool that runs full"
probe <<-END && fail "moved into a pool that is too small"
	up kvm1
	up kvm2
	prepare kvm2 local/g1.qcow2,qcow2,$size
	sync
	migrate $g1 kvm1 kvm2 copy=vda thin:vda
END
expect_says 'failed migrate .*\[no-space\]'
expect_on g1 kvm1

say "an image of another size"
probe <<-END && fail "moved into an image of another size"
	up kvm1
	up kvm2
	prepare kvm2 local/g1.qcow2,qcow2,2147483648,replace
	sync
	migrate $g1 kvm1 kvm2 copy=vda thin:vda
END
expect_says 'failed migrate .*\[size-mismatch\]'
expect_on g1 kvm1

say "the target's QEMU is killed"
lab rate kvm2 200mbit
probe_open
probe_tell up kvm1
probe_tell up kvm2
probe_tell "prepare kvm2 local/g1.qcow2,qcow2,$size,replace"
probe_tell sync
probe_tell "migrate $g1 kvm1 kvm2 copy=vda thin:vda"
wait_says 60 ' job .* disk-done=[1-9]'
kill -9 "$(lab qemu-pid kvm2 g1)"
probe_close && fail "moved without a QEMU"
expect_says 'failed migrate '
probe_says 'failed migrate .*\[other\]' && fail "$(grep failed "$WORK/probe")"
expect_on g1 kvm1
expect_healthy g1
