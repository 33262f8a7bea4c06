# shellcheck shell=bash
# The target's libvirtd is frozen while the guest is on its way and thaws after
# the source has taken it back: at no time do two copies run.
# waits
fixture 2 'limits: { bandwidth: 16MiB/s }'
lab guest g1 >/dev/null
droverd_start
droverd_up 2
ctl host drain --no-wait kvm1
wait_for 60 "g1 in flight" is_moving g1
lab freeze kvm2
# The hosts are looked at one after the other, and a QEMU that takes a guest in
# uses its vCPU threads for a moment: two copies that run do so at the next look.
copies()
{
	lab where g1 2>/dev/null | grep -c vcpus=running || true
}
end=$((SECONDS + 50))
while ((SECONDS < end)); do
	(($(copies) <= 1)) || (($(copies) <= 1)) ||
		fail "two running copies: $(lab where g1)"
	sleep 1
done
lab thaw kvm2
wait_for 150 "the drain's end" drain_is done
expect_on g1 kvm2
expect_defined g1 kvm2
expect_healthy g1
droverd_stop
