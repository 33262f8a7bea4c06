# shellcheck shell=bash
# A target on which the disk is missing: the guest stays whole, the failure is
# put into words, and the next attempt goes elsewhere.
fixture 3
lab guest g1 >/dev/null
shared=$(lab shared)
lab host kvm2 mount -t tmpfs none "$shared"
droverd_start
droverd_up 3
# busy kvm3, so that the ladder prefers kvm2
lab guest heavy --host kvm3 --memory 512 >/dev/null
ctl vm move g1 --to kvm2 >"$WORK/out" 2>&1 && fail "moved without its disk"
cat "$WORK/out"
expect_on g1 kvm1
expect_healthy g1
ctl host drain kvm1 --timeout 2m
expect_on g1 kvm3
expect_healthy g1
expect_defined g1 kvm3
droverd_stop
