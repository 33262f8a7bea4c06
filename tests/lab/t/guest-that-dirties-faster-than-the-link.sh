# shellcheck shell=bash
# A guest writes to its memory faster than the cable carries.  Plain virsh does
# not end; Drover said so beforehand, and ends within what policy allows: by a
# longer downtime, by a pause, or by giving up with the figures.
fixture 2 'limits: { bandwidth: 13MiB/s }'
lab rate kvm2 120mbit
lab guest ls1 --dirty 30 --memory 192 >/dev/null
remember ls1
# by hand: as long as Drover needs below, and longer
timeout 40 "$LAB_DIR/lab" -n "$LAB_NAME" exec virsh -q -c "$(lab uri kvm1)" \
	migrate --live --p2p --persistent --undefinesource ls1 \
	"$(lab uri kvm2)" --migrateuri "tcp://$(lab address kvm2)" \
	>"$WORK/virsh" 2>&1 && fail "plain virsh did end: the test tests nothing"
lab virsh kvm1 domjobabort ls1 || true
no_job()
{
	lab virsh kvm1 domjobinfo ls1 | among 'Job type: *None'
}
wait_for 30 "virsh's job to end" no_job
expect_on ls1 kvm1

RETRIES=0 strategy_policy live-shared 'converge: [ downtime ], converge_downtime: 600ms'
droverd_start
droverd_up 2
predicted()
{
	ctl -o json vm move ls1 --to kvm2 --strategy live-shared --dry-run \
		>"$WORK/plan" && jq -e '.forced_downtime_ms > 600' \
		"$WORK/plan"
}
wait_for 90 "a prediction" predicted
ctl vm move ls1 --to kvm2 --strategy live-shared --dry-run
case_ok "predicted not to converge"

rc=0
ctl host drain kvm1 --timeout 3m >"$WORK/out" || rc=$?
cat "$WORK/out"
((rc == 3)) || fail "exit code $rc, expected 3"
wait_settled
ctl move show "$(move_of ls1)" | tee "$WORK/show"
grep -qi 'converge' "$WORK/show" || fail "it is not told why"
grep -qE '[0-9.]+ [KM]iB/s' "$WORK/show" || fail "without its figures"
expect_whole ls1 kvm1
expect_healthy ls1
case_ok "gives up, with the figures"

RETRIES=0 strategy_policy live-shared \
	'converge: [ downtime, pause ], converge_downtime: 600ms'
ctl reload
ctl host undrain kvm1
ctl host drain kvm1 --timeout 3m
expect_whole ls1 kvm2
expect_healthy ls1
case_ok "ends by a pause"

RETRIES=0 strategy_policy live-shared \
	'converge: [ downtime ], converge_downtime: 8s'
ctl reload
ctl host undrain kvm1
ctl host drain kvm2 --timeout 3m
expect_whole ls1 kvm1
expect_healthy ls1
case_ok "ends by a longer downtime"
droverd_stop
