# shellcheck shell=bash
# Guests on shared storage, and one without a disk, are shut down and started
# elsewhere; one listens only when it is asked again.
fixture 2 'limits: { per_source: 4, per_target: 4 }'
strategy_policies 'shutdown: { timeout: 60s, repeat: 2s }'
lab guest rs1 --autostart >/dev/null
lab guest rs2 --format qcow2 --disk 128M --allocate 16M --linger 3 >/dev/null
lab guest rs3 --no-disk >/dev/null
remember rs1
remember rs2
droverd_start
droverd_up 2
ctl host drain kvm1 --timeout 3m | tee "$WORK/out"
for g in rs1 rs2; do
	expect_whole $g kvm2
	(($(boots $g) == 1)) || fail "$g was booted $(boots $g) times"
done
expect_filled rs2
expect_on rs3 kvm2
expect_defined rs3 kvm2
lab virsh kvm2 list --all --autostart --name | grep -qx rs1 ||
	fail "autostart was not carried over"
! lab virsh kvm2 list --all --autostart --name | grep -qx rs2 ||
	fail "rs2 has got an autostart that it had not"
[[ $(lab images kvm1 shared | wc -l) == 2 ]] || fail "$(lab images kvm1 shared)"
expect_no_orphans
expect_received 3 move.completed '.body.data.strategy == "restart" and
	.body.data.downtime_ms > 0'
expect_all_told
droverd_stop
