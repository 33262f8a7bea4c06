# shellcheck shell=bash
# The main job: three guests leave, each with its definition and autostart, and
# each result arrives, signed; a chat gets two messages, not eight.
fixture 2
write_config 2 "  - { name: chat, type: slack, url: \"http://$HUB:8100/T0/B0\" }"
"$LAB_DIR/lab" -n "$LAB_NAME" exec "$LAB_DIR/receiver" --listen "$HUB:8100" \
	--secret-file "$WORK/secret" --log "$WORK/chat" >"$WORK/chat.out" 2>&1 &
PIDS+=($!)
wait_for 10 "the chat" test -s "$WORK/chat.out"
lab guest g1 --autostart >/dev/null
lab guest g2 >/dev/null
lab guest g3 >/dev/null
droverd_start
droverd_up 2
ctl host drain kvm1 | tee "$WORK/out"
for g in g1 g2 g3; do
	expect_on $g kvm2
	expect_defined $g kvm2
	expect_healthy $g
	grep -q "^$g: moved to kvm2" "$WORK/out" || fail "no line about $g"
done
lab virsh kvm2 -q list --all --autostart --name | among -x g1 ||
	fail "autostart was not carried over"
! lab virsh kvm2 -q list --all --autostart --name | among -x g2 ||
	fail "g2 has got an autostart that it had not"
expect_received 3 move.completed '.body.data.downtime_ms > 0 and
	.body.data.memory_bytes > 0 and .body.data.duration_ms > 0'
expect_received 3 move.started
expect_received 1 drain.started
expect_received 1 drain.completed '.body.data.moved == 3 and
	([.body.data.guests[] | select(.outcome == "moved" and .to == "kvm2" and
	.downtime_ms > 0)] | length) == 3'
expect_received 3 move.completed '.body.data.why.decision > 0'
said()
{
	jq -rs '[.[].body | fromjson | .text] | join("|")' "$WORK/chat"
}
summary_is_told()
{
	[[ $(said) == *'kvm1 is drained'* ]]
}
wait_for 30 "the chat to get the summary" summary_is_told
say "$(said)"
(($(jq -rs '[.[] | .body | fromjson | .text |
	select(test("moved"))] | length' "$WORK/chat") <= 1)) ||
	fail "the chat was told of single moves"
for g in g1 g2 g3; do
	tail -n 1 "$WORK/chat" | grep -q "$g" || fail "$g is not in the summary"
done
[[ $(ctl -o json host show kvm1 | jq .maintenance) == true ]] ||
	fail "the flag is gone"
droverd_stop
