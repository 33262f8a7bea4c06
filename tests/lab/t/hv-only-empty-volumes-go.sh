# shellcheck shell=bash
# A volume that may be somebody else's goes only while nothing was written to it.
fixture 1
# shellcheck source=../lib/probe.sh
. "$LAB_DIR/lib/probe.sh"
images=/var/lib/libvirt/images
size=21474836480
made="local/a.qcow2,qcow2,$size local/b.raw,raw,$size"

say "what was just made is empty, and goes"
probe <<-END || { cat "$WORK/probe"; fail "not removed"; }
	up kvm1
	prepare kvm1 $made
	sync
	remove kvm1 local/a.qcow2,qcow2,0,empty local/b.raw,raw,0,empty
END
[[ -z $(lab host kvm1 ls $images) ]] || fail "$(lab host kvm1 ls -l $images)"
case_ok "empty ones go"

say "a sector is enough to keep it"
probe <<-END || { cat "$WORK/probe"; fail "not made"; }
	up kvm1
	prepare kvm1 $made
END
lab host kvm1 qemu-io -f qcow2 -c "write -P 7 0 512" $images/a.qcow2 >/dev/null
lab host kvm1 qemu-io -f raw -c "write -P 7 1M 512" $images/b.raw >/dev/null
for volume in a.qcow2,qcow2 b.raw,raw; do
	probe <<-END && fail "$volume was removed with its data"
		up kvm1
		remove kvm1 local/$volume,0,empty
	END
	expect_says 'failed remove .*holds data'
done
[[ $(lab host kvm1 ls $images | paste -s -d ' ') == "a.qcow2 b.raw" ]] ||
	fail "$(lab host kvm1 ls -l $images)"
case_ok "others stay"
