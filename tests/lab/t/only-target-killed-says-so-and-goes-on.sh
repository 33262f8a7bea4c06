# shellcheck shell=bash
# With no other host the drain says what blocks it, and goes on when the host
# is back.
fixture 2 'limits: { bandwidth: 16MiB/s }'
lab guest g1 >/dev/null
droverd_start
droverd_up 2
ctl host drain --no-wait kvm1
wait_for 60 "g1 in flight" is_moving g1
lab kill kvm2
wait_for 60 "the drain to say that it is blocked" drain_is blocked
expect_on g1 kvm1
rc=0
ctl host drain kvm1 --timeout 30s >"$WORK/out" || rc=$?
cat "$WORK/out"
((rc == 3)) || fail "exit code $rc, expected 3"
grep -q 'kvm2' "$WORK/out" || fail "the reason does not name kvm2"
lab start kvm2
wait_for 90 "the drain's end" drain_is done
expect_on g1 kvm2
expect_defined g1 kvm2
expect_healthy g1
droverd_stop
