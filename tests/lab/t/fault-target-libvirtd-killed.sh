# shellcheck shell=bash
# kill -9 of the target's libvirtd while four guests are on their way, one of
# each kind.
fixture 2 'limits: { per_source: 4, per_target: 4, bandwidth: 24MiB/s }'
guests=(ls1 lc1 rs1 rl1)
strategy_guests -l 4 "${guests[@]}"
droverd_start
droverd_up 2
begin_moves "${guests[@]}"
all_under_way "${guests[@]}"
lab kill kvm2
wait_for 60 "the loss to be noticed" has_received 1 host.lost
lab start kvm2
expect_after_fault "${guests[@]}"
droverd_stop
