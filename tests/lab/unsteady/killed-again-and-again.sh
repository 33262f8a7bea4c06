# shellcheck shell=bash
# seconds: 420
# Four moves, one of each kind, and a daemon that dies at its first journal
# record, each time that it is started: every start gets one record further.
need_fault_injection
fixture 2 'limits: { per_source: 4, per_target: 4, bandwidth: 64MiB/s }'
guests=(ls1 lc1 rs1 rl1)
strategy_guests -m 12 "${guests[@]}"
droverd_start
droverd_up 2
begin_moves "${guests[@]}"
droverd_kill
settled()
{
	droverd_gone || no_move_open
}
for ((n = 1; n <= 150; n++)); do
	droverd_start_doomed 1
	wait_for 120 "the next record" settled
	if ! droverd_gone; then
		break
	fi
	wait "$DROVERD_PID" 2>/dev/null || true
done
say "killed $n times"
no_move_open || fail "no end after $n starts"
((n > 20)) || fail "only $n records"
expect_after_fault "${guests[@]}"
droverd_stop
