# shellcheck shell=bash
# A copy that is cancelled, whose target is frozen or full: it ends, soon, says
# why, leaves the source alone, and can be done again.
fixture 2
# shellcheck source=../lib/images.sh
. "$LAB_DIR/lib/images.sh"
from=$IMAGES/from.raw
lab host kvm1 bash -c "truncate -s 2G $from
	dd if=/dev/urandom of=$from bs=1M count=300 seek=500 conv=notrunc \
		status=none"
sum=$(sum_of kvm1 "$from")
lab pool-limit kvm2 400
probe_start kvm1 kvm2
copy=(copy kvm1 "$from" kvm2 local to.raw)

took()
{
	sed -nE 's/.* failed copy in ([0-9]+) ms.*/\1/p' <<<"$1"
}

# Some of it is there.
began()
{
	(($(taken kvm2 "$IMAGES"/to.raw) > 1048576))
}

say "cancelled in the middle"
said=$(expect_refused aborted '' "${copy[@]}" limit=20000000 cancel=1500)
(($(took "$said") < 4000)) || fail "$said"
(($(value done "$said") > 0)) || fail "nothing had been copied: $said"

say "cancelled while nothing flows: the target is frozen"
lab host kvm2 rm "$IMAGES"/to.raw
probe_send "${copy[@]}" limit=20000000 cancel=4000
wait_for 10 "the copy to begin" began
lab freeze kvm2
said=$(probe_wait 15 copy)
[[ $said == *" failed copy in "*" aborted "* ]] || fail "$said"
(($(took "$said") < 8000)) || fail "$said"
lab thaw kvm2

say "the target is frozen for good"
wait_for 60 "kvm2 to answer" lab virsh kvm2 pool-refresh local
lab host kvm2 rm "$IMAGES"/to.raw
probe_send "${copy[@]}" limit=20000000
wait_for 10 "the copy to begin" began
lab freeze kvm2
said=$(probe_wait 45 copy)
[[ $said == *" failed copy in "*" unreachable "* ]] || fail "$said"
say "and was frozen before it began"
probe_send "${copy[@]}" replace
said=$(probe_wait 45 copy)
[[ $said == *" failed copy in "*" unreachable "* ]] || fail "$said"
lab thaw kvm2
probe_kill
wait_for 60 "kvm2 to answer" lab virsh kvm2 pool-refresh local
probe_start kvm1 kvm2

say "the target is full"
expect_done remove kvm2 local/to.raw >/dev/null
lab pool-limit kvm2 64
expect_refused refused 'No space left on device' "${copy[@]}" >/dev/null
lab host kvm2 test -e "$IMAGES"/to.raw || fail "the volume is not ours to see"

say "with room, all is well"
lab pool-limit kvm2 400
expect_done "${copy[@]}" replace verify >/dev/null
[[ $(sum_of kvm2 "$IMAGES"/to.raw) == "$sum" ]] || fail "the copy differs"
[[ $(sum_of kvm1 "$from") == "$sum" ]] || fail "the source has changed"
