# shellcheck shell=bash
# Images at the old host are kept for storage.keep_source and then removed, also
# when the time passes while droverd is away; what is in use again is not.
# waits
export STORAGE_MORE=', keep_source: 25s'
fixture 2 'limits: { per_source: 4, per_target: 4 }'
strategy_guests lc1 rl1
droverd_start
droverd_up 2
begin_moves lc1 rl1
wait_settled
expect_no_orphans
for image in lc1.qcow2 rl1.qcow2; do
	kept_on kvm1 | among -x $image || fail "kept on kvm1: $(kept_on kvm1)"
	images_of kvm1 | among -w $image || fail "on kvm1: $(images_of kvm1)"
done
case_ok "they are kept"
wait_for 60 "the images to go" has_images kvm1 ""
none_kept()
{
	[[ -z $(kept_on kvm1) ]]
}
wait_for 15 "them to be listed no more" none_kept
case_ok "and removed"

# one that is in use again stays, whatever the list says
for g in lc1 rl1; do
	wait_for 60 "$g to be movable" can_move_to $g kvm1
	ctl vm move $g --to kvm1 --strategy "$(strategy_of $g)"
done
droverd_kill
due()
{
	[[ $(sqlite3 -readonly "$WORK/state/drover.db" "SELECT count(*) FROM
		leftovers WHERE due > strftime('%s', 'now') * 1000") == 0 ]]
}
wait_for 60 "the grace to pass" due
images_of kvm2 | among 'lc1.qcow2 rl1.qcow2' ||
	fail "on kvm2: $(images_of kvm2)"
# somebody else has taken the image of rl1 into use meanwhile
lab virsh kvm2 define /dev/stdin >/dev/null <<'XML'
<domain type='qemu'><name>other</name><memory unit='MiB'>64</memory>
<os><type arch='x86_64' machine='q35'>hvm</type></os>
<devices><disk type='file' device='disk'><driver name='qemu' type='qcow2'/>
<source file='/var/lib/libvirt/images/rl1.qcow2'/>
<target dev='vda' bus='virtio'/></disk></devices></domain>
XML
droverd_start
droverd_up 2
wait_for 60 "the image of lc1 to go" has_images kvm2 rl1.qcow2
case_ok "also after a time away, and not what is in use"
for g in lc1 rl1; do
	expect_whole $g kvm1
done
droverd_stop
