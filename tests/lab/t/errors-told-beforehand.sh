# shellcheck shell=bash
# What would make libvirt fail, and Drover sees before it tries: no move is
# begun, and the reason names the thing and the host.
fixture 2
lab guest ls1 >/dev/null
lab guest lc1 --local --format qcow2 --disk 64M >/dev/null
lab guest ls-cpu --cpu Skylake-Server --no-wait >/dev/null 2>&1 || true
lab guest ls-snap --format qcow2 >/dev/null
lab guest rs-save --format qcow2 >/dev/null
droverd_start
droverd_up 2

# refused CASE GUEST STRATEGY PATTERN
refused()
{
	local what=$1 guest=$2 strategy=$3 pattern=$4 end=$((SECONDS + 40))
	until ctl vm move "$guest" --to kvm2 ${strategy:+--strategy "$strategy"} \
	    --dry-run >"$WORK/out" 2>&1; grep -qiE "$pattern" "$WORK/out"; do
		((SECONDS < end)) || fail "$what: $(cat "$WORK/out")"
		sleep 0.5
	done
	cat "$WORK/out"
	# a guest that was started just now may still be seen as paused
	until ! ctl vm move "$guest" --to kvm2 \
	    ${strategy:+--strategy "$strategy"} >"$WORK/out" 2>&1 ||
	    fail "$what: $guest moved"; grep -qiE "$pattern" "$WORK/out"; do
		((SECONDS < end)) || fail "$what: $(cat "$WORK/out")"
		sleep 0.5
	done
	case_ok "$what"
}

lab virsh kvm2 pool-destroy local >/dev/null
refused "no pool" lc1 live-copy 'pool.*local'
lab virsh kvm2 pool-start local >/dev/null
wait_for 30 "the pool to be seen" can_move_to lc1 kvm2

lab host kvm2 truncate -s 1M /var/lib/libvirt/images/lc1.qcow2
rc=0
ctl vm move lc1 --to kvm2 --strategy live-copy >"$WORK/out" 2>&1 || rc=$?
cat "$WORK/out"
((rc != 0)) || fail "it wrote over somebody's image"
wait_settled 60
grep -q 'lc1.qcow2' "$WORK/out" || ctl move show "$(move_of lc1)" |
	among 'lc1.qcow2' || fail "the image is not named"
[[ $(lab host kvm2 stat -c %s /var/lib/libvirt/images/lc1.qcow2) == 1048576 ]] ||
	fail "somebody's image was touched"
lab host kvm2 rm /var/lib/libvirt/images/lc1.qcow2
expect_on lc1 kvm1
expect_healthy lc1
case_ok "an image of that name is there"

lab virsh kvm2 define /dev/stdin >/dev/null <<'XML'
<domain type='qemu'><name>ls1</name><memory unit='MiB'>64</memory>
<os><type arch='x86_64' machine='q35'>hvm</type></os></domain>
XML
refused "name is taken" ls1 '' 'ls1|name'
lab virsh kvm2 undefine ls1 >/dev/null

lab virsh kvm1 snapshot-create-as ls-snap one >/dev/null
refused "snapshots, live" ls-snap live-shared 'snapshot'
refused "snapshots, restart" ls-snap restart 'snapshot'

lab virsh kvm1 managedsave rs-save >/dev/null
refused "managed save" rs-save restart 'saved|managed'

if lab where ls-cpu 2>/dev/null | among running; then
	refused "CPU" ls-cpu live-shared 'cpu|feature'
fi

lab virsh kvm1 destroy ls1 >/dev/null
lab virsh kvm1 undefine ls1 >/dev/null
sed "s,<interface type='bridge'>,<interface type='network'>,
	s,<source bridge='br0'/>,<source network='only-here'/>,
	s,<on_poweroff>destroy,<on_poweroff>restart," \
	"/run/drover-lab/$LAB_NAME/guests/ls1/xml" >"$WORK/net.xml"
lab virsh kvm1 net-define /dev/stdin >/dev/null <<'XML'
<network><name>only-here</name><forward mode='bridge'/><bridge name='br0'/></network>
XML
lab virsh kvm1 net-start only-here >/dev/null
lab virsh kvm1 define "$WORK/net.xml" >/dev/null
lab virsh kvm1 start ls1 >/dev/null
refused "no such network" ls1 '' 'only-here'
lab virsh kvm2 net-define /dev/stdin >/dev/null <<'XML'
<network><name>only-here</name><forward mode='bridge'/><bridge name='br0'/></network>
XML
refused "network is not active" ls1 '' 'only-here'
lab virsh kvm2 net-start only-here >/dev/null
refused "restarts at power off" ls1 restart 'poweroff'
[[ $(moves | jq -r .vm | sort -u) == lc1 || -z $(moves) ]] ||
	fail "something was tried: $(moves)"
droverd_stop
