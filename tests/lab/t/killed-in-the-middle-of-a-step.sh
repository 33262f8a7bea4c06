# shellcheck shell=bash
# seconds: 420
# kill -9 of droverd while a step of a restart is being done, not between two of
# them: in the copy, while the guest is asked to shut down, while what it wrote
# meanwhile is copied, while it starts and while its layers are merged.
fixture 2 'limits: { bandwidth: 24MiB/s }'
strategy_guests -l 2 rl1
droverd_start
droverd_up 2
at=kvm1
for step in copy shutdown copy-rest start merge-target; do
	to=kvm2
	[[ $at == kvm1 ]] || to=kvm1
	remember rl1
	wait_for 30 "rl1 to be movable" can_move_to rl1 $to
	ctl vm move rl1 --to $to --strategy restart --no-wait
	wait_for 60 "the step $step" has_step rl1 intent $step
	droverd_kill
	droverd_start
	droverd_up 2
	wait_settled 150
	outcome=$(newest_move | jq -r .outcome)
	[[ $outcome == completed ]] || to=$at
	expect_whole rl1 $to
	expect_no_orphans
	expect_all_told
	case_ok "in $step: $outcome"
	at=$to
done
droverd_stop
