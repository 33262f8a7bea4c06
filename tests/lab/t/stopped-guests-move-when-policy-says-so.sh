# shellcheck shell=bash
# Guests that are off stay, unless the policy includes them: then they go, and
# stay off.
fixture 2 'limits: { per_source: 4, per_target: 4 }'
strategy_guests rs1 rl1
lab guest rs2 >/dev/null
for g in rs1 rl1; do
	lab ask $g poweroff >/dev/null
	wait_for 20 "$g to be off" off_at_source $g
done
lab virsh kvm1 autostart rs1 >/dev/null
sum=$(lab checksum rl1)
droverd_start
droverd_up 2
ctl host drain kvm1 --timeout 2m | tee "$WORK/out"
expect_on rs2 kvm2
for g in rs1 rl1; do
	expect_defined $g kvm1
done
case_ok "they stay"

strategy_policy restart '' 'include_stopped: true'
ctl reload
wait_defined()
{
	lab virsh kvm2 list --all --name | among -x "$1" &&
		! lab virsh kvm1 list --all --name | among -x "$1"
}
ctl host undrain kvm1
ctl host drain kvm1 --timeout 2m | tee "$WORK/out"
for g in rs1 rl1; do
	wait_for 60 "$g to be on kvm2" wait_defined $g
done
wait_settled
for g in rs1 rl1; do
	expect_defined $g kvm2
	off_at_source $g kvm2 || fail "$g was started"
	expect_move $g '.outcome == "completed"'
done
[[ $(lab checksum rl1) == "$sum" ]] || fail "its disk is not what it was"
lab virsh kvm2 list --all --autostart --name | among -x rs1 ||
	fail "autostart was not carried over"
expect_no_orphans
expect_all_told
for g in rs1 rl1; do
	lab virsh kvm2 start $g >/dev/null
	wait_for 90 "$g" lab ask $g status
	expect_whole $g kvm2
done
case_ok "they go, and stay off"

# an operator's own move needs no policy
lab ask rs1 poweroff >/dev/null
wait_for 20 "rs1 to be off" off_at_source rs1 kvm2
ctl host undrain kvm1
wait_for 30 "rs1 to be movable" can_move_to rs1 kvm1
ctl vm move rs1 --to kvm1
expect_defined rs1 kvm1
off_at_source rs1 || fail "rs1 was started"
case_ok "an operator moves one"
droverd_stop
