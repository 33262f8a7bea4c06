# shellcheck shell=bash
# SIGSTOP of one libvirtd: the others are drained meanwhile, droverd answers at
# once, and nothing is sent to the host that does not answer.
fixture 3
lab guest g1 >/dev/null
lab guest g2 >/dev/null
droverd_start
droverd_up 3
lab freeze kvm3
not_up()
{
	[[ $(ctl -o json host show kvm3 | jq -r .state) != up ]]
}
wait_for 30 "kvm3 to count as silent" not_up
ctl host drain kvm1 --timeout 2m | tee "$WORK/out"
for g in g1 g2; do
	expect_on $g kvm2
	expect_healthy $g
done
# the answer to a question about all hosts takes less than what a hang would
slowest=$(for _ in 1 2 3 4 5; do
	curl -sS -o /dev/null -w '%{time_total}\n' --unix-socket \
		"$WORK/run/drover.sock" http://drover/v1/hosts
done | sort -n | tail -1)
say "slowest answer: $slowest s"
awk -v t="$slowest" 'BEGIN { exit !(t < 2) }' || fail "answers take $slowest s"
lab thaw kvm3
droverd_up 3
ctl vm move g1 --to kvm3
expect_on g1 kvm3
expect_healthy g1
droverd_stop
