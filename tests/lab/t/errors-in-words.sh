# shellcheck shell=bash
# seconds: 420
# What libvirt says when a move fails, as `droverctl move show` tells it: the
# message, its cause and what to do.  Each is brought about in the way that it
# comes about in real life: something changes at a host that libvirt does not
# tell of, or is wrong in a configuration.
fixture 2 'limits: { bandwidth: 16MiB/s }'
for g in ls1 ls2 ls3; do
	lab guest $g >/dev/null
done
lab host kvm1 ip link add br9 type bridge
lab host kvm2 ip link add br9 type bridge
lab host kvm1 ip link set br9 up
lab host kvm2 ip link set br9 up
lab guest odd --bridge br9 --no-wait >/dev/null
droverd_start
droverd_up 2
cp "$WORK/drover.yaml" "$WORK/good.yaml"

# fails GUEST: its move to kvm2 fails, and it is as before
fails()
{
	wait_for 60 "$1 to be movable" can_move "$1"
	ctl vm move "$1" --to kvm2 >"$WORK/out" 2>&1 &&
		fail "$1 moved: nothing was provoked"
	wait_settled 120
}
can_move()
{
	[[ $(ctl -o json vm move "$1" --to kvm2 --dry-run | jq -r .to) == kvm2 ]]
}
# told GUEST CASE MESSAGE CAUSE REMEDY: patterns
in_words()
{
	local id
	id=$(move_of "$1")
	ctl move show "$id" >"$WORK/show"
	sed -n '1,/journal/p' "$WORK/show" | grep -iE 'error|cause|remedy' || true
	grep -qiE "$3" "$WORK/show" || fail "$2: not the message: $(cat "$WORK/show")"
	grep -qE "$4" "$WORK/show" || fail "$2: no cause: $(cat "$WORK/show")"
	grep -qE "$5" "$WORK/show" || fail "$2: no remedy: $(cat "$WORK/show")"
	api /v1/moves?max=1 | jq -e '.moves[0] | .error != null and
		.cause != null and .remedy != null' >/dev/null || fail "$2: API"
	case_ok "$2"
}
config()
{
	sed "$1" "$WORK/good.yaml" >"$WORK/drover.yaml"
	ctl reload >/dev/null
	droverd_up 2
}

# a bridge goes, and nobody tells
lab host kvm2 ip link del br9
fails odd
in_words odd "bridge is missing" 'MTU' 'bridge .* does not exist' \
	'Create the bridge'
expect_on odd kvm1

# an image is not visible at the target
lab host kvm2 mount -t tmpfs none "$(lab shared)"
fails ls1
in_words ls1 "image is missing" 'Cannot access storage file' 'cannot read a disk' \
	'Provide the file'
lab host kvm2 umount "$(lab shared)"
expect_healthy ls1

# an address at which nobody listens, and one that there is not
config 's|name: kvm2|&, migrate_uri: "tcp://10.77.0.254"|'
fails ls1
in_words ls1 "port refuses" 'refused' 'refuses connections' 'Open TCP'
config 's|name: kvm2|&, migrate_uri: "tcp://10.77.0.99"|'
fails ls1
in_words ls1 "no route" 'route' 'no route|firewall' 'migrate_uri'
config ''

# the source cannot reach the target's daemon, which Drover can
lab host kvm1 ip route add unreachable 10.77.0.2
fails ls1
in_words ls1 "daemon out of the source's reach" 'unable to connect' \
	'cannot reach' 'Open TCP 16509'
lab host kvm1 ip route del unreachable 10.77.0.2
expect_healthy ls1

# the target's daemon dies
ctl vm move ls2 --to kvm2 --no-wait
wait_for 60 "ls2 in flight" is_moving ls2
lab kill kvm2
wait_settled 120
in_words ls2 "target's daemon ended" 'closed|end of file|connection' \
	'daemon' 'target|libvirtd'
