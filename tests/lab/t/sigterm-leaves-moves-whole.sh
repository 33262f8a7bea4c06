# shellcheck shell=bash
# SIGTERM in flight: droverd ends soon and in good order, the move goes on in
# libvirt, and the next start records it.
fixture 2 'limits: { bandwidth: 16MiB/s }'
lab guest g1 >/dev/null
droverd_start
droverd_up 2
ctl vm move g1 --no-wait
wait_for 60 "g1 in flight" is_moving g1
droverd_stop
expect_on g1 kvm2
expect_healthy g1
droverd_start
recorded()
{
	[[ $(moves | jq -r .outcome) == completed ]]
}
wait_for 30 "the record" recorded
expect_received 1 move.completed
expect_defined g1 kvm2
droverd_stop
