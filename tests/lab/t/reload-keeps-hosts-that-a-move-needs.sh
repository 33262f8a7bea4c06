# shellcheck shell=bash
# In flight neither side may leave the configuration, nor become another machine
# under the same name; a maintenance file does not undo an operator's cordon.
fixture 2 'limits: { bandwidth: 12MiB/s }'
lab guest g1 >/dev/null
droverd_start
droverd_up 2
ctl vm move g1 --no-wait
wait_for 60 "g1 in flight" is_moving g1
cp "$WORK/drover.yaml" "$WORK/good.yaml"
refused()
{
	local rc=0
	ctl reload >"$WORK/out" 2>&1 || rc=$?
	cat "$WORK/out"
	((rc != 0)) || fail "the reload was not refused"
	grep -q "$1 while g1 moves" "$WORK/out" || fail "not told why"
	droverd_up 2
}
sed '/name: kvm1/d' "$WORK/good.yaml" >"$WORK/drover.yaml"
refused 'kvm1 is removed'
sed '/name: kvm2/s|uri: "\([^"?]*\)|uri: "\1?no_verify=1|' "$WORK/good.yaml" \
	>"$WORK/drover.yaml"
refused 'kvm2 gets another URI'
cp "$WORK/good.yaml" "$WORK/drover.yaml"
sed -i '/bandwidth/d' "$WORK/drover.yaml"
ctl reload
ctl move abort "$(moves | jq .id)"
ended()
{
	[[ $(moves | jq -r .outcome) == aborted ]]
}
wait_for 60 "the move's end" ended
expect_on g1 kvm1
sed '/name: kvm2/d' "$WORK/good.yaml" >"$WORK/drover.yaml"
ctl reload
[[ $(ctl -o json host list | jq '.hosts | length') == 1 ]] || fail "hosts"
# flags
flag()
{
	[[ $(api /v1/hosts/kvm1 | jq -c '[.maintenance, .cordoned]') == "$1" ]]
}
ctl host cordon kvm1
wait_for 10 "cordoned" flag '[false,true]'
touch "$WORK/run/maintenance.d/kvm1"
wait_for 10 "in maintenance" flag '[true,true]'
rm "$WORK/run/maintenance.d/kvm1"
wait_for 10 "cordoned still" flag '[false,true]'
droverd_stop
