# shellcheck shell=bash
# The target's cable is pulled for 60 s in the middle of a move.
# waits
fixture 2 'limits: { bandwidth: 16MiB/s }'
lab guest g1 >/dev/null
droverd_start
droverd_up 2
ctl host drain --no-wait kvm1
wait_for 60 "g1 in flight" is_moving g1
lab link kvm2 down
cut=$SECONDS
wait_for 90 "the loss to be noticed" has_received 1 host.lost
# it runs, and in one place only, for as long as the link is cut; when the move is
# given up its vCPUs may be seen to rest for a moment
runs_once()
{
	[[ $(lab where g1 | grep -c vcpus=running) == 1 ]]
}
while ((SECONDS < cut + 60)); do
	where=$(lab where g1)
	(($(grep -c vcpus=running <<<"$where") < 2)) ||
		fail "it runs twice: $where"
	wait_for 10 "g1 to run" runs_once
	sleep 2
done
lab link kvm2 up
wait_for 150 "the drain's end" drain_is done
expect_on g1 kvm2
expect_defined g1 kvm2
expect_healthy g1
expect_received 1 move.completed
droverd_stop
