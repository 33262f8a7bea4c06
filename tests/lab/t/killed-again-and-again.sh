# shellcheck shell=bash
# Four moves, one of each kind, and a daemon that dies at its first journal
# record, each time that it is started: every start gets one record further.
need_fault_injection
fixture 2 'limits: { per_source: 4, per_target: 4, bandwidth: 64MiB/s }'
strategy_policies
guests=(ls1 lc1 rs1 rl1)
strategy_guests -m 12 "${guests[@]}"
droverd_start
droverd_up 2
ctl host drain --no-wait kvm1
droverd_kill
settled()
{
	droverd_gone || drain_is done
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
drain_is done || fail "no end after $n starts"
((n > 20)) || fail "only $n records"
for g in "${guests[@]}"; do
	expect_whole "$g" kvm2
done
expect_no_orphans
expect_all_told
droverd_stop
