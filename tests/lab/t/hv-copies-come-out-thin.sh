# shellcheck shell=bash
# Copied disks: as thin as what is used, also where the source has zeros
# allocated; into a pool of another path, beside a shared disk, with the CD left
# behind.  What the guest's owner defined is changed in its paths alone.
export LAB_UP_OPTIONS="--pool-path kvm2=/var/lib/libvirt/elsewhere"
fixture 2
# shellcheck source=../lib/probe.sh
. "$LAB_DIR/lib/probe.sh"
size=2147483648
there=/var/lib/libvirt/elsewhere
lab host kvm1 truncate -s 1M /var/lib/libvirt/cd.iso
lab guest q1 --local --format qcow2 --disk 2G --allocate 300M --zeros 200M \
	--second-disk shared --cdrom /var/lib/libvirt/cd.iso >/dev/null
lab guest r1 --local --format raw --disk 2G --allocate 300M --zeros 200M \
	>/dev/null
q1=$(uuid_of q1) r1=$(uuid_of r1)

say "a CD that the target has not is named"
probe <<-END && fail "moved without its CD"
	up kvm1
	up kvm2
	prepare kvm2 local/q1.qcow2,qcow2,$size
	sync
	migrate $q1 kvm1 kvm2 copy=vda thin:vda path:vda=$there/q1.qcow2
END
expect_says 'failed migrate .*\[no-file\]'
expect_on q1 kvm1

say "strictly, and fast"
probe <<-END || { cat "$WORK/probe"; fail "not moved"; }
	up kvm1
	up kvm2
	migrate $q1 kvm1 kvm2 copy=vda thin:vda path:vda=$there/q1.qcow2 eject:sda strict
	sync
	resume $q1 kvm2
	sync
	prepare kvm2 local/r1.raw,raw,$size
	sync
	migrate $r1 kvm1 kvm2 copy=vda thin:vda path:vda=$there/r1.raw
END
for guest in q1 r1; do
	expect_on "$guest" kvm2
	expect_healthy "$guest"
done
for image in q1.qcow2 r1.raw; do
	taken=$(image_figure kvm2 "$image" allocated)
	# 300 MiB, 5 % and what the guest has written since
	((taken <= 320 << 20)) || fail "$image takes $taken at the target"
	[[ $(image_figure kvm2 "$image" virtual) == "$size" ]] ||
		fail "$image: $(lab images kvm2)"
done
[[ $(disk_of kvm2 q1 vda) == *detect_zeroes=\'unmap\'*"$there/q1.qcow2"* ]] ||
	fail "live: $(disk_of kvm2 q1 vda)"
[[ $(disk_of kvm2 q1 vda --inactive) == *"$there/q1.qcow2"* &&
	$(disk_of kvm2 q1 vda --inactive) != *unmap* ]] ||
	fail "persistent: $(disk_of kvm2 q1 vda --inactive)"
for option in "" --inactive; do
	[[ $(disk_of kvm2 q1 sda $option) != *"<source"* ]] ||
		fail "the CD is still in: $(disk_of kvm2 q1 sda $option)"
	[[ $(disk_of kvm2 q1 vdb $option) == *"$(lab shared)"* ]] ||
		fail "$(disk_of kvm2 q1 vdb $option)"
done
# the figures of the copy were there while it ran
expect_says ' job .* disk=2147[0-9]* disk-done=[1-9][0-9]* disk-left=[1-9]'
