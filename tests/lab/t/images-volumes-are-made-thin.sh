# shellcheck shell=bash
# Volumes for guests that are to come: thin, of the exact size, over a backing
# image if asked; names that are taken, images that are in use, and files that
# libvirt does not know yet.
fixture 1
# shellcheck source=../lib/images.sh
. "$LAB_DIR/lib/images.sh"
lab guest g1 --local --format qcow2 --disk 256M --backing local >/dev/null
probe_start kvm1
in=kvm1

said=$(expect_done prepare $in local/a.qcow2,qcow2,10737418240 \
	local/b.raw,raw,1000000512)
[[ $said == *"local/a.qcow2 created=1 path=$IMAGES/a.qcow2"* ]] ||
	fail "$said"
(($(taken $in "$IMAGES"/a.qcow2) <= 262144)) || fail "a.qcow2 is not thin"
(($(taken $in "$IMAGES"/b.raw) == 0)) || fail "b.raw is not thin"
[[ $(lab host $in stat -c %s "$IMAGES"/b.raw) == 1000000512 ]] ||
	fail "b.raw has another length"
info=$(lab host $in qemu-img info --output=json "$IMAGES"/a.qcow2)
jq -e '."virtual-size" == 10737418240 and
	."format-specific".data.compat == "1.1"' <<<"$info" >/dev/null ||
	fail "$info"

say "over a backing image"
expect_done prepare $in \
	"local/c.qcow2,qcow2,10737418240,$IMAGES/a.qcow2,qcow2" >/dev/null
info=$(lab host $in qemu-img info --output=json "$IMAGES"/c.qcow2)
jq -e --arg at "$IMAGES/a.qcow2" '."backing-filename" == $at and
	."backing-filename-format" == "qcow2"' <<<"$info" >/dev/null ||
	fail "$info"

say "a name that is taken: nothing is made"
said=$(expect_refused conflict 'local/b\.raw is there already' \
	prepare $in local/d.raw,raw,4096 local/b.raw,raw,4096)
[[ $said == *"local/d.raw created=0"* ]] || fail "$said"
lab host $in test ! -e "$IMAGES"/d.raw || fail "d.raw was made"
say "also when only the disk knows of it"
lab host $in touch "$IMAGES"/e.raw
expect_refused conflict 'local/e\.raw is there already' \
	prepare $in local/e.raw,raw,4096 >/dev/null

say "an old copy of ours goes"
expect_done prepare $in local/b.raw,raw,8192,replace >/dev/null
[[ $(lab host $in stat -c %s "$IMAGES"/b.raw) == 8192 ]] ||
	fail "b.raw was not replaced"

say "an image in use does not, running or not, at the top or below"
top=$(lab virsh $in domblklist g1 | awk '$1 == "vda" { print $2 }')
below=$(lab host $in qemu-img info -U --output=json "$top" |
	jq -r '."backing-filename"')
for state in running off; do
	for image in "$top" "$below"; do
		expect_refused conflict 'in use by the domain g1' \
			remove $in "local/${image##*/}" >/dev/null
		expect_refused conflict 'in use by the domain g1' \
			prepare $in "local/${image##*/},raw,4096,replace" \
			>/dev/null
		lab host $in test -e "$image" || fail "$image is gone"
	done
	[[ $state == off ]] || lab virsh $in destroy g1
done

say "removed once, and again"
expect_done remove $in local/a.qcow2 local/b.raw local/c.qcow2 >/dev/null
expect_done remove $in local/a.qcow2 local/b.raw >/dev/null
lab host $in sh -c "! ls $IMAGES | grep -E '^[abc]\.'" || fail "not removed"
expect_refused not-found 'pool' remove $in nowhere/a.raw >/dev/null

say "where a path is, and whether it is there"
lab host $in touch "$IMAGES"/late.raw
said=$(expect_done locate $in "$IMAGES"/late.raw)
[[ $said == *"located local/late.raw"* ]] || fail "$said"
lab host $in rm "$IMAGES"/late.raw
said=$(expect_done has-file $in "$IMAGES"/late.raw)
[[ $said == *"has-file no"* ]] || fail "a file that went: $said"
said=$(expect_done has-file $in "$IMAGES"/e.raw)
[[ $said == *"has-file yes"* ]] || fail "$said"
said=$(expect_done has-file $in /nowhere/at/all)
[[ $said == *"has-file no"* ]] || fail "$said"
expect_refused not-found 'no active pool' locate $in /nowhere/at/all >/dev/null
