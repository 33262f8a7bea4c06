# shellcheck shell=bash
# The QEMU at the target is killed: the one that takes a live guest in, and the
# one in which a restarted guest boots.
fixture 2 'limits: { per_source: 4, per_target: 4, bandwidth: 16MiB/s }'
guests=(ls1 lc1 rs1 rl1)
strategy_guests "${guests[@]}"
droverd_start
droverd_up 2
begin_moves "${guests[@]}"
kill_there()	# GUEST
{
	local pid
	pid=$(lab qemu-pid kvm2 "$1") && kill -9 "$pid"
}
for g in "${guests[@]}"; do
	wait_for 120 "a QEMU of $g on kvm2" kill_there "$g"
done
wait_settled
for g in "${guests[@]}"; do
	# one that had been seen to run there, and ended after that, is off as
	# it would be without Drover
	if [[ $(strategy_of "$g") == restart && -z $(running_on "$g") ]]; then
		say "$g ended after it had been seen to run"
		expect_defined "$g" kvm2
		lab virsh kvm2 start "$g" >/dev/null
	fi
done
expect_after_fault "${guests[@]}"
droverd_stop
