# shellcheck shell=bash
# A guest that answers the power button by a reboot is noticed and asked again,
# and stays where it is when it never goes off.
fixture 2
RETRIES=0 strategy_policy restart 'shutdown: { timeout: 20s, repeat: 15s }'
lab guest rs1 --reboot-on-acpi >/dev/null
remember rs1
droverd_start
droverd_up 2
rc=0
ctl host drain kvm1 --timeout 2m >"$WORK/out" 2>&1 || rc=$?
cat "$WORK/out"
((rc == 3)) || fail "exit code $rc, expected 3"
wait_settled
grep -qi 'rs1.*reboot' "$WORK/out" || fail "the reboot is not told"
expect_whole rs1 kvm1
(($(boots rs1) >= 1)) || fail "it did not reboot: the test tests nothing"
expect_all_told
droverd_stop
