# shellcheck shell=bash
# A guest that does not listen to the power button stays where it is and is as
# before, unless policy says that its power may be cut.
fixture 2 'limits: { per_source: 4, per_target: 4 }'
RETRIES=0 strategy_policy restart 'shutdown: { timeout: 6s, repeat: 2s }'
lab guest rs1 --no-acpi >/dev/null
lab guest rl1 --no-acpi --local --format qcow2 --disk 128M --allocate 16M \
	>/dev/null
remember rs1
remember rl1
droverd_start
droverd_up 2
rc=0
ctl host drain kvm1 --timeout 2m >"$WORK/out" 2>&1 || rc=$?
cat "$WORK/out"
((rc == 3)) || fail "exit code $rc, expected 3"
wait_settled
for g in rs1 rl1; do
	grep -q "$g.*shut" "$WORK/out" || fail "it is not told why $g stays"
	expect_whole "$g" kvm1
	(($(boots "$g") == 0)) || fail "$g was booted anew"
	expect_healthy "$g"
done
[[ -z $(images_of kvm2) ]] || fail "left on kvm2: $(images_of kvm2)"
expect_images kvm1 rl1.qcow2
expect_all_told
case_ok "not forced: it stays"
# it was asked again and again
id=$(move_of rs1)
ctl -o json move show "$id" | jq -e '[.journal[] |
	select(.step == "shutdown")] | length >= 2' >/dev/null ||
	fail "asked once only: $(ctl move show "$id")"
case_ok "it is asked again"

strategy_policy restart 'shutdown: { timeout: 6s, repeat: 2s, force: true }'
ctl reload
ctl host undrain kvm1
ctl host drain kvm1 --timeout 2m
for g in rs1 rl1; do
	expect_whole "$g" kvm2
	(($(boots "$g") == 1)) || fail "$g was booted $(boots "$g") times"
done
expect_no_orphans
expect_all_told
case_ok "forced: its power is cut"
droverd_stop
