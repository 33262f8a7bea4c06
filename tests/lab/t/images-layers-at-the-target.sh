# shellcheck shell=bash
# What a restart does with images, by hand: frozen, copied while it runs, the
# layer after it, started at the target where the pool has another path, and
# merged there.  All that the guest wrote is there.
export LAB_UP_OPTIONS='--pool-path kvm2=/var/lib/libvirt/vms'
fixture 2
# shellcheck source=../lib/images.sh
. "$LAB_DIR/lib/images.sh"
lab guest g1 --local --disk 512M --allocate 64M >/dev/null
probe_start kvm1 kvm2
uuid=$(guest_uuid kvm1 g1)
image=$(lab virsh kvm1 domblklist g1 | awk '$1 == "vda" { print $2 }')
name=${image##*/}
there=/var/lib/libvirt/vms/$name

expect_done freeze "$uuid" kvm1 "vda=$image.drover-1,$image,raw" >/dev/null
expect_done copy kvm1 "$image" kvm2 local "$name" verify >/dev/null
[[ $(sum_of kvm1 "$image") == $(sum_of kvm2 "$there") ]] ||
	fail "the base differs"
records=$(value disk_records "$(lab ask g1 status)")
lab ask g1 poweroff >/dev/null
state_is()
{
	[[ $(lab virsh kvm1 domstate g1) == "$1"* ]]
}
wait_for 60 "g1 to be off" state_is shut
expect_done copy kvm1 "$image.drover-1" kvm2 local "$name.drover-1" verify \
	>/dev/null
expect_done export "$uuid" kvm1 "$WORK/g1.xml" "path:vda=$there.drover-1" \
	format:vda=qcow2 "backing:vda=$there" "backing-format:vda=raw" >/dev/null
expect_done define kvm2 "$WORK/g1.xml" >/dev/null
expect_done start "$uuid" kvm2 >/dev/null
expect_done undefine "$uuid" kvm1 >/dev/null
wait_for 90 "g1 at kvm2" lab ask g1 status
expect_done merge "$uuid" kvm2 "vda=$there.drover-1,$there,raw" >/dev/null
[[ $(images_named kvm2 g1) == "vda:$there" ]] || fail "$(images_named kvm2 g1)"
[[ $(images_of kvm2) == "$name" ]] || fail "$(images_of kvm2)"
verify=$(lab ask g1 verify)
[[ $(value verify "$verify") == ok ]] || fail "$verify"
(($(value disk_records "$verify") >= records)) ||
	fail "writes are lost: $verify, $records before"
expect_filled g1
