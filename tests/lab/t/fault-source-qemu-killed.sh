# shellcheck shell=bash
# The guest's QEMU at the source is killed in the middle.  A live move ends
# there: the guest is off, as it would be without Drover, and can be started.  A
# restart goes on, and starts it at the target.
fixture 2 'limits: { per_source: 4, per_target: 4, bandwidth: 16MiB/s }'
# rs1 does not listen, so that there is a middle
lab guest rs1 --no-acpi >/dev/null &
pid=$!
strategy_guests ls1 lc1 rl1
wait "$pid"
remember rs1
guests=(ls1 lc1 rs1 rl1)
droverd_start
droverd_up 2
begin_moves "${guests[@]}"
for g in "${guests[@]}"; do
	wait_for 60 "$g on its way" under_way "$g"
	kill -9 "$(lab qemu-pid kvm1 "$g")"
done
wait_settled
for g in "${guests[@]}"; do
	case $g in
	ls1 | lc1)
		off_at_source "$g" || fail "$g: $(lab where "$g")"
		expect_defined "$g" kvm1
		lab virsh kvm1 start "$g" >/dev/null
		wait_for 90 "$g" lab ask "$g" status
		expect_restarted "$g" "${SAID[$g]}"
		[[ $g != lc1 ]] || expect_filled "$g"
		;;
	*)
		expect_whole "$g" kvm2
		;;
	esac
	case_ok "$(strategy_of "$g"), ${g%1}"
done
expect_no_orphans
expect_all_told
droverd_stop
