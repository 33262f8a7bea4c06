# shellcheck shell=bash
# Several calls wait for a host whose libvirtd is stopped.  All of them come back
# when keepalive gives the connection up, the other host answers meanwhile, and
# when the daemon goes on the client is still there and connects again.  (With
# two calls on one connection libvirt's client hangs at the first and crashes at
# the second of these moments; see src/hv/conn.h.)
# waits
fixture 2
[[ -x $BUILD/hvprobe ]] || make -s -C "$BUILD" hvprobe
lab guest g1 >/dev/null
uuid=$(lab virsh kvm1 domuuid g1 | head -n 1)
mkfifo "$WORK/in"
lab exec "$BUILD/hvprobe" --sample 1000 "kvm1=$(lab uri kvm1)" \
	"kvm2=$(lab uri kvm2)" <"$WORK/in" >"$WORK/out" 2>&1 &
probe=$!
PIDS+=("$probe")
exec 3>"$WORK/in"

seen()
{
	[[ $(grep -c "$2" "$WORK/out") -ge $1 ]]
}
wait_for 30 "both hosts" seen 2 ' listed '
lab freeze kvm2
for _ in 1 2 3 4 5 6; do
	printf 'read %s kvm2\n' "$uuid" >&3
done
printf 'read %s kvm1\n' "$uuid" >&3
wait_for 5 "an answer of the other host" seen 2 'kvm1 domain .* g1 running'
wait_for 60 "the end of the connection" seen 1 'kvm2 lost '
wait_for 30 "the end of all calls" seen 6 'kvm2 failed read .* unreachable'
lab thaw kvm2
wait_for 90 "kvm2 again" seen 3 ' listed '
printf 'read %s kvm1\n' "$uuid" >&3
wait_for 5 "an answer after the thaw" seen 3 'kvm1 domain .* g1 running'
exec 3>&-
rc=0
wait "$probe" || rc=$?
# 1: commands failed, as they should
((rc == 1)) || { tail -n 20 "$WORK/out"; fail "hvprobe ended with $rc"; }
