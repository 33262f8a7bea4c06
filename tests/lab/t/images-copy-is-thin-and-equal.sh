# shellcheck shell=bash
# Images go from host to host whole: the same bytes, no more taken than at the
# source, zeros that were written out given up, a rate kept and changed.
fixture 2
# shellcheck source=../lib/images.sh
. "$LAB_DIR/lib/images.sh"
probe_start kvm1 kvm2
from=$IMAGES/from.raw

# Pieces of all sizes at odd places, zeros that are really there, a hole at the
# end, and a length that fits no block.
lab host kvm1 bash -c "cd $IMAGES
	truncate -s 1073742357 from.raw
	at=0
	for kib in 4 8 64 100 1024 4 4 30000 12 260; do
		at=\$((at + kib * 3 + 77))
		dd if=/dev/urandom of=from.raw bs=1K count=\$kib seek=\$at \
			conv=notrunc status=none
		at=\$((at + kib))
	done
	dd if=/dev/urandom of=from.raw bs=1M count=100 seek=400 \
		conv=notrunc status=none
	dd if=/dev/zero of=from.raw bs=1M count=96 seek=600 \
		conv=notrunc status=none"

said=$(expect_done copy kvm1 "$from" kvm2 local to.raw verify)
say "$(grep -oE 'copy ms=.*' <<<"$said")"
[[ $(sum_of kvm1 "$from") == $(sum_of kvm2 "$IMAGES"/to.raw) ]] ||
	fail "the copy differs"
[[ $(value length "$said") == 1073742357 ]] || fail "$said"
source=$(taken kvm1 "$from") target=$(taken kvm2 "$IMAGES"/to.raw)
say "taken: $source at the source, $target at the target"
((target <= source - 90 * 1048576)) || fail "the written zeros are still there"
(($(value data "$said") <= source)) || fail "more was sent than there is"
(($(value done "$said") == $(value total "$said"))) ||
	(($(value done "$said") >= source - 65536)) || fail "$said"
first=$(value sha256 "$said")

say "back again, the checksum is the same"
said=$(expect_done copy kvm2 "$IMAGES"/to.raw kvm1 local back.raw)
[[ $(value sha256 "$said") == "$first" ]] || fail "$said"
[[ $(sum_of kvm1 "$from") == $(sum_of kvm1 "$IMAGES"/back.raw) ]] ||
	fail "the copy of the copy differs"

say "a qcow2 is a qcow2 there"
lab host kvm1 bash -c "cd $IMAGES
	qemu-img create -q -f qcow2 from.qcow2 10G
	qemu-io -f qcow2 -c 'write -q -P 7 100M 40M' \
		-c 'write -q -P 9 7G 4M' from.qcow2"
said=$(expect_done copy kvm1 "$IMAGES"/from.qcow2 kvm2 local to.qcow2 verify)
[[ $(sum_of kvm1 "$IMAGES"/from.qcow2) == \
	$(sum_of kvm2 "$IMAGES"/to.qcow2) ]] || fail "the qcow2 differs"
(($(taken kvm2 "$IMAGES"/to.qcow2) * 100 <= \
	$(taken kvm1 "$IMAGES"/from.qcow2) * 105)) || fail "it is not as thin"
lab virsh kvm2 vol-dumpxml to.qcow2 local >"$WORK/vol.xml"
grep -q "<format type='qcow2'/>" "$WORK/vol.xml" ||
	fail "libvirt takes it for something else: $(cat "$WORK/vol.xml")"

say "an empty image, and one of no bytes"
lab host kvm1 bash -c "truncate -s 5G $IMAGES/empty.raw; : >$IMAGES/none.raw"
said=$(expect_done copy kvm1 "$IMAGES"/empty.raw kvm2 local empty.raw verify)
[[ $(value data "$said") == 0 ]] || fail "$said"
[[ $(lab host kvm2 stat -c %s "$IMAGES"/empty.raw) == 5368709120 ]] ||
	fail "its length"
expect_done copy kvm1 "$IMAGES"/none.raw kvm2 local none.raw verify >/dev/null

say "a name that is taken, unless it is an old copy"
expect_refused conflict 'local/to.raw is there already' \
	copy kvm1 "$from" kvm2 local to.raw >/dev/null
lab host kvm2 truncate -s 1M "$IMAGES"/to.raw
expect_done copy kvm1 "$from" kvm2 local to.raw replace >/dev/null
[[ $(sum_of kvm1 "$from") == $(sum_of kvm2 "$IMAGES"/to.raw) ]] ||
	fail "the second copy differs"
expect_refused not-found '' copy kvm1 "$IMAGES"/no.raw kvm2 local no.raw \
	>/dev/null

say "a rate is kept, and followed when it changes"
said=$(expect_done copy kvm1 "$from" kvm2 local slow.raw limit=40000000)
ms=$(value ms "$(grep ' copy ms=' <<<"$said")")
bytes=$(value done "$said")
# not below its time; how much above depends on the machine
((ms >= bytes / 40000 - 1500)) || fail "$bytes bytes in $ms ms"
said=$(expect_done copy kvm1 "$from" kvm2 local slow.raw replace limit=1000000 \
	then=0 after=2000)
ms=$(value ms "$(grep ' copy ms=' <<<"$said")")
((ms < bytes / 1000 / 3)) || fail "the new limit was not seen: $ms ms"
