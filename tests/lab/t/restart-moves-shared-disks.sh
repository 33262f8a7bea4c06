# shellcheck shell=bash
# Guests on shared storage, and one without a disk, are shut down and started
# elsewhere; one listens to its agent only, as it is asked first.
fixture 2 'limits: { per_source: 4, per_target: 4 }'
strategy_policy restart 'shutdown: { timeout: 60s, repeat: 2s }'
lab guest rs1 --autostart >/dev/null
lab guest rs2 --format qcow2 --disk 128M --allocate 16M --linger 3 >/dev/null
lab guest rs3 --no-disk >/dev/null
lab guest rs4 --agent --no-acpi >/dev/null
for g in rs1 rs2 rs4; do
	remember $g
done
droverd_start
droverd_up 2
ctl host drain kvm1 --timeout 3m | tee "$WORK/out"
for g in rs1 rs2 rs4; do
	expect_whole $g kvm2
	(($(boots $g) == 1)) || fail "$g was booted $(boots $g) times"
done
expect_filled rs2
expect_on rs3 kvm2
expect_defined rs3 kvm2
lab virsh kvm2 list --all --autostart --name | among -x rs1 ||
	fail "autostart was not carried over"
! lab virsh kvm2 list --all --autostart --name | among -x rs2 ||
	fail "rs2 has got an autostart that it had not"
lab host kvm1 grep -q 'agent: asked' /var/log/libvirt/qemu/rs4.serial ||
	fail "rs4 was not asked by its agent"
[[ $(lab images kvm1 shared | wc -l) == 3 ]] || fail "$(lab images kvm1 shared)"
expect_no_orphans
expect_received 4 move.completed '.body.data.strategy == "restart" and
	.body.data.downtime_ms > 0'
expect_all_told
droverd_stop
