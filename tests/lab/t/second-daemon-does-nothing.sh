# shellcheck shell=bash
# A second droverd, with a state directory of its own, is put on the hosts of the
# first.  It says whose they are and moves nothing, also when told to; it takes over
# by itself when the first one ends, or is killed.  One on the same state directory
# does not even start.
# waits
fixture 2
lab guest g1 >/dev/null
sed "s|$WORK/state|$WORK/state2|; s|$WORK/run/|$WORK/run2/|" \
	"$WORK/drover.yaml" >"$WORK/second.yaml"
mkdir -p "$WORK/run2"

second_start()
{
	"$LAB_DIR/lab" -n "$LAB_NAME" exec "$DROVERD" -v -c "$WORK/second.yaml" \
		>>"$WORK/second.log" 2>&1 </dev/null &
	SECOND_PID=$!
	PIDS+=("$SECOND_PID")
	wait_for 20 "the second droverd's socket" ctl2 status
}

ctl2()
{
	timeout 300 "$DROVERCTL" -s "$WORK/run2/drover.sock" "$@"
}

# states CTL: of all hosts, as this daemon has them
states()
{
	"$1" -o json host list | jq -r '[.hosts[].state] | join(" ")'
}

have_states()
{
	[[ $(states "$1") == "$2" ]]
}

droverd_start
wait_for 20 "the first to have the hosts" have_states ctl "up up"
second_start
wait_for 20 "the second to see that" have_states ctl2 "claimed claimed"
ctl2 host list | tee "$WORK/list"
grep -q "lab at .*$WORK/state," "$WORK/list" || fail "it does not say whose"
have_states ctl "up up" || fail "the first lost its hosts: $(states ctl)"
expect_received 2 host.claimed
case_ok "it says whose the hosts are"

ctl2 vm move g1 >"$WORK/out" 2>&1 && fail "it moved a guest"
cat "$WORK/out"
grep -q 'another droverd acts on it' "$WORK/out" || fail "it does not say why"
ctl2 host drain kvm1 --timeout 5s >"$WORK/out" 2>&1 && fail "it drained a host"
cat "$WORK/out"
grep -q 'another droverd acts on it' "$WORK/out" || fail "it does not say why"
ctl2 host undrain kvm1
expect_on g1 kvm1
case_ok "it moves nothing"

ctl vm move g1
expect_on g1 kvm2
expect_healthy g1
case_ok "the first goes on"

"$DROVERD" -c "$WORK/drover.yaml" >"$WORK/out" 2>&1 &&
	fail "a third one started on the same state"
grep -q "in use by another droverd (process $DROVERD_PID)" "$WORK/out" ||
	fail "it does not say who has the state: $(cat "$WORK/out")"
case_ok "one on the same state does not start"

# in good order: the marks are let go, and nobody has to wait for their end
begin=$SECONDS
droverd_stop
wait_for 20 "the second to take over" have_states ctl2 "up up"
say "taken over $((SECONDS - begin)) s after the end"
((SECONDS - begin < 20)) || fail "it waited for marks that were let go"
ctl2 vm move g1
expect_on g1 kvm1
expect_healthy g1
case_ok "it takes over when the first ends"

droverd_start
wait_for 20 "the first to see the second" have_states ctl "claimed claimed"
kill -9 "$SECOND_PID"
wait "$SECOND_PID" 2>/dev/null || true
begin=$SECONDS
wait_for 60 "the first to take over" have_states ctl "up up"
say "taken over $((SECONDS - begin)) s after the kill"
((SECONDS - begin >= 15)) || fail "a mark was taken that could be alive"
ctl vm move g1
expect_on g1 kvm2
expect_healthy g1
# by both, of both hosts
expect_received 4 host.claimed
expect_received 4 host.released
case_ok "it takes over when the first is killed"

# a daemon that was killed and comes back has its own marks at once
droverd_kill
begin=$SECONDS
droverd_start
wait_for 15 "its own marks" have_states ctl "up up"
ctl vm move g1
expect_on g1 kvm1
case_ok "a restarted daemon does not wait for itself"
droverd_stop
marks()
{
	lab virsh "$1" secret-list | grep -c drover || true
}
for host in kvm1 kvm2; do
	[[ $(marks $host) == 0 ]] || fail "a mark is left on $host"
done
