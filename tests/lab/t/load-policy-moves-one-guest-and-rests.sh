# shellcheck shell=bash
# seconds: 420
# A host is busy: a spike moves nothing, in observe nothing moves and the record
# says what would have been, in auto one guest moves once the load has held; then
# it is even, and nothing moves any more.
LAB_UP_OPTIONS=--own-cpu
fixture 2 "smoothing: 4s"
cat >"$WORK/policies.d/20-load.yaml" <<'END'
version: 1
policies:
  - name: load
    mode: observe
    when: { host: cpu > 52%, for: 15s, until: cpu < 48% }
    select: { order: busiest-first, max: 1 }
    target: { require: target.cpu_after < 52% }
    gain: 5%
    cooldown: { guest: 1h }
END
for g in g1 g2 g3; do
	lab guest $g >/dev/null
done

burn()	# PERCENT
{
	for g in g1 g2 g3; do
		lab ask $g "burn $1" >/dev/null
	done
}
load_of()	# HOST: percent, or nothing
{
	ctl -o json host show "$1" |
		jq -r 'if .cpu_smooth then .cpu_smooth / .cpus * 100 | floor
			else empty end'
}
is_hot()	# HOST PERCENT
{
	(($(load_of "$1") > $2))
}
is_cool()
{
	(($(load_of "$1") < $2))
}
decided()	# FILTER: of the newest decision of the policy
{
	local id
	id=$(ctl -o json decision list --policy load |
		jq -r '[.decisions[].id] | max // empty')
	[[ -n $id ]] && ctl -o json decision show "$id" | jq -e "$1"
}
moved_one()
{
	[[ $(moves | jq -r '.outcome // empty') == completed ]]
}
no_moves()
{
	[[ -z $(moves) ]] || fail "moved: $(moves)"
}

droverd_start
droverd_up 2
wait_for 60 "a known load" load_of kvm1

burn 45
wait_for 60 "a spike" is_hot kvm1 52
burn 0
wait_for 60 "its end" is_cool kvm1 30
! decided . || fail "a spike was decided about"
no_moves
case_ok "a spike moves nothing"

burn 45
wait_for 90 "a decision" decided '.items | map(select(.fate == "start")) |
	length == 1'
decided '.seen[0].text | test("cpu = ")' || fail "what was seen is missing"
decided '.items[] | select(.fate == "start") | .to == "kvm2"' ||
	fail "no target in the record"
no_moves
ctl decision list --policy load
ctl policy explain load
case_ok "in observe nothing moves, and the record is there"

ctl policy set-mode load auto
wait_for 60 "the move" moved_one
case_ok "one guest moves"

wait_for 60 "kvm1's load is less" is_cool kvm1 50
end=$((SECONDS + 40))
while ((SECONDS < end)); do
	[[ $(moves | wc -l) == 1 ]] || fail "more moved: $(moves)"
	sleep 1
done
is_cool kvm1 52 || fail "kvm1 is at $(load_of kvm1) %"
is_hot kvm2 10 || fail "kvm2 is at $(load_of kvm2) %"
for g in g1 g2 g3; do
	expect_healthy $g
done
case_ok "the load is even, and nothing moves any more"
droverd_stop
