# shellcheck shell=bash
# A file in maintenance_dir is a flag: durable, and cleared with the file.
fixture 2
lab guest g1 >/dev/null
droverd_start
droverd_up 2
touch "$WORK/run/maintenance.d/kvm1"
wait_for 60 "the drain's end" drain_is done
expect_on g1 kvm2
flag()
{
	[[ $(ctl -o json host show "${2:-kvm1}" | jq .maintenance) == "$1" ]]
}
flag true || fail "no flag"
droverd_kill
droverd_start
droverd_up 2
flag true || fail "the flag did not survive"
# a host in maintenance is never a target
ctl vm move g1 --to kvm1 >"$WORK/out" 2>&1 && fail "moved into maintenance"
grep -q maintenance "$WORK/out" || fail "the reason is not told"
rm "$WORK/run/maintenance.d/kvm1"
wait_for 10 "the flag to go" flag false
ctl vm move g1 --to kvm1
expect_on g1 kvm1
# removed while droverd was away: it goes at the next start
touch "$WORK/run/maintenance.d/kvm2"
wait_for 10 "the second flag" has_received 1 host.maintenance \
	'.body.data.host == "kvm2"'
droverd_stop
rm "$WORK/run/maintenance.d/kvm2"
droverd_start
[[ $(ctl -o json host show kvm2 | jq .maintenance) == false ]] ||
	fail "a flag whose file was removed while droverd was away is still set"
# undrain clears the file too, else it would come back
touch "$WORK/run/maintenance.d/kvm2"
wait_for 10 "the flag of kvm2" flag true kvm2
ctl host undrain kvm2
[[ ! -e $WORK/run/maintenance.d/kvm2 ]] || fail "undrain leaves the file"
droverd_stop
