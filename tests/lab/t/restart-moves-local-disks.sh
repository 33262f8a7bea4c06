# shellcheck shell=bash
# Guests with local disks are shut down and started elsewhere; what they write
# until the end comes along: raw and qcow2, one disk shared and one local, a
# layer over a shared image.  The pool has another path there.  And back again.
export LAB_UP_OPTIONS='--pool-path kvm2=/var/lib/libvirt/disks'
fixture 2 'limits: { per_source: 4, per_target: 4 }'
strategy_policy restart
lab guest rl-raw --local --disk 256M --allocate 24M --zeros 16M >/dev/null
lab guest rl-qcow2 --local --format qcow2 --disk 256M --allocate 24M \
	--autostart >/dev/null
lab guest rl-mixed --disk 96M --allocate 8M --second-disk local >/dev/null
lab guest rl-over --local --backing shared --disk 128M --allocate 16M >/dev/null
guests=(rl-raw rl-qcow2 rl-mixed rl-over)
for g in "${guests[@]}"; do
	remember "$g"
done
declare -A had=()
for image in rl-raw.raw rl-qcow2.qcow2; do
	had[$image]=$(image_figure kvm1 $image allocated)
done
droverd_start
droverd_up 2
# as late as possible: what it said last must be on the disk that it boots from
witness_start rl-qcow2
ctl host drain kvm1 --timeout 5m | tee "$WORK/out"
witness_stop
for g in "${guests[@]}"; do
	expect_whole "$g" kvm2
	(($(boots "$g") == 1)) || fail "$g was booted $(boots "$g") times"
	expect_move "$g" '.strategy == "restart" and .outcome == "completed"'
	xml=$(lab virsh kvm2 dumpxml --inactive "$g")
	! grep -q 'libvirt/images' <<<"$xml" ||
		fail "$g: it still names the source's path: $xml"
	! lab images kvm2 | among "^$g.*\.drover-" ||
		fail "$g: layers are left: $(lab images kvm2)"
done
case_ok "each was booted once, and its disks go on"
for image in rl-raw.raw rl-qcow2.qcow2; do
	have=$(image_figure kvm2 $image allocated)
	most=$((had[$image] * 105 / 100 + 2 * 1048576))
	say "$image: $have bytes at the target, ${had[$image]} at the source"
	((have <= most)) || fail "$image is not thin: $have, at most $most"
done
case_ok "thin at the target"
[[ $(image_figure kvm2 rl-over.qcow2 backing) == \
	"$(lab shared)/rl-over-base.qcow2" ]] ||
	fail "rl-over: $(lab images kvm2)"
lab virsh kvm2 list --all --autostart --name | among -x rl-qcow2 ||
	fail "autostart was not carried over"
expect_no_orphans
kept_on kvm1 | among -x rl-raw.raw || fail "the source's image is not kept"
expect_received 4 move.completed '.body.data.strategy == "restart" and
	.body.data.disk_bytes > 0 and .body.data.downtime_ms > 0'
expect_all_told
case_ok "source images are kept, nothing else stays"

for g in "${guests[@]}"; do
	remember "$g"
done
ctl host undrain kvm1
ctl host drain kvm2 --timeout 5m | tee "$WORK/out"
for g in "${guests[@]}"; do
	expect_whole "$g" kvm1
done
expect_no_orphans
case_ok "back again, in place of what was kept"
droverd_stop
