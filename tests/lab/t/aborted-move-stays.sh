# shellcheck shell=bash
fixture 2 'limits: { bandwidth: 12MiB/s }'
lab guest g1 >/dev/null
droverd_start
droverd_up 2
ctl vm move g1 --no-wait
wait_for 60 "g1 in flight" is_moving g1
ctl move abort "$(moves | jq .id)"
aborted()
{
	[[ $(moves | jq -r .outcome) == aborted ]]
}
wait_for 60 "the move's end" aborted
expect_on g1 kvm1
expect_defined g1 kvm1
expect_healthy g1
expect_received 1 move.failed '.body.data.outcome == "aborted"'
# and it can still be moved
cp "$WORK/drover.yaml" "$WORK/slow.yaml"
sed -i '/bandwidth/d' "$WORK/drover.yaml"
ctl reload
ctl vm move g1
expect_on g1 kvm2
droverd_stop
