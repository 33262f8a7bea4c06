# shellcheck shell=bash
# The target's cable is pulled for 45 s while four guests are on their way, one
# of each kind.
# waits
fixture 2 'limits: { per_source: 4, per_target: 4, bandwidth: 24MiB/s }'
guests=(ls1 lc1 rs1 rl1)
strategy_guests -l 4 "${guests[@]}"
droverd_start
droverd_up 2
begin_moves "${guests[@]}"
all_under_way "${guests[@]}"
lab link kvm2 down
cut=$SECONDS
wait_for 90 "the loss to be noticed" has_received 1 host.lost
while ((SECONDS < cut + 45)); do
	sleep 1
done
lab link kvm2 up
expect_after_fault "${guests[@]}"
droverd_stop
