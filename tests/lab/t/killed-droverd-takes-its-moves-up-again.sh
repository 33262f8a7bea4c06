# shellcheck shell=bash
# kill -9 in flight: libvirt goes on, and the next droverd finds out, records,
# delivers once, and continues the drain by itself.
fixture 2 'limits: { per_source: 1, per_target: 1, bandwidth: 16MiB/s }'
lab guest g1 >/dev/null
lab guest g2 >/dev/null
droverd_start
droverd_up 2
ctl host drain --no-wait kvm1
first()
{
	api '/v1/moves?open=1&max=10' |
		jq -er '.moves[] | select(.progress.percent >= 5) | .vm'
}
wait_for 60 "a move in flight" first
vm=$(first || api '/v1/moves?max=1' | jq -r '.moves[0].vm')
droverd_kill
say "$vm was in flight"
droverd_start
api '/v1/moves?open=1&max=10' | jq -e --arg g "$vm" \
	'.moves[] | select(.vm == $g)' >/dev/null ||
	[[ $(running_on "$vm") == kvm2 ]] || fail "the move was forgotten"
wait_for 120 "the drain's end" drain_is done
for g in g1 g2; do
	expect_on $g kvm2
	expect_defined $g kvm2
	expect_healthy $g
	expect_received 1 move.completed ".body.data.guest == \"$g\""
	expect_received 1 move.started ".body.data.guest == \"$g\""
done
expect_received 1 drain.completed
[[ $(moves | wc -l) == 2 ]] || fail "$(moves)"
droverd_stop
