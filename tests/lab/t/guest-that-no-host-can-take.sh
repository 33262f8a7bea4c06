# shellcheck shell=bash
# One guest is on a bridge that no other host has: the others leave, the exit
# code is 3, and the reason names each host.
fixture 3
lab host kvm1 ip link add br9 type bridge
lab host kvm1 ip link set br9 up
lab guest g1 >/dev/null
lab guest g2 >/dev/null
lab guest odd --bridge br9 --no-wait >/dev/null
lab kill kvm1
lab start kvm1
droverd_start
droverd_up 3
rc=0
ctl host drain kvm1 >"$WORK/out" || rc=$?
cat "$WORK/out"
((rc == 3)) || fail "exit code $rc, expected 3"
for g in g1 g2; do
	[[ $(running_on $g) == kvm[23] ]] || fail "$g did not leave"
	expect_healthy $g
done
expect_on odd kvm1
grep -q 'odd.*blocked' "$WORK/out" || fail "odd is not listed as blocked"
for host in kvm2 kvm3; do
	grep -q "$host.*br9" "$WORK/out" || fail "no reason for $host"
done
expect_received 1 drain.blocked '.body.data.remaining | length == 1'
expect_received 1 drain.blocked '.body.data.guests[0].outcome == "blocked" and
	(.body.data.guests[0].reason | length) > 0'
# the operator mends it, and the drain goes on by itself
lab host kvm2 ip link add br9 type bridge
lab host kvm2 ip link set br9 up
lab kill kvm2
lab start kvm2
wait_for 60 "the drain's end" drain_is done
expect_on odd kvm2
droverd_stop
