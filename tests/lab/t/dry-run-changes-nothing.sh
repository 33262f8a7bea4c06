# shellcheck shell=bash
fixture 2
lab guest g1 >/dev/null
droverd_start
droverd_up 2
ctl host drain --dry-run kvm1 | tee "$WORK/out"
grep -q 'g1.*kvm2' "$WORK/out" || fail "the plan does not say where g1 goes"
ctl plan drain kvm1 >"$WORK/plan"
grep -q 'g1.*kvm2' "$WORK/plan" || fail "the plan does not say where g1 goes"
ctl vm move g1 --dry-run | among kvm2 || fail "vm move --dry-run"
[[ $(ctl -o json host show kvm1 | jq .maintenance) == false ]] ||
	fail "a dry run has set the flag"
[[ -z $(moves) ]] || fail "a dry run has moved something"
expect_on g1 kvm1
droverd_stop
