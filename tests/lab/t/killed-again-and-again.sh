# shellcheck shell=bash
# seconds: 420
# Four moves, one of each kind, and a daemon that dies each time that it is
# started, at its first record, its second, ... its twelfth, and again.  A start
# that ends at its first record may get no further than the one before (what was
# about to be done is written again); one that ends at its twelfth does.
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
	droverd_start_doomed $((n % 12 + 1))
	wait_for 120 "the end of start $n" settled
	if ! droverd_gone; then
		break
	fi
	wait "$DROVERD_PID" 2>/dev/null || true
done
say "killed $n times"
no_move_open || fail "no end after $n starts"
# the one that saw it is doomed as well
droverd_stop
droverd_start
droverd_up 2
((n > 5)) || fail "only $n starts"
expect_after_fault "${guests[@]}"
droverd_stop
