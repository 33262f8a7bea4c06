# shellcheck shell=bash
# A medium in a drive: where the target has it too it stays in; where it has not,
# it is taken out if the guest can do without, else the guest stays.
fixture 2 'limits: { per_source: 4, per_target: 4 }'
only=/var/lib/libvirt/only-here.iso
both=$(lab shared)/both.iso
lab host kvm1 dd if=/dev/urandom of=$only bs=1M count=1 2>/dev/null
dd if=/dev/urandom of="$both" bs=1M count=1 2>/dev/null
lab guest ls-optional --cdrom $only --optional >/dev/null
lab guest ls-needed --cdrom $only >/dev/null
lab guest ls-both --cdrom "$both" >/dev/null
droverd_start
droverd_up 2
rc=0
ctl host drain kvm1 --timeout 2m >"$WORK/out" || rc=$?
cat "$WORK/out"
((rc == 3)) || fail "exit code $rc, expected 3"
for g in ls-optional ls-both; do
	expect_on $g kvm2
	expect_defined $g kvm2
	expect_healthy $g
done
lab virsh kvm2 domblklist ls-both | among "$both" ||
	fail "the medium of ls-both is gone"
! lab virsh kvm2 domblklist ls-optional | among iso ||
	fail "ls-optional: $(lab virsh kvm2 domblklist ls-optional)"
expect_on ls-needed kvm1
grep -q "ls-needed.*blocked" "$WORK/out" || fail "ls-needed is not blocked"
grep -q "$only" "$WORK/out" || fail "the medium is not named"
# the operator brings it
lab host kvm2 dd if=/dev/urandom of=$only bs=1M count=1 2>/dev/null
wait_for 90 "the drain's end" drain_is done
expect_on ls-needed kvm2
expect_healthy ls-needed
droverd_stop
