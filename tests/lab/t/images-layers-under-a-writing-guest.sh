# shellcheck shell=bash
# A guest that writes is put on layers, its images stay as they were from that
# moment, and the layers are written down again: nothing is lost, and all of it
# may be repeated, also by one who comes after a crash in the middle.
fixture 1
# shellcheck source=../lib/images.sh
. "$LAB_DIR/lib/images.sh"
lab guest g1 --local --format qcow2 --disk 2G --second-disk local \
	--backing local >/dev/null
probe_start kvm1
uuid=$(guest_uuid kvm1 g1)
before=$(images_named kvm1 g1)
a=$(sed -E 's/.*vda:([^ ]*).*/\1/' <<<"$before")
b=$(sed -E 's/.*vdb:([^ ]*).*/\1/' <<<"$before")
format_b=$(lab host kvm1 qemu-img info -U --output=json "$b" | jq -r .format)
layers=("vda=$a.drover-1,$a,qcow2" "vdb=$b.drover-1,$b,$format_b")

expect_done freeze "$uuid" kvm1 "${layers[@]}" >/dev/null
[[ $(images_named kvm1 g1) == "vda:$a.drover-1 vdb:$b.drover-1" ]] ||
	fail "the persistent definition: $(images_named kvm1 g1)"
sum=$(sum_of kvm1 "$a") sum_b=$(sum_of kvm1 "$b")
say "again: it is so already; half of it: no"
expect_done freeze "$uuid" kvm1 "${layers[@]}" >/dev/null
expect_refused conflict '1 of 2 disks' freeze "$uuid" kvm1 "${layers[0]}" \
	"vdb=$b.drover-2,$b.drover-1,qcow2" >/dev/null
expect_refused conflict 'neither' freeze "$uuid" kvm1 \
	"vda=$a.drover-2,$IMAGES/other.raw,raw" >/dev/null

records=$(value disk_records "$(lab ask g1 status)")
more_records()
{
	(($(value disk_records "$(lab ask g1 status)") > records + 10))
}
wait_for 30 "the guest to write" more_records
[[ $(sum_of kvm1 "$a") == "$sum" && $(sum_of kvm1 "$b") == "$sum_b" ]] ||
	fail "an image below a layer has changed"
expect_refused conflict 'in use' remove kvm1 "local/$(basename "$a").drover-1" \
	>/dev/null

say "written down, twice"
expect_done merge "$uuid" kvm1 "${layers[@]}" >/dev/null
[[ $(images_named kvm1 g1) == "$before" ]] || fail "$(images_named kvm1 g1)"
lab host kvm1 sh -c "! ls $IMAGES | grep drover-" || fail "layers are left"
expect_done merge "$uuid" kvm1 "${layers[@]}" >/dev/null
[[ $(lab host kvm1 qemu-img info -U --output=json "$a" |
	jq -r '."backing-filename"') != null ]] || fail "$a has lost its base"
expect_healthy g1

say "killed between commit and pivot, and taken up by another"
expect_done freeze "$uuid" kvm1 "${layers[@]}" >/dev/null
lab virsh kvm1 destroy g1
# enough to take a while
lab host kvm1 qemu-io -f qcow2 -c 'write -q -P 90 512M 700M' "$a.drover-1"
lab virsh kvm1 start g1
wait_for 90 "g1 to answer" lab ask g1 status
is_merging()
{
	lab virsh kvm1 dumpxml g1 | among '<mirror'
}
probe_send merge "$uuid" kvm1 "${layers[@]}"
wait_for 20 "the merge to begin" is_merging
probe_kill
is_merging || say "(it was over by then)"
probe_start kvm1
expect_done merge "$uuid" kvm1 "${layers[@]}" >/dev/null
[[ $(images_named kvm1 g1) == "$before" ]] || fail "$(images_named kvm1 g1)"
lab host kvm1 sh -c "! ls $IMAGES | grep drover-" || fail "layers are left"
verify=$(lab ask g1 verify)
[[ $(value verify "$verify") == ok ]] || fail "$verify"
lab virsh kvm1 destroy g1
lab host kvm1 qemu-io -r -f qcow2 -c 'read -q -P 90 512M 700M' "$a" |
	among failed && fail "what was in the layer is not in the image"
expect_refused conflict 'not running' freeze "$uuid" kvm1 "${layers[@]}" \
	>/dev/null
