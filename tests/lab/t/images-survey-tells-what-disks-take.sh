# shellcheck shell=bash
# Figures of a guest's images, running and off: what the guest sees, what its
# images take on the host, where they are; and how fast its memory is written.
fixture 1
# shellcheck source=../lib/images.sh
. "$LAB_DIR/lib/images.sh"
lab guest g1 --local --format qcow2 --disk 1G --backing local --allocate 64M \
	--second-disk local --dirty 8 >/dev/null
probe_start kvm1
uuid=$(guest_uuid kvm1 g1)
top=$(lab virsh kvm1 domblklist g1 | awk '$1 == "vda" { print $2 }')
below=$(lab host kvm1 qemu-img info -U --output=json "$top" |
	jq -r '."backing-filename"')

for state in running off; do
	if [[ $state == off ]]; then
		lab virsh kvm1 destroy g1
		takes=$(taken kvm1 "$top")
	fi
	said=$(expect_done survey "$uuid" kvm1 1000)
	vda=$(grep ' disk vda ' <<<"$said")
	[[ $(value capacity "$vda") == 1073741824 ]] || fail "$state: $vda"
	[[ $(value path "$vda") == "$top" ]] || fail "$state: $vda"
	[[ $(value in "$vda") == "local/${top##*/}" ]] || fail "$state: $vda"
	[[ $(value format "$vda") == qcow2 ]] || fail "$state: $vda"
	[[ $(value backing "$vda") == "$below,qcow2" ]] || fail "$state: $vda"
	# the whole chain counts, and most is below
	all=$(value allocation "$vda")
	((all == $(value top "$vda") + $(taken kvm1 "$below") &&
		all > 64 * 1048576 && all < 80 * 1048576)) ||
		fail "$state: $vda"
	[[ $state == running || $(value top "$vda") == "$takes" ]] ||
		fail "$state: $vda takes $takes"
	grep -q ' disk vdb ' <<<"$said" || fail "$state: $said"
	rate=$(sed -n 's/.*dirty-rate //p' <<<"$said")
	if [[ $state == running ]]; then
		((rate >= 4 * 1048576)) || fail "dirty rate: $rate"
	else
		[[ $rate == -1 ]] || fail "dirty rate when off: $rate"
	fi
done

say "an image that no pool has is still told, one that is gone is left out"
lab host kvm1 sh -c "mkdir -p /var/lib/libvirt/other && mv $top \
	/var/lib/libvirt/other/moved.qcow2"
lab virsh kvm1 dumpxml g1 --inactive >"$WORK/g1.xml"
sed -i "s|$top|/var/lib/libvirt/other/moved.qcow2|" "$WORK/g1.xml"
lab virsh kvm1 define "$WORK/g1.xml" >/dev/null
second=$(lab virsh kvm1 domblklist g1 | awk '$1 == "vdb" { print $2 }')
lab host kvm1 mv "$second" "$second.away"
said=$(expect_done survey "$uuid" kvm1)
vda=$(grep ' disk vda ' <<<"$said")
[[ $(value in "$vda") == -/- && $(value capacity "$vda") == 1073741824 ]] ||
	fail "$vda"
! grep -q ' disk vdb ' <<<"$said" || fail "$said"
