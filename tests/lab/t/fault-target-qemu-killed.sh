# shellcheck shell=bash
# The QEMU at the target is killed: the one that takes a live guest in, and the
# one in which a restarted guest boots.
fixture 2 'limits: { per_source: 4, per_target: 4, bandwidth: 16MiB/s }'
strategy_policies 'shutdown: { repeat: 2s }'
guests=(ls1 lc1 rs1 rl1)
strategy_guests "${guests[@]}"
droverd_start
droverd_up 2
ctl host drain --no-wait kvm1
killed=0
kill_there()	# GUEST
{
	local pid
	pid=$(lab qemu-pid kvm2 "$1") && kill -9 "$pid"
}
for g in "${guests[@]}"; do
	wait_for 120 "a QEMU of $g on kvm2" kill_there "$g"
	killed=$((killed + 1))
done
wait_for 180 "the drain's end" drain_is done
wait_settled
for g in "${guests[@]}"; do
	case $(strategy_of "$g") in
	restart)
		# what was started had been verified, or it was started again
		if [[ -z $(running_on "$g") ]]; then
			say "$g ended after it had been seen to run"
			expect_defined "$g" kvm2
			lab virsh kvm2 start "$g" >/dev/null
		fi
		;;
	esac
	expect_whole "$g" kvm2
	case_ok "$(strategy_of "$g"), ${g%1}"
done
expect_no_orphans
expect_all_told
droverd_stop
