# shellcheck shell=bash
# Guests with local disks move live with them: raw and qcow2, both thin at the
# target although zeros are allocated at the source; one disk shared and one
# local; a chain of local images, which comes out as one; a chain over a shared
# image, which stays one.  The pool has another path there.  And back again, where
# the images that were kept are in the way.
export LAB_UP_OPTIONS='--pool-path kvm2=/var/lib/libvirt/disks'
fixture 2 'limits: { per_source: 5, per_target: 5 }'
strategy_policy live-copy
lab guest lc-raw --local --disk 256M --allocate 24M --zeros 16M >/dev/null
lab guest lc-qcow2 --local --format qcow2 --disk 256M --allocate 24M \
	--zeros 16M --autostart >/dev/null
lab guest lc-mixed --disk 96M --allocate 8M --second-disk local >/dev/null
lab guest lc-chain --local --backing local --disk 128M --allocate 16M >/dev/null
lab guest lc-over --local --backing shared --disk 128M --allocate 16M >/dev/null
guests=(lc-raw lc-qcow2 lc-mixed lc-chain lc-over)
for g in "${guests[@]}"; do
	remember "$g"
done
declare -A had=()
for image in lc-raw.raw lc-qcow2.qcow2; do
	had[$image]=$(image_figure kvm1 $image allocated)
done
droverd_start
droverd_up 2
ctl host drain kvm1 --timeout 5m | tee "$WORK/out"
for g in "${guests[@]}"; do
	expect_whole "$g" kvm2
	expect_healthy "$g"
	expect_move "$g" '.strategy == "live-copy" and .outcome == "completed"'
	xml=$(lab virsh kvm2 dumpxml --inactive "$g")
	! grep -qE "detect_zeroes|discard=" <<<"$xml" ||
		fail "$g: its definition was changed: $xml"
	! grep -q 'libvirt/images' <<<"$xml" ||
		fail "$g: it still names the source's path: $xml"
done
for g in lc-mixed lc-over; do
	lab virsh kvm2 dumpxml --inactive $g | among "$(lab shared)/$g" ||
		[[ $g == lc-over ]] || fail "$g has lost its shared disk"
done
case_ok "each runs on, its definition names the other path"
# what was allocated at the source less its zeros, and a little of metadata
for image in lc-raw.raw lc-qcow2.qcow2; do
	most=$(((had[$image] - 16 * 1048576) * 105 / 100 + 1048576))
	have=$(image_figure kvm2 $image allocated)
	say "$image: $have bytes at the target, ${had[$image]} at the source"
	((have <= most)) || fail "$image is not thin: $have, at most $most"
	[[ $(image_figure kvm2 $image virtual) == 268435456 ]] ||
		fail "$image has another size"
done
case_ok "thin at the target, zeros at the source or not"
[[ $(image_figure kvm2 lc-chain.qcow2 backing) == - ]] ||
	fail "the local chain was not flattened"
[[ $(image_figure kvm2 lc-over.qcow2 backing) == \
	"$(lab shared)/lc-over-base.qcow2" ]] ||
	fail "lc-over: its backing image is $(image_figure kvm2 \
		lc-over.qcow2 backing)"
((have = $(image_figure kvm2 lc-over.qcow2 allocated)))
((have < 14 * 1048576)) || fail "lc-over: what lies below was copied too: $have"
case_ok "chains: flattened, or over the shared image"
lab virsh kvm2 list --all --autostart --name | among -x lc-qcow2 ||
	fail "autostart was not carried over"
# what lay below the flattened image may be a template: it is let alone
BYSTANDER=lc-chain-base.qcow2 expect_no_orphans
kept_on kvm1 | among -x lc-raw.raw || fail "the source's image is not kept"
expect_received 5 move.completed '.body.data.strategy == "live-copy" and
	.body.data.disk_bytes > 0'
expect_all_told
case_ok "source images are kept, nothing else stays"

ctl host undrain kvm1
ctl host drain kvm2 --timeout 5m | tee "$WORK/out"
for g in "${guests[@]}"; do
	expect_whole "$g" kvm1
	expect_healthy "$g"
done
BYSTANDER=lc-chain-base.qcow2 expect_no_orphans
! kept_on kvm1 | among -x lc-raw.raw ||
	fail "an image that is used is to be removed"
case_ok "back again, in place of what was kept"
droverd_stop
