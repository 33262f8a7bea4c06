# shellcheck shell=bash
# The main job: three guests leave, each with its definition and autostart, and
# each result arrives, signed.
fixture 2
lab guest g1 --autostart >/dev/null
lab guest g2 >/dev/null
lab guest g3 >/dev/null
droverd_start
droverd_up 2
ctl host drain kvm1 | tee "$WORK/out"
for g in g1 g2 g3; do
	expect_on $g kvm2
	expect_defined $g kvm2
	expect_healthy $g
	grep -q "^$g: moved to kvm2" "$WORK/out" || fail "no line about $g"
done
lab virsh kvm2 -q list --all --autostart --name | among -x g1 ||
	fail "autostart was not carried over"
! lab virsh kvm2 -q list --all --autostart --name | among -x g2 ||
	fail "g2 has got an autostart that it had not"
expect_received 3 move.completed '.body.data.downtime_ms > 0 and
	.body.data.memory_bytes > 0 and .body.data.duration_ms > 0'
expect_received 3 move.started
expect_received 1 drain.started
expect_received 1 drain.completed '.body.data.moved == 3'
[[ $(ctl -o json host show kvm1 | jq .maintenance) == true ]] ||
	fail "the flag is gone"
droverd_stop
