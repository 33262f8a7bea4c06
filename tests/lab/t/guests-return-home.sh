# shellcheck shell=bash
# A host is emptied for a time: its guests come back by themselves once it is out of
# maintenance, also after the daemon was killed, but not at once; and one that an
# operator has moved meanwhile stays.
fixture 3
lab guest g1 >/dev/null
lab guest g2 >/dev/null
droverd_start
droverd_up 3
ctl host drain kvm1 --return-home
off_kvm1()
{
	! is_on "$1" kvm1
}
off_kvm1 g1 || fail "g1 has not left"
off_kvm1 g2 || fail "g2 has not left"
ctl host show kvm1 | grep -q 'WANTS TO GO HOME' || fail "nobody wants home"
ctl explain g1 >"$WORK/out"
grep -q 'wants to go home to kvm1: kvm1 is in maintenance' "$WORK/out" ||
	fail "explain does not say it"
droverd_kill
droverd_start
droverd_up 3
# g2 is moved on by hand, to where it is not
if is_on g2 kvm2; then
	ctl vm move g2 --to kvm3
else
	ctl vm move g2 --to kvm2
fi
ctl host undrain kvm1
begin=$SECONDS
wait_for 150 "g1 to be home" is_on g1 kvm1
((SECONDS - begin >= 55)) || fail "it went home after $((SECONDS - begin)) s"
expect_healthy g1
sleep 5
off_kvm1 g2 || fail "g2 was moved by an operator and went home"
wants_nothing()
{
	! ctl host show kvm1 | grep -q 'WANTS TO GO HOME'
}
wait_for 10 "nobody to want home" wants_nothing
ctl -o json decision list --host kvm1 |
	jq -e '.decisions | length == 2' >/dev/null ||
	fail "the way home is not a decision of its own on record"
ctl -o json move list | jq -e '.moves | map(select(.why == "goes home to kvm1" and
	.to == "kvm1")) | length == 1' >/dev/null ||
	fail "the move does not say why"
droverd_stop
