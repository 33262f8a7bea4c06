# shellcheck shell=bash
# The source's libvirtd dies in the middle; after its restart the move is
# reconciled and the drain goes on.
fixture 2 'limits: { bandwidth: 16MiB/s }'
lab guest g1 >/dev/null
droverd_start
droverd_up 2
ctl host drain --no-wait kvm1
wait_for 60 "g1 in flight" is_moving g1
lab kill kvm1
wait_for 60 "the loss to be noticed" has_received 1 host.lost
lab start kvm1
wait_for 120 "the drain's end" drain_is done
expect_on g1 kvm2
expect_defined g1 kvm2
expect_healthy g1
expect_received 1 move.completed
droverd_stop