lab start kvm2
droverd_up 2
expect_healthy ls2

# QEMU at the target dies
wait_for 60 "ls2 to be movable" can_move ls2
ctl vm move ls2 --to kvm2 --no-wait
wait_for 60 "ls2 in flight" is_moving ls2
kill -9 "$(lab qemu-pid kvm2 ls2)"
wait_settled 120
in_words ls2 "QEMU at the target ended" 'socket|monitor|End of file|failed' \
	'QEMU|target' 'log'
expect_healthy ls2

# a person aborts
wait_for 60 "ls2 to be movable" can_move ls2
ctl vm move ls2 --to kvm2 --no-wait
wait_for 60 "ls2 in flight" is_moving ls2
ctl move abort "$(move_of ls2)"
wait_settled 120
in_words ls2 "aborted" 'cancel|abort' 'on request' 'again when wanted'
expect_healthy ls2

# QEMU at the source dies
wait_for 60 "ls2 to be movable" can_move ls2
ctl vm move ls2 --to kvm2 --no-wait
wait_for 60 "ls2 in flight" is_moving ls2
kill -9 "$(lab qemu-pid kvm1 ls2)"
wait_settled 120
in_words ls2 "guest ended" 'running|End of file|failed|socket' \
	'ended|went away|QEMU' 'log'

# another operation holds the guest: its QEMU does not answer
pid=$(lab qemu-pid kvm1 ls3)
wait_for 60 "ls3 to be movable" can_move ls3
kill -STOP "$pid"
lab virsh kvm1 qemu-monitor-command --hmp ls3 info status >/dev/null 2>&1 &
PIDS+=($!)
# the other way round it would wait for the migration
is_held()
{
	[[ $(lab virsh kvm1 domcontrol ls3) == *occupied* ]]
}
wait_for 30 "ls3 to be held" is_held
ctl vm move ls3 --to kvm2 --no-wait
# whether it stayed can't be seen before its QEMU answers
has_failed()
{
	api "/v1/moves?max=1" | jq -e '.moves[0].error != null'
}
wait_for 90 "libvirt to give up" has_failed
kill -CONT "$pid"
wait_settled 120
in_words ls3 "held by another operation" 'state change lock' \
	'operation holds' 'Wait for it'
expect_healthy ls3

# encryption is forced, and was not asked for
echo 'migrate_tls_force = 1' >>"/var/lib/drover-lab/$LAB_NAME/kvm1/etc/qemu.conf"
lab kill kvm1
lab start kvm1
droverd_up 2
fails ls3
in_words ls3 "encryption is forced" 'TLS' 'only encrypted' 'certificates'
sed -i '/migrate_tls_force/d' "/var/lib/drover-lab/$LAB_NAME/kvm1/etc/qemu.conf"

# two hosts that say that they are one
uuid=$(sed -n 's/^host_uuid = //p' \
	"/var/lib/drover-lab/$LAB_NAME/kvm2/etc/libvirtd.conf")
sed -i "s/^host_uuid = .*/host_uuid = $uuid/" \
	"/var/lib/drover-lab/$LAB_NAME/kvm1/etc/libvirtd.conf"
lab kill kvm1
lab start kvm1
droverd_up 2
wait_for 60 "ls3 to be known" eval 'ctl -o json vm show ls3 | jq -e .host'
rc=0
ctl vm move ls3 --to kvm2 >"$WORK/out" 2>&1 || rc=$?
cat "$WORK/out"
((rc != 0)) || fail "moved to a host of the same UUID"
wait_settled 60
{ cat "$WORK/out"; ctl move show "$(move_of ls3)"; } >"$WORK/both"
grep -qi 'same host' "$WORK/both" || grep -qi 'host UUID' "$WORK/both" ||
	fail "the cause is not told: $(cat "$WORK/both")"
case_ok "two hosts of one UUID"
expect_healthy ls3
expect_all_told
droverd_stop
