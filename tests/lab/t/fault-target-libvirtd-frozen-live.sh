# shellcheck shell=bash
# SIGSTOP of the target's libvirtd for 45 s at the switchover of live moves (the
# pages go from QEMU to QEMU; what waits for libvirtd is the handover).
# waits
fixture 2 'limits: { per_source: 4, per_target: 4, bandwidth: 24MiB/s }'
guests=(ls1 lc1)
strategy_guests -l 4 "${guests[@]}"
droverd_start
droverd_up 2
begin_moves "${guests[@]}"
all_under_way "${guests[@]}"
lab freeze kvm2
wait_for 60 "the loss to be noticed" has_received 1 host.lost
frozen=$SECONDS
# a copy that ran beside another would be noticed; see lab/once
while ((SECONDS < frozen + 45)); do
	sleep 1
done
lab thaw kvm2
expect_after_fault "${guests[@]}"
droverd_stop
