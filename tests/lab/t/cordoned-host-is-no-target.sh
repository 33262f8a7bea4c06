# shellcheck shell=bash
fixture 3
lab guest g1 >/dev/null
droverd_start
droverd_up 3
ctl host cordon kvm2 --reason 'disk swap'
ctl host drain kvm1 --timeout 2m
expect_on g1 kvm3
ctl host undrain kvm1
rc=0
ctl host cordon kvm1
ctl host drain kvm3 >"$WORK/out" || rc=$?
cat "$WORK/out"
((rc == 3)) || fail "exit code $rc, expected 3"
grep -q 'disk swap' "$WORK/out" || fail "the operator's reason is not told"
ctl host uncordon kvm2
wait_for 60 "the drain to go on by itself" drain_is done
expect_on g1 kvm2
droverd_stop
