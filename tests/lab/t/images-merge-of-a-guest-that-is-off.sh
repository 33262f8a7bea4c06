# shellcheck shell=bash
# A guest that is off, with layers: they are written down without it running,
# and it is off afterwards; also when Drover or the host's daemon dies in the
# middle of it.
fixture 1
# shellcheck source=../lib/images.sh
. "$LAB_DIR/lib/images.sh"
lab guest g1 --local --format qcow2 --disk 2G >/dev/null
probe_start kvm1
uuid=$(guest_uuid kvm1 g1)
image=$(lab virsh kvm1 domblklist g1 | awk '$1 == "vda" { print $2 }')
layer=$image.drover-1
layers=("vda=$layer,$image,qcow2")

state_is()
{
	[[ $(lab virsh kvm1 domstate g1) == "$1"* ]]
}

is_merging()
{
	lab virsh kvm1 dumpxml g1 | among '<mirror'
}

# A layer with something in it that takes a while, and the guest off.
off_with_layer() # PATTERN
{
	state_is running || lab virsh kvm1 start g1
	wait_for 90 "g1 to answer" lab ask g1 status
	expect_done freeze "$uuid" kvm1 "${layers[@]}" >/dev/null
	lab ask g1 poweroff >/dev/null
	wait_for 60 "g1 to be off" state_is shut
	lab host kvm1 qemu-io -f qcow2 -c "write -q -P $1 512M 500M" "$layer"
}

expect_merged() # PATTERN
{
	state_is shut || fail "it is $(lab virsh kvm1 domstate g1)"
	[[ $(images_named kvm1 g1) == "vda:$image" ]] ||
		fail "$(images_named kvm1 g1)"
	! lab virsh kvm1 dumpxml g1 | among merging || fail "a mark is left"
	lab host kvm1 test ! -e "$layer" || fail "the layer is left"
	! lab host kvm1 qemu-io -r -f qcow2 \
		-c "read -q -P $1 512M 500M" "$image" | among failed ||
		fail "what was in the layer is not in the image"
}

off_with_layer 11
expect_done merge "$uuid" kvm1 "${layers[@]}" >/dev/null
expect_merged 11
expect_done merge "$uuid" kvm1 "${layers[@]}" >/dev/null
expect_merged 11

say "killed in the middle: the guest ends, and is done anew"
off_with_layer 22
probe_send merge "$uuid" kvm1 "${layers[@]}"
wait_for 20 "the merge to begin" is_merging
probe_kill
wait_for 30 "g1 to end with the connection" state_is shut
[[ $(images_named kvm1 g1) == "vda:$layer" ]] ||
	fail "was over too soon: $(images_named kvm1 g1)"
probe_start kvm1
expect_done merge "$uuid" kvm1 "${layers[@]}" >/dev/null
expect_merged 22

say "the host's daemon too: the guest stays, paused, and is taken up"
off_with_layer 33
probe_send merge "$uuid" kvm1 "${layers[@]}"
wait_for 20 "the merge to begin" is_merging
lab kill kvm1
probe_wait 60 merge >/dev/null
probe_kill
lab start kvm1
state_is paused || fail "it is $(lab virsh kvm1 domstate g1)"
probe_start kvm1
expect_done merge "$uuid" kvm1 "${layers[@]}" >/dev/null
expect_merged 33

say "a guest that its owner has paused stays so"
lab virsh kvm1 start g1
wait_for 90 "g1 to answer" lab ask g1 status
expect_done freeze "$uuid" kvm1 "${layers[@]}" >/dev/null
lab virsh kvm1 suspend g1
expect_done merge "$uuid" kvm1 "${layers[@]}" >/dev/null
state_is paused || fail "it is $(lab virsh kvm1 domstate g1)"
lab virsh kvm1 resume g1
verify=$(lab ask g1 verify)
[[ $(value verify "$verify") == ok ]] || fail "$verify"
