# shellcheck shell=bash
# The target's libvirtd dies in the middle: the guest stays whole at the source
# and goes to another host by itself.
fixture 3 'limits: { bandwidth: 16MiB/s }'
lab guest g1 >/dev/null
droverd_start
droverd_up 3
ctl host drain --no-wait kvm1
wait_for 60 "g1 in flight" is_moving g1
to=$(newest_move | jq -r .to)
say "killing the libvirtd of $to"
lab kill "$to"
wait_for 120 "the drain's end" drain_is done
other=kvm2
[[ $to != kvm2 ]] || other=kvm3
expect_on g1 $other
expect_healthy g1
lab start "$to"
expect_on g1 $other
droverd_up 3
expect_defined g1 $other
[[ $(moves | jq -s 'map(select(.outcome != "completed")) | length') == 1 ]] ||
	fail "expected one failed move: $(moves)"
moves | jq -e 'select(.outcome != "completed") | .cause != null' >/dev/null ||
	fail "the failure is not explained: $(moves)"
expect_received 1 move.completed
droverd_stop
