# shellcheck shell=bash
# SIGSTOP of the target's libvirtd for 45 s when the guests are off and about to
# be started there: what was called before the freeze happens after it.
# waits
fixture 2 'limits: { per_source: 4, per_target: 4 }'
guests=(rs1 rl1)
strategy_guests "${guests[@]}"
droverd_start
droverd_up 2
begin_moves "${guests[@]}"
both_off()
{
	off_at_source rs1 || off_at_source rl1
}
wait_for 90 "a guest to be off" both_off
lab freeze kvm2
frozen=$SECONDS
wait_for 60 "the loss to be noticed" has_received 1 host.lost
while ((SECONDS < frozen + 45)); do
	sleep 1
done
lab thaw kvm2
expect_after_fault "${guests[@]}"
droverd_stop
