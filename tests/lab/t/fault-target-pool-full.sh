# shellcheck shell=bash
# The target's pool gets full in the middle of a copy; nothing of it stays
# behind.  Before that: a pool that is too small is refused, with its figures.
fixture 2 'limits: { per_source: 4, per_target: 4, bandwidth: 12MiB/s }'
lab pool-limit kvm2 32
guests=(lc1 rl1)
strategy_guests -m 48 "${guests[@]}"
droverd_start
droverd_up 2
for g in "${guests[@]}"; do
	ctl vm move "$g" --to kvm2 --strategy "$(strategy_of "$g")" \
		>"$WORK/out" 2>&1 && fail "$g moved into a pool without room"
	cat "$WORK/out"
	grep -qi 'pool.*local' "$WORK/out" || fail "the pool is not named"
done
[[ -z $(moves) ]] || fail "it was tried nevertheless: $(moves)"
case_ok "refused beforehand"

pool=/var/lib/libvirt/images
for g in "${guests[@]}"; do
	lab pool-limit kvm2 100
	wait_for 30 "room on kvm2" can_move_to "$g" kvm2
	ctl vm move "$g" --to kvm2 --strategy "$(strategy_of "$g")" --no-wait
	wait_for 60 "$g on its way" is_moving "$g"
	# another one takes the room
	lab host kvm2 dd if=/dev/zero of=$pool/other bs=1M 2>/dev/null || true
	wait_settled 120
	outcome=$(newest_move | jq -r .outcome)
	[[ $outcome == failed || $outcome == rolled-back ]] ||
		fail "$g: $outcome, in a full pool"
	ctl move show "$(move_of "$g")"
	ctl move show "$(move_of "$g")" | among -i 'room\|space' ||
		fail "it is not told that there was no room"
	expect_whole "$g" kvm1
	[[ $(images_of kvm2) == other ]] ||
		fail "left on kvm2: $(images_of kvm2)"
	lab host kvm2 rm $pool/other
	lab virsh kvm2 pool-refresh local >/dev/null
	expect_no_orphans
	case_ok "$(strategy_of "$g")"
done
expect_all_told
# with room it goes
lab pool-limit kvm2 400
begin_moves "${guests[@]}"
wait_settled
for g in "${guests[@]}"; do
	expect_whole "$g" kvm2
done
expect_no_orphans
droverd_stop
